import type { JobClass, Problem } from "../../optimizer/problem/problem.ts";
import { alternatives } from "../../optimizer/search/alternatives.ts";
import type { DrainCandidate } from "../../optimizer/search/drains.ts";
import type { Purchase, Solution } from "../../optimizer/search/solution.ts";

/** A plan with the problem that it solves. */
export type PlannedFleet = {
  readonly problem: Problem;
  readonly solution: Solution;
  readonly drains: readonly DrainCandidate[];
  /** Running jobs that stay where they are, with their node. */
  readonly staying: ReadonlyMap<string, string>;
};

/** A plan with how long it took to find. */
export type Planned = PlannedFleet & {
  readonly classOf: ReadonlyMap<string, JobClass>;
  readonly ms: number;
};

/** The most alternatives that are listed per chosen offer. */
const maxAlternatives = 3;

export const planned = (found: PlannedFleet, ms: number): Planned => ({
  ...found,
  ms,
  classOf: new Map(found.problem.jobs.flatMap((job) => job.names.map((name): [string, JobClass] => [name, job]))),
});

export const alternativesOf = ({ problem, classOf }: Planned, purchase: Purchase): string[] =>
  alternatives(purchase, problem.offers, classOf)
    .slice(0, maxAlternatives)
    .map(({ name }) => name);

/** Returns g: the cost of interruptions, data transfers, restarts and waiting, in dollars per hour. */
export const performanceUsd = ({ solution: { cost }, drains }: PlannedFleet): number =>
  cost.interruptionsUsd + cost.dataUsd + cost.waitingUsd + stoppedUsd(drains);
/** Returns what jobs lose that restart elsewhere, in dollars per hour. */
export const stoppedUsd = (drains: readonly DrainCandidate[]): number => drains.reduce((sum, { lostUsd }) => sum + lostUsd, 0);
/** Returns the cost that emptied nodes save, in dollars per hour. */
export const savedUsd = (drains: readonly DrainCandidate[]): number => drains.reduce((sum, { usdPerHour }) => sum + usdPerHour, 0);

/** Returns the plan as JSON, for programs. */
export function planJson(plan: Planned): object {
  const { solution, drains, ms } = plan;
  const { fleetUsd, ...performance } = solution.cost;
  const [f, g] = [fleetUsd - savedUsd(drains), performanceUsd(plan)];
  return {
    cost: { f, g, total: f + g, ...performance, stoppedUsd: stoppedUsd(drains), savedUsd: savedUsd(drains) },
    bound: solution.boundUsd,
    gap: solution.gap ?? null,
    engine: solution.engine,
    steps: solution.steps,
    ms: Math.round(ms),
    bindings: solution.bindings,
    drains: drains.map(({ node, jobs, usdPerHour }) => ({ node, usdPerHour, jobs })),
    launches: solution.purchases.map((purchase) => ({
      offer: purchase.offer.name,
      usdPerHour: purchase.offer.usdPerHour,
      nodes: purchase.nodes,
      jobs: purchase.jobs,
      alternatives: alternativesOf(plan, purchase),
    })),
    holds: solution.waiting.map(({ jobs, reasons, change }) => ({ jobs, reasons, change: change ?? null })),
  };
}
