import { type Command, InvalidArgumentError, Option } from "commander";
import { type PerResource, type ResourceName, resourceNames } from "../../model/planning/capacity.ts";
import { json, number, whole } from "./asked.ts";
import type { Session } from "./session.ts";

/** What can be asked without a deployment. */
export function addPlanning(program: Command, session: Session): void {
  const capacity = addCapacity(program, session);
  const plan = addPlan(program, session);
  // Their help tells of the columns of tables, and is the only one for which schemas are loaded.
  program.hook("preSubcommand", async (_program, command) => {
    if (command !== capacity && command !== plan) return;
    const { capacityHelp, planHelp } = await import("./planning-help.ts");
    command.addHelpText("after", command === plan ? planHelp() : capacityHelp());
  });
}

function addCapacity(program: Command, { run, console }: Session): Command {
  return program
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
    .action((options) => run(import("../commands/capacity.ts").then(({ capacity }) => capacity(options, console))));
}

function addPlan(program: Command, { run, console }: Session): Command {
  return program
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
    .action((options) => run(import("../commands/plan.ts").then(({ plan }) => plan(options, console))));
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
