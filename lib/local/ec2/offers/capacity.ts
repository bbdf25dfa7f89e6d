import { type OfferRef, offerName } from "../../../model/offer.ts";
import type { CapacitySchedule } from "../behaviour/behaviour.ts";

/** Matches offers by their fields. An undefined field matches everything. */
export type OfferMatcher = Partial<OfferRef>;

/** The capacity that EC2 has left. Each method is one synchronous step, so that two concurrent calls never share the last instance. */
export type EmulatedCapacity = {
  /** Takes up to `wanted` instances and returns how many it took. */
  take(offer: OfferRef, wanted: number): number;
  room(offer: OfferRef): number;
  /** Returns how many more are taken than the limit now allows. */
  excess(offer: OfferRef): number;
  /** Counts an instance that was launched without `take`. */
  hold(offer: OfferRef): void;
  giveBack(offer: OfferRef, count: number): void;
  /** Returns the code with which this offer is refused now, even if there is room. Undefined if it is not refused. */
  refusal(offer: OfferRef): string | undefined;
  /** Sets the limit of the offers `type/zone/market`; `*` matches any. */
  limit(pattern: string, plan: CapacitySchedule): void;
  /** Returns when a plan next changes a limit, or undefined if none will. */
  nextChangeMs(): number | undefined;
  refuse(matcher: OfferMatcher, code: string): () => void;
};

/** `now`: ms since the start of this EC2. */
export function createCapacity(limits: Readonly<Record<string, CapacitySchedule>>, now: () => number = () => 0): EmulatedCapacity {
  const limitBy = new Map(Object.entries(limits));
  const taken = new Map<string, number>();
  const refusals = new Set<{ readonly matcher: OfferMatcher; readonly code: string }>();

  const limitOf = (offer: OfferRef): number => {
    const exact = limitBy.get(offerName(offer));
    if (exact !== undefined) return planned(exact, now());
    const matching = [...limitBy].filter(([pattern]) => namedBy(pattern, offer)).map(([, plan]) => planned(plan, now()));
    return Math.min(Number.POSITIVE_INFINITY, ...matching);
  };
  const excess = (offer: OfferRef): number => (taken.get(offerName(offer)) ?? 0) - limitOf(offer);
  const room = (offer: OfferRef): number => Math.max(0, -excess(offer));
  const change = (offer: OfferRef, by: number): void => {
    taken.set(offerName(offer), (taken.get(offerName(offer)) ?? 0) + by);
  };

  return {
    room,
    excess: (offer) => Math.max(0, excess(offer)),
    nextChangeMs() {
      const ahead = [...limitBy.values()].flatMap((plan) => (typeof plan === "number" ? [] : plan.map(([atMs]) => atMs)));
      const next = Math.min(...ahead.filter((atMs) => atMs > now()));
      return Number.isFinite(next) ? next : undefined;
    },
    take(offer, wanted) {
      const given = Math.min(wanted, room(offer));
      change(offer, given);
      return given;
    },
    hold: (offer) => change(offer, 1),
    giveBack: (offer, count) => change(offer, -count),
    refusal: (offer) => [...refusals].find((refusal) => matches(refusal.matcher, offer))?.code,
    limit: (pattern, plan) => void limitBy.set(pattern, plan),
    refuse(matcher, code) {
      const refusal = { matcher, code };
      refusals.add(refusal);
      return () => void refusals.delete(refusal);
    },
  };
}

/** Returns a plan's limit at a time. Before its first moment, a plan has no limit. */
const planned = (plan: CapacitySchedule, atMs: number): number =>
  typeof plan === "number" ? plan : (plan.findLast(([fromMs]) => fromMs <= atMs)?.[1] ?? Number.POSITIVE_INFINITY);

const matches = (matcher: OfferMatcher, offer: OfferRef): boolean =>
  (matcher.instanceType ?? offer.instanceType) === offer.instanceType &&
  (matcher.zone ?? offer.zone) === offer.zone &&
  (matcher.market ?? offer.market) === offer.market;

function namedBy(pattern: string, offer: OfferRef): boolean {
  const parts = pattern.split("/");
  return [offer.instanceType, offer.zone, offer.market].every((part, i) => parts[i] === "*" || parts[i] === part);
}
