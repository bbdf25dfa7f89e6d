import type { Learned } from "../../model/plan.ts";
import type { SolveProgram } from "../../model/planning/linear-program.ts";
import { type Budget, Counted } from "../problem/budget.ts";
import type { JobClass, Problem } from "../problem/problem.ts";
import type { Thresholds } from "../problem/thresholds.ts";
import { byUrgency } from "../problem/urgency.ts";
import type { EngineName } from "./engines.ts";
import { Placing } from "./placing.ts";
import type { Solution } from "./solution.ts";

export type Options = {
  readonly budget: Budget;
  /** The budget of the lower bound, which is valid whenever it ends. If undefined, the bound follows from the search's own prices. */
  readonly boundBudget?: Budget | undefined;
  readonly seed: number;
  /** All engines if undefined. If empty, only greedy runs. */
  readonly engines?: readonly EngineName[] | undefined;
  readonly learned?: Learned | undefined;
  /** A solver, loaded by the caller, for problems that are small enough to solve exactly. Undefined if they should not be. */
  readonly solve?: SolveProgram | undefined;
  readonly thresholds?: Thresholds | undefined;
};

/**
 * Places all jobs at the least cost it finds: gangs first, then all others on existing and bought nodes. If the limits do not allow all
 * jobs, those with higher priorities and nearer deadlines are placed first. The same problem, seed and steps give the same result.
 */
export function optimize(problem: Problem, options: Options): Solution {
  const budget = new Counted(options.budget);
  const together = new Placing(problem, { ...options, budget });
  together.place(problem.jobs);
  const turns = turnsOf(problem.jobs);
  if (!together.someWait || turns.length < 2) return together.solution();
  // Not all jobs can be placed, so less urgent jobs must not take places for which more urgent ones wait.
  const inTurn = new Placing(problem, { ...options, budget });
  for (const turn of turns) inTurn.place(turn);
  return inTurn.solution();
}

/** Groups jobs that are equally urgent, the most urgent first. */
function turnsOf(jobs: readonly JobClass[]): readonly (readonly JobClass[])[] {
  const turns: JobClass[][] = [];
  for (const job of jobs.toSorted(byUrgency)) {
    const [last] = turns.at(-1) ?? [];
    if (last && byUrgency(last, job) === 0) turns.at(-1)?.push(job);
    else turns.push([job]);
  }
  return turns;
}
