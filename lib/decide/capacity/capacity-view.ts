import { type InstanceType, type Offer, offerName, regionOf } from "../../model/offer.ts";
import { type Refusal, subjectName } from "../../model/refusal.ts";
import { type OfferStatus, statusOf } from "./cooldown.ts";
import { quotaOf } from "./quotas.ts";

/** A request for `count` nodes of one offer at once. */
export type CapacityRequest = { readonly offer: Offer; readonly type: InstanceType; readonly count: number };

/** What is known at one moment about the chances of a request to EC2. */
export type CapacityView = {
  /** Returns `cooling-down` if any refusal against the request still is. */
  status(request: CapacityRequest): OfferStatus;
  /** Returns all refusals against the request, including those whose cooldown is over. */
  against(request: CapacityRequest): readonly Refusal[];
};

/** Returns the capacity view. A refusal of more than is requested does not count against the request. */
export function capacityView(refusals: readonly Refusal[], nowMs: number): CapacityView {
  const statuses = new Map(refusals.map((refusal) => [refusal, statusOf(refusal, nowMs)]));
  const known = new Map(refusals.filter((each) => statuses.get(each) !== "free").map((each) => [keyOf(each), each]));
  // Fast path, because every launch checks every offer, and usually nothing is refused.
  const against = ({ offer, type, count }: CapacityRequest): readonly Refusal[] => {
    if (known.size === 0) return [];
    const nodes = [known.get(`capacity ${offerName(offer)}`), known.get(`fault ${offerName(offer)}`)];
    const limit = known.get(limitName(offer));
    const applicable = nodes.filter((each) => each !== undefined && each.least <= count);
    if (limit && limit.least <= vcpusOf(type, count)) applicable.push(limit);
    return applicable.filter((each) => each !== undefined);
  };
  return {
    against,
    status(request) {
      const all = against(request).map((refusal) => statuses.get(refusal) ?? "free");
      return all.includes("cooling-down") ? "cooling-down" : all.includes("half-open") ? "half-open" : "free";
    },
  };
}

/** Returns the vCPUs that count towards the account's quota. */
export const vcpusOf = (type: InstanceType, count: number): number => Math.ceil(type.resources.vcpus) * count;

const limitName = ({ instanceType, zone, market }: Offer): string =>
  subjectName({ why: "limit", region: regionOf(zone), market, quota: quotaOf(instanceType, market) });
const keyOf = (refusal: Refusal): string => (refusal.why === "limit" ? subjectName(refusal) : `${refusal.why} ${offerName(refusal)}`);
