import { stepBudget } from "../problem/budget.ts";
import { type FreeNode, type JobClass, type Problem, standardTerms } from "../problem/problem.ts";
import type { Answer, Cost } from "./answer.ts";
import { type Options, optimize } from "./optimize.ts";

/** A node that is emptied: what it held has its place in the answer like any job. */
export type Drain = {
  readonly node: string;
  readonly jobs: readonly string[];
  /** What it costs no more, dollars an hour. */
  readonly usdPerHour: number;
  /** What starting its work anew loses, spread over the hours of use; dollars an hour. */
  readonly lostUsd: number;
};

export type Consolidated = {
  readonly answer: Answer;
  readonly drains: readonly Drain[];
  /** What the answer is to: without the emptied nodes, and with what they held. */
  readonly problem: Problem;
};

/** Work of one try, and how many nodes are tried: those that cost most. */
const [stepsOfTry, mostTries] = [20_000, 40];

/**
 * The optimizer's answer, and nodes to be emptied for it: each whose price is more than what its work costs elsewhere, on nodes that are
 * there or on what is bought, with what it loses by starting anew. Nobody waits for it who would not wait without. One node after
 * the other, the dearest first, so that what is emptied moves onto what stays.
 */
export function consolidate(problem: Problem, options: Options): Consolidated {
  const candidates = problem.nodes
    .filter((node) => (node.usdPerHour ?? 0) > 0 && heldBy(node).length > 0)
    .toSorted((a, b) => (b.usdPerHour ?? 0) - (a.usdPerHour ?? 0) || (a.name < b.name ? -1 : 1))
    .slice(0, mostTries);
  const tried = (of: Problem): Answer =>
    optimize(of, { ...options, budget: stepBudget(stepsOfTry), boundBudget: undefined, solve: undefined });
  let now = problem;
  let best = candidates.length > 0 ? tried(now) : undefined;
  const drains: Drain[] = [];
  for (const node of candidates) {
    if (!best) break;
    const without = emptied(now, node);
    const answer = tried(without);
    const drain = drainOf(node, problem);
    const dearerUsd = total(answer.cost) - total(best.cost);
    if (isTakenIn(answer, [...drains, drain], waiting(best)) && drain.usdPerHour - drain.lostUsd > dearerUsd + 1e-9) {
      drains.push(drain);
      [now, best] = [without, answer];
    }
  }
  const answer = optimize(now, options);
  // What was found with fewer steps stands, should more of them, or less time, have led elsewhere.
  const isNoWorse = !best || (isTakenIn(answer, drains, waiting(best)) && total(answer.cost) <= total(best.cost) + 1e-9);
  return { answer: isNoWorse || !best ? answer : best, drains, problem: now };
}

/** Whether all that was stopped has a place again, and no more wait than did. */
function isTakenIn(answer: Answer, drains: readonly Drain[], waited: number): boolean {
  const waits = new Set(answer.waiting.flatMap(({ jobs }) => jobs));
  return waits.size <= waited && !drains.some(({ jobs }) => jobs.some((job) => waits.has(job)));
}

const heldBy = (node: FreeNode): readonly JobClass[] => node.holds ?? [];
const total = ({ fleetUsd, interruptionsUsd, dataUsd, waitingUsd }: Cost): number => fleetUsd + interruptionsUsd + dataUsd + waitingUsd;
const waiting = (answer: Answer): number => answer.waiting.reduce((sum, { jobs }) => sum + jobs.length, 0);

const emptied = (problem: Problem, node: FreeNode): Problem => ({
  ...problem,
  nodes: problem.nodes.filter(({ name }) => name !== node.name),
  jobs: [...problem.jobs, ...heldBy(node)],
});

function drainOf(node: FreeNode, { terms }: Problem): Drain {
  const { hoursLostAtInterruption, hoursOfUse } = { ...standardTerms, ...terms };
  const { name, usdPerHour = 0 } = node;
  const jobs = heldBy(node)
    .flatMap(({ names }) => names)
    .toSorted();
  return { node: name, jobs, usdPerHour, lostUsd: (usdPerHour * hoursLostAtInterruption) / hoursOfUse };
}
