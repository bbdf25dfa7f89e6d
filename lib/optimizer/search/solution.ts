import type { Learned } from "../../model/plan.ts";
import type { Conditions } from "../../model/wants.ts";
import { type JobClass, type Problem, type Supply, standardTerms } from "../problem/problem.ts";
import { waitWeight } from "../problem/urgency.ts";
import type { Earned } from "./portfolio.ts";

/** Jobs that an existing node takes. */
export type Binding = { readonly node: string; readonly jobs: readonly string[] };

/** Nodes to buy: one for these jobs, or as many as a gang has members. */
export type Purchase = { readonly offer: Supply; readonly jobs: readonly string[]; readonly nodes: number };

/** A reason why a job has no place, with what it wants and what there is. */
export type Reason =
  | { readonly kind: "model" | "no offers" }
  /** A condition of the job that the offer does not meet. */
  | { readonly kind: Exclude<keyof Conditions, "gpu"> }
  | { readonly kind: "gpu memory" | "gpus"; readonly wanted: number; readonly there: number }
  | { readonly kind: "size" | "limit"; readonly of: string; readonly wanted: number; readonly there: number }
  | { readonly kind: "capacity"; readonly wanted: number; readonly there: number };

/** Jobs with the same needs that have no place. */
export type Waiting = {
  readonly jobs: readonly string[];
  /** All the reasons that keep one of these jobs from the offer in `change`. All of them must change. */
  readonly reasons: readonly Reason[];
  /** The offer that such a job could have with the fewest changes, and of those the cheapest; undefined if there is no offer at all. */
  readonly change?: { readonly offer: string; readonly usdPerHour: number } | undefined;
};

/** The cost of a plan in dollars per hour: `fleetUsd` is what it buys (f), the rest is what it risks and delays (g). */
export type Cost = {
  readonly fleetUsd: number;
  readonly interruptionsUsd: number;
  readonly dataUsd: number;
  readonly waitingUsd: number;
};

export type Solution = {
  readonly bindings: readonly Binding[];
  readonly purchases: readonly Purchase[];
  readonly waiting: readonly Waiting[];
  readonly cost: Cost;
  /** A lower bound on the cost of every plan that places the same jobs, in dollars per hour, without the cost of waiting. */
  readonly boundUsd: number;
  /** How far the cost is above the bound at most, as a share of the bound; 0 if both are 0, undefined if only the bound is 0. */
  readonly gap?: number | undefined;
  /** The name of the engine that found it. */
  readonly engine: string;
  /** With the same problem and seed, a budget of this many steps gives the same plan, and one of `boundSteps` the same bound. */
  readonly steps: number;
  readonly boundSteps: number;
  readonly earned: Readonly<Record<string, Earned>>;
  readonly learned: Learned;
};

/** Returns the cost of a plan per hour, by purpose. */
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
