import { type OfferRef, offerName } from "../../model/offer.ts";

/** Fields that are absent match everything. */
export type OfferMatcher = Partial<OfferRef>;

/** What EC2 has left. Takes and gives back in one step, so that two calls at once never share the last instance. */
export type Capacity = {
  /** As many of `wanted` as there are, now taken. */
  take(offer: OfferRef, wanted: number): number;
  room(offer: OfferRef): number;
  /** Counts one that came to be without being asked for here. */
  hold(offer: OfferRef): void;
  giveBack(offer: OfferRef, count: number): void;
  /** The code with which this offer is refused at the moment, though there may be room. */
  refusal(offer: OfferRef): string | undefined;
  /** Sets the limit for offers named `type/zone/market`; `*` stands for any. */
  limit(pattern: string, count: number): void;
  refuse(matcher: OfferMatcher, code: string): () => void;
};

export function createCapacity(limits: Readonly<Record<string, number>>): Capacity {
  const limitBy = new Map(Object.entries(limits));
  const taken = new Map<string, number>();
  const refusals = new Set<{ readonly matcher: OfferMatcher; readonly code: string }>();

  const limitOf = (offer: OfferRef): number => {
    const exact = limitBy.get(offerName(offer));
    if (exact !== undefined) return exact;
    const matching = [...limitBy].filter(([pattern]) => namedBy(pattern, offer)).map(([, count]) => count);
    return Math.min(Number.POSITIVE_INFINITY, ...matching);
  };
  const room = (offer: OfferRef): number => Math.max(0, limitOf(offer) - (taken.get(offerName(offer)) ?? 0));
  const change = (offer: OfferRef, by: number): void => {
    taken.set(offerName(offer), (taken.get(offerName(offer)) ?? 0) + by);
  };

  return {
    room,
    take(offer, wanted) {
      const given = Math.min(wanted, room(offer));
      change(offer, given);
      return given;
    },
    hold: (offer) => change(offer, 1),
    giveBack: (offer, count) => change(offer, -count),
    refusal: (offer) => [...refusals].find((refusal) => matches(refusal.matcher, offer))?.code,
    limit: (pattern, count) => void limitBy.set(pattern, count),
    refuse(matcher, code) {
      const refusal = { matcher, code };
      refusals.add(refusal);
      return () => void refusals.delete(refusal);
    },
  };
}

const matches = (matcher: OfferMatcher, offer: OfferRef): boolean =>
  (matcher.instanceType ?? offer.instanceType) === offer.instanceType &&
  (matcher.zone ?? offer.zone) === offer.zone &&
  (matcher.market ?? offer.market) === offer.market;

function namedBy(pattern: string, offer: OfferRef): boolean {
  const parts = pattern.split("/");
  return [offer.instanceType, offer.zone, offer.market].every((part, i) => parts[i] === "*" || parts[i] === part);
}
