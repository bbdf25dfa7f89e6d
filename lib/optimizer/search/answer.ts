import type { Learned } from "../../model/plan.ts";
import type { Conditions } from "../../model/wants.ts";
import { type JobClass, type Problem, type Supply, standardTerms } from "../problem/problem.ts";
import { waitWeight } from "../problem/urgency.ts";
import type { Earned } from "./portfolio.ts";

/** Jobs that a node which is there takes. */
export type Binding = { readonly node: string; readonly jobs: readonly string[] };

/** Nodes to be bought: one with these jobs, or as many as a gang has members. */
export type Purchase = { readonly offer: Supply; readonly jobs: readonly string[]; readonly nodes: number };

/** Why a job has no place, each with what it wants and what there is. */
export type Reason =
  | { readonly kind: "model" | "no offers" }
  /** A condition of the job that the offer does not meet. */
  | { readonly kind: Exclude<keyof Conditions, "gpu"> }
  | { readonly kind: "gpu memory" | "gpus"; readonly wanted: number; readonly there: number }
  | { readonly kind: "size" | "limit"; readonly of: string; readonly wanted: number; readonly there: number }
  | { readonly kind: "capacity"; readonly wanted: number; readonly there: number };

/** Jobs alike that have no place. */
export type Waiting = {
  readonly jobs: readonly string[];
  /** All of these, and none less, keep one of them from the offer of `change`. */
  readonly reasons: readonly Reason[];
  /** The offer that it could have with the fewest changes, and of those the cheapest; absent: there is none at all. */
  readonly change?: { readonly offer: string; readonly usdPerHour: number } | undefined;
};

/** Dollars an hour: `fleetUsd` is what is bought (f), all else is what it risks and delays (g). */
export type Cost = {
  readonly fleetUsd: number;
  readonly interruptionsUsd: number;
  readonly dataUsd: number;
  readonly waitingUsd: number;
};

export type Answer = {
  readonly bindings: readonly Binding[];
  readonly purchases: readonly Purchase[];
  readonly waiting: readonly Waiting[];
  readonly cost: Cost;
  /** Nothing that places the same jobs costs less than this, without what waiting costs; dollars an hour. */
  readonly boundUsd: number;
  /** How far the cost may be above what is possible, as a share of the bound; 0 where both are nothing, absent where the bound is. */
  readonly gap?: number | undefined;
  /** Who found it. */
  readonly engine: string;
  /** A budget of so many steps gives the same answer to the same problem and seed, and one of `boundSteps` the same bound. */
  readonly steps: number;
  readonly boundSteps: number;
  readonly earned: Readonly<Record<string, Earned>>;
  readonly learned: Learned;
};

/** What a plan costs an hour, by what it is for. */
export function costOfPlan(
  problem: Problem,
  plan: { bindings: readonly Binding[]; purchases: readonly Purchase[]; waiting: readonly JobClass[] },
): Cost {
  const terms = { ...standardTerms, ...problem.terms };
  const fleetUsd = plan.purchases.reduce((sum, { offer, nodes }) => sum + nodes * offer.usdPerHour, 0);
  const interruptionsUsd = plan.purchases.reduce(
    (sum, { offer, nodes }) => sum + nodes * offer.usdPerHour * (offer.interruptionsPerHour ?? 0) * terms.hoursLostAtInterruption,
    0,
  );
  const waitingUsd = plan.waiting.reduce((sum, job) => sum + job.names.length * terms.waitUsdPerHour * waitWeight(job), 0);
  return { fleetUsd, interruptionsUsd, dataUsd: dataUsd(problem, plan), waitingUsd };
}

function dataUsd(problem: Problem, { bindings, purchases }: { bindings: readonly Binding[]; purchases: readonly Purchase[] }): number {
  const { usdPerGiB, hoursOfUse } = { ...standardTerms, ...problem.terms };
  const reading = problem.jobs.filter((job) => job.data);
  if (usdPerGiB === 0 || reading.length === 0) return 0;
  const dataOf = new Map(reading.flatMap((job) => job.names.map((name) => [name, job.data ?? {}] as const)));
  const warmOn = new Map(problem.nodes.map((node) => [node.name, node.warm ?? []]));
  const giB = (jobs: readonly string[], warm: readonly string[]): number =>
    jobs.reduce(
      (sum, job) => sum + Object.entries(dataOf.get(job) ?? {}).reduce((all, [name, size]) => all + (warm.includes(name) ? 0 : size), 0),
      0,
    );
  const moved =
    bindings.reduce((sum, { node, jobs }) => sum + giB(jobs, warmOn.get(node) ?? []), 0) +
    purchases.reduce((sum, { jobs, nodes }) => sum + nodes * giB(jobs, []), 0);
  return (moved * usdPerGiB) / hoursOfUse;
}
