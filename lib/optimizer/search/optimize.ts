import type { Learned } from "../../model/plan.ts";
import type { SolveProgram } from "../../model/planning/linear-program.ts";
import { type Budget, Counted } from "../problem/budget.ts";
import type { JobClass, Problem } from "../problem/problem.ts";
import { byUrgency } from "../problem/urgency.ts";
import type { Answer } from "./answer.ts";
import type { EngineName } from "./engines.ts";
import { Placing } from "./placing.ts";

export type Options = {
  readonly budget: Budget;
  /** For the lower bound, which is valid whenever it ends. Absent: none, it is what the search's own prices say. */
  readonly boundBudget?: Budget | undefined;
  readonly seed: number;
  /** Absent: all. None: greedy alone. */
  readonly engines?: readonly EngineName[] | undefined;
  readonly learned?: Learned | undefined;
  /** For problems small enough to be solved to the end, which whoever calls has loaded. Absent: nobody solves them. */
  readonly solve?: SolveProgram | undefined;
};

/**
 * Where all jobs go at least cost: gangs first, then all others on the nodes that are there and on what is bought. As many jobs are placed
 * as the limits allow, those of higher priority first, and of nearer deadlines. The same problem, seed and steps give the same answer.
 */
export function optimize(problem: Problem, options: Options): Answer {
  const budget = new Counted(options.budget);
  const together = new Placing(problem, { ...options, budget });
  together.place(problem.jobs);
  const turns = turnsOf(problem.jobs);
  if (!together.someWait || turns.length < 2) return together.answer();
  // Not all can be placed: those whose turn comes later must not have taken what others wait for.
  const inTurn = new Placing(problem, { ...options, budget });
  for (const turn of turns) inTurn.place(turn);
  return inTurn.answer();
}

/** Those that are equally urgent together, the most urgent first. */
function turnsOf(jobs: readonly JobClass[]): readonly (readonly JobClass[])[] {
  const turns: JobClass[][] = [];
  for (const job of jobs.toSorted(byUrgency)) {
    const [last] = turns.at(-1) ?? [];
    if (last && byUrgency(last, job) === 0) turns.at(-1)?.push(job);
    else turns.push([job]);
  }
  return turns;
}
