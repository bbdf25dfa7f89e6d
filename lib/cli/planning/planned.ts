import { alternatives } from "../../decide/placement/optimizer/alternatives.ts";
import type { Answer, Purchase } from "../../decide/placement/optimizer/answer.ts";
import type { JobClass, Problem } from "../../decide/placement/optimizer/problem.ts";

/** A plan with the problem that it answers, and how long it took. */
export type Planned = {
  readonly problem: Problem;
  readonly answer: Answer;
  readonly classOf: ReadonlyMap<string, JobClass>;
  readonly ms: number;
};

/** Other offers told of beside the one that was chosen. */
const mostAlternatives = 3;

export const planned = (problem: Problem, answer: Answer, ms: number): Planned => ({
  problem,
  answer,
  ms,
  classOf: new Map(problem.jobs.flatMap((job) => job.names.map((name): [string, JobClass] => [name, job]))),
});

export const alternativesOf = ({ problem, classOf }: Planned, purchase: Purchase): string[] =>
  alternatives(purchase, problem.offers, classOf)
    .slice(0, mostAlternatives)
    .map(({ name }) => name);

/** g: what the plan risks, moves and delays, in dollars an hour. */
export const performanceUsd = ({ cost }: Answer): number => cost.interruptionsUsd + cost.dataUsd + cost.waitingUsd;

/** The plan for programs. */
export function planJson(plan: Planned): object {
  const { answer, ms } = plan;
  const { fleetUsd, ...performance } = answer.cost;
  return {
    cost: { f: fleetUsd, g: performanceUsd(answer), total: fleetUsd + performanceUsd(answer), ...performance },
    bound: answer.boundUsd,
    gap: answer.gap ?? null,
    engine: answer.engine,
    steps: answer.steps,
    ms: Math.round(ms),
    bindings: answer.bindings,
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
