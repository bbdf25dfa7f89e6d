import type { JobClass, Problem } from "../../optimizer/problem/problem.ts";
import { alternatives } from "../../optimizer/search/alternatives.ts";
import type { Answer, Purchase } from "../../optimizer/search/answer.ts";
import type { Drain } from "../../optimizer/search/drains.ts";

/** A plan with the problem that it answers. */
export type Found = {
  readonly problem: Problem;
  readonly answer: Answer;
  readonly drains: readonly Drain[];
  /** Jobs that run and stay where they are, with their node. */
  readonly staying: ReadonlyMap<string, string>;
};

/** … and how long it took. */
export type Planned = Found & {
  readonly classOf: ReadonlyMap<string, JobClass>;
  readonly ms: number;
};

/** Other offers told of beside the one that was chosen. */
const mostAlternatives = 3;

export const planned = (found: Found, ms: number): Planned => ({
  ...found,
  ms,
  classOf: new Map(found.problem.jobs.flatMap((job) => job.names.map((name): [string, JobClass] => [name, job]))),
});

export const alternativesOf = ({ problem, classOf }: Planned, purchase: Purchase): string[] =>
  alternatives(purchase, problem.offers, classOf)
    .slice(0, mostAlternatives)
    .map(({ name }) => name);

/** g: what the plan risks, moves, stops and delays, in dollars an hour. */
export const performanceUsd = ({ answer: { cost }, drains }: Found): number =>
  cost.interruptionsUsd + cost.dataUsd + cost.waitingUsd + stoppedUsd(drains);
/** What work loses that is stopped to start anew elsewhere, dollars an hour. */
export const stoppedUsd = (drains: readonly Drain[]): number => drains.reduce((sum, { lostUsd }) => sum + lostUsd, 0);
/** What emptied nodes cost no more, dollars an hour. */
export const savedUsd = (drains: readonly Drain[]): number => drains.reduce((sum, { usdPerHour }) => sum + usdPerHour, 0);

/** The plan for programs. */
export function planJson(plan: Planned): object {
  const { answer, drains, ms } = plan;
  const { fleetUsd, ...performance } = answer.cost;
  const [f, g] = [fleetUsd - savedUsd(drains), performanceUsd(plan)];
  return {
    cost: { f, g, total: f + g, ...performance, stoppedUsd: stoppedUsd(drains), savedUsd: savedUsd(drains) },
    bound: answer.boundUsd,
    gap: answer.gap ?? null,
    engine: answer.engine,
    steps: answer.steps,
    ms: Math.round(ms),
    bindings: answer.bindings,
    drains: drains.map(({ node, jobs, usdPerHour }) => ({ node, usdPerHour, jobs })),
    launches: answer.purchases.map((purchase) => ({
      offer: purchase.offer.name,
      usdPerHour: purchase.offer.usdPerHour,
      nodes: purchase.nodes,
      jobs: purchase.jobs,
      alternatives: alternativesOf(plan, purchase),
    })),
    holds: answer.waiting.map(({ jobs, reasons, change }) => ({ jobs, reasons, change: change ?? null })),
  };
}
