import { type Command, InvalidArgumentError, Option } from "commander";
import { type PerResource, type ResourceName, resourceNames } from "../../model/planning/capacity.ts";
import { inCheckout } from "../invocation/checkout.ts";
import { json, number, whole } from "./options.ts";
import type { Session } from "./session.ts";

/** Adds the commands that need no deployment. */
export function addPlanning(program: Command, session: Session): void {
  const capacity = addCapacity(program, session);
  const plan = addPlan(program, session);
  addCost(program, session);
  // Only their help needs schemas, because it lists the columns of tables. So the schemas are loaded here, and not for all commands.
  program.hook("preSubcommand", async (_program, command) => {
    if (command !== capacity && command !== plan) return;
    const { capacityHelp, planHelp } = await import("./planning-help.ts");
    command.addHelpText("after", command === plan ? planHelp() : capacityHelp());
  });
}

function addCapacity(program: Command, { run, console }: Session): Command {
  return program
    .command("capacity")
    .description("find the cheapest nodes that meet a demand, and a lower bound of their cost")
    .option("--compute <amount>", "demand for compute, in the units of the node types", positive)
    .option("--storage <amount>", "demand for storage", positive)
    .option("--bandwidth <amount>", "demand for bandwidth", positive)
    .option("--types <file>", "node types, CSV or JSON (default: four example sizes)")
    .option("--unit-prices <prices>", "price per unit, for types without prices: compute=100,storage=50,bandwidth=30", prices)
    .option("--per-node <usd>", "performance lost per node", positive)
    .option("--headroom <percent>", "share of the capacity to keep free", (text) => whole(text, 0, 99))
    .option("--waiting <prices>", "performance lost per unit that falls into the headroom: compute=5", prices)
    .option("--shortfall <prices>", "performance lost per unit of unmet demand (default: all demand must be met)", prices)
    .addOption(budget(10_000))
    .addOption(json())
    .action((options) => run(import("../commands/capacity.ts").then(({ capacity }) => capacity(options, console))));
}

function addPlan(program: Command, { run, console }: Session): Command {
  return program
    .command("plan")
    .description("plan where the jobs of a file would go, what would be launched for them, and at what cost")
    .requiredOption("--jobs <file>", "the jobs, as CSV or JSON, possibly gzipped; - for standard input")
    .requiredOption("--offers <file>", "the offers: instances that can be launched")
    .option("--nodes <file>", "existing nodes, with what is free on them")
    .option("--max-usd <usd>", "limit of the cost of all launches, per hour", positive)
    .option("--max-gpus <n>", "limit of the GPUs of all launches", (text) => whole(text, 0, 1_000_000))
    .option("--whole-nodes", "let jobs use all of an instance (default: 0.2 vCPU and 8 % of the memory are reserved for the host)")
    .addOption(budget(1_000))
    .addOption(
      new Option("--seed <n>", "seed of the search; another seed may find another plan")
        .argParser((text) => whole(text, 0, 2 ** 31 - 1))
        .default(1),
    )
    .option("--explain <job>", "explain why this job goes where it goes, or what would place it")
    .addOption(json())
    .action((options) => run(import("../commands/plan.ts").then(({ plan }) => plan(options, console))));
}

function addCost(program: Command, { run, console }: Session): void {
  program
    .command("cost")
    .description("show what a deployment costs, item by item, before or after it is deployed: a month without work, or 1,000 jobs")
    .option("--idle", "what it costs a month while no job runs or waits, and no instance is there")
    .addOption(new Option("--control", "what AWS charges for the work of the control plane per 1,000 jobs").conflicts(["idle", "config"]))
    .option("--config <file>", "with --idle: the configuration (default: cdk/fleet.config.ts)")
    .addOption(
      new Option("--jobs <n>", "with --control: how many jobs arrive in the hour that is measured").argParser(jobsAnHour).conflicts("idle"),
    )
    .addOption(
      new Option("--seed <n>", "with --control: another seed, another hour")
        .argParser((text) => whole(text, 1, 1_000_000_000))
        .conflicts("idle"),
    )
    .addOption(json())
    .addHelpText("after", costHelp)
    .action(({ control, jobs = 100, seed = 1, ...options }) =>
      run(
        inCheckout("cost").then(() =>
          control
            ? import("../cost/control/control-cost.ts").then(({ controlCost }) => controlCost({ jobs, seed, json: options.json }, console))
            : import("../cost/cost.ts").then(({ cost }) => cost(options, console)),
        ),
      ),
    );
}

/** With more jobs, some would not end within the run, because the pool's limit is 16 GPUs. */
const jobsAnHour = (text: string): number => whole(text, 1, 150);

const costHelp = `
--idle reads the stack's template. --control runs an hour of jobs in virtual time, with the pool of cdk/fleet.config.ts: the functions' own
code, on a table that counts request units as DynamoDB does. Then it says what AWS charges for that in addition to the idle bill, and what causes it.
The same seed gives the same figures. Neither needs an account.

Examples:
  fleet cost --idle
  fleet cost --idle --json | jq .usd
  fleet cost --control
  fleet cost --control --jobs 20 --json | jq .usdPerThousand`;

const budget = (usualMs: number): Option =>
  new Option("--budget <ms>", "how long to search, in milliseconds").argParser((text) => whole(text, 1, 3_600_000)).default(usualMs);

function positive(text: string): number {
  const value = number(text);
  if (value < 0 || value > 1e12) throw new InvalidArgumentError("expected a number from 0 to 1e12");
  return value;
}

const isResource = (text: string): text is ResourceName => resourceNames.some((name) => name === text);

/** Reads prices such as `compute=100,storage=50`. */
function prices(text: string): Partial<PerResource> {
  return Object.fromEntries(
    text.split(",").map((part): [ResourceName, number] => {
      const [name = "", value = "", ...more] = part.split("=");
      if (!isResource(name) || more.length > 0) throw new InvalidArgumentError(`expected prices as compute=100,storage=50,bandwidth=30`);
      return [name, positive(value)];
    }),
  );
}
