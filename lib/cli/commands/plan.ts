import type { PlanJob } from "../../../events/tables/plan-job.ts";
import type { PlanNode } from "../../../events/tables/plan-offer.ts";
import { type Budget, clockBudget } from "../../optimizer/problem/budget.ts";
import type { Problem } from "../../optimizer/problem/problem.ts";
import { consolidate } from "../../optimizer/search/drains.ts";
import { loadHighs } from "../../solver/highs.ts";
import { exitCodes, UsageError } from "../invocation/exit.ts";
import { explainLines } from "../planning/explain-view.ts";
import { jobTables, nodeTable, offerTable } from "../planning/plan-tables.ts";
import { planLines } from "../planning/plan-view.ts";
import { type Planned, planJson, planned } from "../planning/planned.ts";
import { problemOf } from "../planning/problem.ts";
import { readTable } from "../planning/read-table.ts";
import type { Console } from "../terminal/console.ts";

export type PlanOptions = {
  readonly jobs: string;
  readonly offers: string;
  readonly nodes?: string | undefined;
  /** ms */
  readonly budget: number;
  readonly seed: number;
  readonly explain?: string | undefined;
  readonly maxUsd?: number | undefined;
  readonly maxGpus?: number | undefined;
  readonly wholeNodes?: boolean | undefined;
  readonly json?: boolean | undefined;
};

/** Plans where the jobs of a file would go, on existing nodes and on offers. Launches nothing. */
export async function plan(options: PlanOptions, console: Pick<Console, "out" | "width">): Promise<number> {
  const found = await planOf(options);
  const lines = options.explain === undefined ? planLines(found, console.width) : explainLines(options.explain, found);
  if (!options.json) for (const line of lines) console.out(line);
  else console.out(JSON.stringify(options.explain === undefined ? planJson(found) : { job: options.explain, because: lines }));
  return exitCodes.ok;
}

async function planOf({ budget, seed, maxUsd, maxGpus, wholeNodes, ...files }: PlanOptions): Promise<Planned> {
  const [jobs, offers, nodes] = await Promise.all([
    readTable(files.jobs, ...jobTables),
    readTable(files.offers, offerTable),
    files.nodes === undefined ? [] : readTable(files.nodes, nodeTable),
  ]);
  refuseUnknownNodes(files, jobs, nodes);
  const initial = problemOf({ jobs, offers, nodes }, { usdPerHour: maxUsd, gpus: maxGpus, wholeNodes });
  const solve = await loadHighs();
  const now = () => performance.now();
  const startedMs = now();
  const { solution, drains, problem } = consolidate(initial, {
    budget: clockBudget(now, startedMs + budget),
    // The bound gets the same budget again, because a bound that had too little time is valid but loose.
    boundBudget: fromFirstUse(() => clockBudget(now, now() + budget)),
    seed,
    solve,
  });
  return planned({ problem, solution, drains, staying: stayingOn(problem) }, now() - startedMs);
}

/** Returns the jobs of nodes that are not emptied, with their node. */
const stayingOn = ({ nodes }: Problem): ReadonlyMap<string, string> =>
  new Map(nodes.flatMap(({ name, holds = [] }) => holds.flatMap(({ names }) => names.map((job): [string, string] => [job, name]))));

function refuseUnknownNodes(files: Pick<PlanOptions, "jobs" | "nodes">, jobs: readonly PlanJob[], nodes: readonly PlanNode[]): void {
  const known = new Set(nodes.map(({ id }) => id));
  const wrong = jobs.find(({ node }) => node !== undefined && !known.has(node));
  if (!wrong) return;
  const where = files.nodes === undefined ? "no file of nodes was given (--nodes FILE)" : `there is no such node in ${files.nodes}`;
  throw new UsageError(`${files.jobs}, job ${wrong.id}, node: it runs on ${wrong.node}, and ${where}`);
}

/** Returns a budget whose time starts at its first use. */
function fromFirstUse(make: () => Budget): Budget {
  let made: Budget | undefined;
  return {
    spend: (steps) => {
      made ??= make();
      return made.spend(steps);
    },
  };
}
