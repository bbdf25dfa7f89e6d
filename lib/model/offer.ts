import type { Resources } from "./values/resources.ts";

export type Market = "spot" | "on-demand";

/** The shape of an EC2 instance type. `resources` are what jobs can use of it: see `usable`. */
export type InstanceType = {
  readonly name: string;
  readonly resources: Resources;
  /** The model and memory of each GPU; undefined if the type has no GPU. */
  readonly gpu?: { readonly model: string; readonly memoryGiB: number } | undefined;
};

/** Something that can be bought: an instance type in a zone and a market. The zone also says in which region: see `regionOf`. */
export type OfferRef = { readonly instanceType: string; readonly zone: string; readonly market: Market };
/** With the price of one instance. */
export type Offer = OfferRef & { readonly usdPerHour: number };

/** Everything that a pool can buy, as of `refreshedAtMs`. */
export type Catalogue = {
  readonly types: readonly InstanceType[];
  readonly offers: readonly Offer[];
  readonly refreshedAtMs: number;
};

export const offerName = (offer: OfferRef): string => `${offer.instanceType}/${offer.zone}/${offer.market}`;

/**
 * Returns the region of a zone. The names of all zones begin with that of their region: us-east-1a, us-west-2-lax-1a, us-east-1-wl1-bos-wlz-1.
 * A name that does not, as in the tables of `fleet plan`, is a region of its own.
 */
export const regionOf = (zone: string): string => /^[a-z]+(?:-[a-z]+)+-\d+(?=[a-z]$|-)/.exec(zone)?.[0] ?? zone;

/**
 * Returns what jobs can use of an instance with these raw resources: 0.2 vCPU and 8 % of the memory are reserved for the host
 * (operating system, worker, uploads). Jobs can use all GPUs.
 */
export const usable = (raw: Resources): Resources => ({
  vcpus: Math.max(0, raw.vcpus - 0.2),
  memoryGiB: raw.memoryGiB * 0.92,
  gpus: raw.gpus,
});
