import type { OfferRef } from "../../../model/offer.ts";

/** An override of a fleet request, with its offer's state at this moment. */
export type Candidate<T> = {
  readonly of: T;
  readonly offer: OfferRef;
  readonly usdPerHour: number;
  /** Lower values are tried first, if the strategy uses priorities. */
  readonly priority: number;
  /** How much of the target one instance fills. */
  readonly weight: number;
  /** How many instances are available; 0 if the offer is refused. */
  readonly room: number;
};

export type Allocation<T> = { readonly candidate: Candidate<T>; readonly count: number };

export type AllocationRule = {
  readonly target: number;
  readonly prioritized: boolean;
  readonly singleInstanceType: boolean;
  readonly singleAvailabilityZone: boolean;
  /** Below this capacity, nothing is launched. */
  readonly minimum: number;
};

/**
 * Fills the target from the cheapest candidates that have room. `short` are the candidates that were tried and had too little. If
 * the rule requires a single type or zone, the group that fills most of the target is used, and the cheapest one of equal groups.
 */
export function allocate<T>(
  candidates: readonly Candidate<T>[],
  rule: AllocationRule,
): { readonly allocations: readonly Allocation<T>[]; readonly short: readonly Candidate<T>[] } {
  const order = candidates.toSorted(
    (a, b) => (rule.prioritized ? a.priority - b.priority : 0) || a.usdPerHour / a.weight - b.usdPerHour / b.weight || byName(a, b),
  );
  const groups = Map.groupBy(order, (candidate) =>
    JSON.stringify([rule.singleInstanceType && candidate.offer.instanceType, rule.singleAvailabilityZone && candidate.offer.zone]),
  );
  const filled = [...groups.values()].map((group) => fill(group, rule.target));
  // Groups are in the order of their cheapest member, and the sort is stable.
  const [best] = filled.toSorted((a, b) => Math.min(b.worth, rule.target) - Math.min(a.worth, rule.target));
  if (best === undefined) return { allocations: [], short: [] };
  if (best.worth === 0 || best.worth < rule.minimum) return { allocations: [], short: order };
  return best;
}

function fill<T>(group: readonly Candidate<T>[], target: number) {
  const allocations: Allocation<T>[] = [];
  const short: Candidate<T>[] = [];
  let worth = 0;
  for (const candidate of group) {
    if (worth >= target) break;
    const wanted = Math.ceil((target - worth) / candidate.weight);
    const count = Math.min(wanted, candidate.room);
    if (count > 0) allocations.push({ candidate, count });
    if (count < wanted) short.push(candidate);
    worth += count * candidate.weight;
  }
  return { allocations, short, worth };
}

const byName = (a: Candidate<unknown>, b: Candidate<unknown>): number =>
  `${a.offer.instanceType}/${a.offer.zone}` < `${b.offer.instanceType}/${b.offer.zone}` ? -1 : 1;
