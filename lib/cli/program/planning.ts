import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { NodeTypeColumns } from "../../../events/node-type.ts";
import { OpenbPodColumns, PlanJobColumns } from "../../../events/plan-job.ts";
import { PlanNodeColumns, PlanOfferColumns } from "../../../events/plan-offer.ts";
import { type PerResource, type ResourceName, resourceNames } from "../../model/capacity.ts";
import { askedFrom } from "../asked-from.ts";
import { terminal } from "../console.ts";
import { packageRoot } from "../folders.ts";
import { pathFrom } from "../invocation.ts";
import { columnLines, columnsOf } from "../planning/columns.ts";
import { json, number, whole } from "./asked.ts";
import type { Session } from "./session.ts";

/** A table that ships, as the user can name it from where they are. */
const sample = (name: string): string => pathFrom(askedFrom(process.env, process.cwd()), join(packageRoot, "events", "planning", name));

/** What can be asked without a deployment. */
export function addPlanning(program: Command, session: Session): void {
  addCapacity(program, session);
  addPlan(program, session);
}

function addCapacity(program: Command, { run }: Session): void {
  program
    .command("capacity")
    .description("say which nodes to have for a demand, and what they cost at the least")
    .option("--compute <amount>", "how much computing is wanted, in the types' units", positive)
    .option("--storage <amount>", "how much storage", positive)
    .option("--bandwidth <amount>", "how much bandwidth", positive)
    .option("--types <file>", "node types, CSV or JSON (default: four sizes to try it on)")
    .option("--unit-prices <prices>", "what a unit costs, for types without prices: compute=100,storage=50,bandwidth=30", prices)
    .option("--per-node <usd>", "performance lost with each node that there is", positive)
    .option("--headroom <percent>", "part of the capacity that is to stay free", (text) => whole(text, 0, 99))
    .option("--waiting <prices>", "performance lost by each unit that falls into the headroom: compute=5", prices)
    .option("--shortfall <prices>", "performance lost by each unit that goes unmet (default: all is to be met)", prices)
    .addOption(budget(10_000))
    .addOption(json())
    .addHelpText(
      "after",
      `
Minimises f + g: what the nodes cost, and what is lost in performance, in the same dollars. The answer comes with a bound that no
fleet can beat, and with the price of one unit more.

Examples:
  fleet capacity --compute 1000000
  fleet capacity --compute 64 --storage 2000 --types ${sample("node-types.csv")}
  fleet capacity --compute 1000000 --headroom 20 --waiting compute=5 --per-node 10

A file of types has these columns (or, as JSON, a list of objects with these fields):
${columnLines(NodeTypeColumns)}`,
    )
    .action((options) => run(import("../commands/capacity.ts").then(({ capacity }) => capacity(options, terminal))));
}

function addPlan(program: Command, { run }: Session): void {
  program
    .command("plan")
    .description("say where jobs of a file would go, what would be launched for them, and at what cost")
    .requiredOption("--jobs <file>", "the jobs, CSV or JSON, or gzipped; - for standard input")
    .requiredOption("--offers <file>", "what can be bought")
    .option("--nodes <file>", "nodes that are there, with what is free on them")
    .option("--max-usd <usd>", "most that all launches may cost an hour", positive)
    .option("--max-gpus <n>", "most GPUs that all launches may have", (text) => whole(text, 0, 1_000_000))
    .option("--whole-nodes", "jobs may have all of an instance (default: 0.2 vCPU and 8 % of its memory stay with its host)")
    .addOption(budget(1_000))
    .addOption(new Option("--seed <n>", "another one may find another plan").argParser((text) => whole(text, 0, 2 ** 31 - 1)).default(1))
    .option("--explain <job>", "why this job goes where it goes, or what would place it")
    .addOption(json())
    .addHelpText(
      "after",
      `
Nothing is launched and no deployment is needed. The plan comes with a bound that no plan for the same jobs can beat. Jobs that say on
which node they run stay there, unless that node's price is more than they cost elsewhere, with what they lose by starting anew.

Examples:
  fleet plan --jobs ${sample("jobs.csv")} --offers ${sample("offers.csv")}
  fleet plan --jobs ${sample("jobs.csv")} --offers ${sample("offers.csv")} --nodes ${sample("nodes.csv")} --explain notebook#1
  fleet plan --jobs pods.csv.gz --offers offers.csv --max-usd 20 --json | jq .gap

All files are CSV with a header, or JSON: a list of objects with these fields.

Jobs:
${columnLines(PlanJobColumns)}
or as the pod lists of Alibaba's GPU trace ("openb") have them: ${columnsOf(OpenbPodColumns).join(", ")}

Offers:
${columnLines(PlanOfferColumns)}

Nodes:
${columnLines(PlanNodeColumns)}`,
    )
    .action((options) => run(import("../commands/plan.ts").then(({ plan }) => plan(options, terminal))));
}

const budget = (usualMs: number): Option =>
  new Option("--budget <ms>", "how long to search, in milliseconds").argParser((text) => whole(text, 1, 3_600_000)).default(usualMs);

function positive(text: string): number {
  const value = number(text);
  if (value < 0 || value > 1e12) throw new InvalidArgumentError("a number from 0 to 1e12 is wanted");
  return value;
}

const isResource = (text: string): text is ResourceName => resourceNames.some((name) => name === text);

/** `compute=100,storage=50` */
function prices(text: string): Partial<PerResource> {
  return Object.fromEntries(
    text.split(",").map((part): [ResourceName, number] => {
      const [name = "", value = "", ...more] = part.split("=");
      if (!isResource(name) || more.length > 0) throw new InvalidArgumentError(`prices are wanted as compute=100,storage=50,bandwidth=30`);
      return [name, positive(value)];
    }),
  );
}
