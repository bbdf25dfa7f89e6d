import { stepBudget } from "../problem/budget.ts";
import { type FreeNode, type JobClass, type Problem, standardTerms } from "../problem/problem.ts";
import { type Options, optimize } from "./optimize.ts";
import type { Cost, Solution } from "./solution.ts";

/** A node to empty. The plan places its jobs like any others. */
export type DrainCandidate = {
  readonly node: string;
  readonly jobs: readonly string[];
  /** The price of the node, which is saved, in dollars per hour. */
  readonly usdPerHour: number;
  /** The loss from starting its jobs again, spread over the hours of use, in dollars per hour. */
  readonly lostUsd: number;
};

export type Consolidated = {
  readonly solution: Solution;
  readonly drains: readonly DrainCandidate[];
  /** The problem that `solution` solves: without the emptied nodes, and with the jobs that they held. */
  readonly problem: Problem;
};

/** The steps per try, and the number of nodes that are tried, the most expensive first. */
const [stepsOfTry, maxTries] = [20_000, 40];

/**
 * Returns the optimizer's plan together with the nodes to empty for it. A node is emptied if its price is more than its jobs cost on other
 * nodes, existing or bought, including what they lose because they start again. No job may wait because of it. Nodes are tried one after
 * the other, the most expensive first, so that jobs move to nodes that stay.
 */
export function consolidate(problem: Problem, options: Options): Consolidated {
  const candidates = problem.nodes
    .filter((node) => (node.usdPerHour ?? 0) > 0 && heldBy(node).length > 0)
    .toSorted((a, b) => (b.usdPerHour ?? 0) - (a.usdPerHour ?? 0) || (a.name < b.name ? -1 : 1))
    .slice(0, maxTries);
  const tried = (of: Problem): Solution =>
    optimize(of, { ...options, budget: stepBudget(stepsOfTry), boundBudget: undefined, solve: undefined });
  let now = problem;
  let best = candidates.length > 0 ? tried(now) : undefined;
  const drains: DrainCandidate[] = [];
  for (const node of candidates) {
    if (!best) break;
    const without = emptied(now, node);
    const trial = tried(without);
    const drain = drainOf(node, problem);
    const dearerUsd = total(trial.cost) - total(best.cost);
    if (isTakenIn(trial, [...drains, drain], waiting(best)) && drain.usdPerHour - drain.lostUsd > dearerUsd + 1e-9) {
      drains.push(drain);
      [now, best] = [without, trial];
    }
  }
  const solution = optimize(now, options);
  // The final run may have more steps than a try, or less time. If it finds a worse plan, the plan of the tries is kept.
  const isNoWorse = !best || (isTakenIn(solution, drains, waiting(best)) && total(solution.cost) <= total(best.cost) + 1e-9);
  return { solution: isNoWorse || !best ? solution : best, drains, problem: now };
}

/** Reports whether all jobs of the emptied nodes have a place again, and no more jobs wait than before. */
function isTakenIn(solution: Solution, drains: readonly DrainCandidate[], waited: number): boolean {
  const waits = new Set(solution.waiting.flatMap(({ jobs }) => jobs));
  return waits.size <= waited && !drains.some(({ jobs }) => jobs.some((job) => waits.has(job)));
}

const heldBy = (node: FreeNode): readonly JobClass[] => node.holds ?? [];
const total = ({ fleetUsd, interruptionsUsd, dataUsd, waitingUsd }: Cost): number => fleetUsd + interruptionsUsd + dataUsd + waitingUsd;
const waiting = (solution: Solution): number => solution.waiting.reduce((sum, { jobs }) => sum + jobs.length, 0);

const emptied = (problem: Problem, node: FreeNode): Problem => ({
  ...problem,
  nodes: problem.nodes.filter(({ name }) => name !== node.name),
  jobs: [...problem.jobs, ...heldBy(node)],
});

function drainOf(node: FreeNode, { terms }: Problem): DrainCandidate {
  const { hoursLostAtInterruption, hoursOfUse } = { ...standardTerms, ...terms };
  const { name, usdPerHour = 0 } = node;
  const jobs = heldBy(node)
    .flatMap(({ names }) => names)
    .toSorted();
  return { node: name, jobs, usdPerHour, lostUsd: (usdPerHour * hoursLostAtInterruption) / hoursOfUse };
}
