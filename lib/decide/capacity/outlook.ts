import { type InstanceType, type Offer, offerName } from "../../model/offer.ts";
import type { Refusal } from "../../model/refusal.ts";
import { quotaOf } from "./quotas.ts";
import { type Standing, standing } from "./rest.ts";

/** So many nodes of one offer at once. */
export type Asked = { readonly offer: Offer; readonly type: InstanceType; readonly count: number };

/** What one moment's memory says of asking EC2 for something. */
export type Outlook = {
  /** `rests` as long as anything about it does. */
  standing(asked: Asked): Standing;
  /** All that was refused and stands against it, be it over its rest. */
  against(asked: Asked): readonly Refusal[];
};

/** A refusal of more than is asked for stands against nothing. */
export function outlook(refusals: readonly Refusal[], nowMs: number): Outlook {
  const standings = new Map(refusals.map((refusal) => [refusal, standing(refusal, nowMs)]));
  const known = new Map(refusals.filter((each) => standings.get(each) !== "free").map((each) => [keyOf(each), each]));
  // Every launch asks about every offer, and most offers have nothing against them.
  const against = ({ offer, type, count }: Asked): readonly Refusal[] => {
    if (known.size === 0) return [];
    const nodes = [known.get(`capacity ${offerName(offer)}`), known.get(`fault ${offerName(offer)}`)];
    const limit = known.get(`limit ${offer.market} ${quotaOf(offer.instanceType, offer.market)}`);
    const standing = nodes.filter((each) => each !== undefined && each.least <= count);
    if (limit && limit.least <= vcpusOf(type, count)) standing.push(limit);
    return standing.filter((each) => each !== undefined);
  };
  return {
    against,
    standing(asked) {
      const all = against(asked).map((refusal) => standings.get(refusal) ?? "free");
      return all.includes("rests") ? "rests" : all.includes("probe") ? "probe" : "free";
    },
  };
}

/** What a limit is held against. */
export const vcpusOf = (type: InstanceType, count: number): number => Math.ceil(type.resources.vcpus) * count;

const keyOf = (refusal: Refusal): string => {
  if (refusal.why === "limit") return `limit ${refusal.market} ${refusal.quota}`;
  return `${refusal.why} ${offerName(refusal)}`;
};
