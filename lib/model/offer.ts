import type { Resources } from "./values/resources.ts";

export type Market = "spot" | "on-demand";

/** The shape of an EC2 instance type. `resources` are what jobs can have of it: see `usable`. */
export type InstanceType = {
  readonly name: string;
  readonly resources: Resources;
  /** Absent where there is no GPU. */
  readonly gpu?: { readonly model: string; readonly memoryGiB: number } | undefined;
};

/** Where capacity can be had, and for how much. */
export type OfferRef = { readonly instanceType: string; readonly zone: string; readonly market: Market };
export type Offer = OfferRef & { readonly usdPerHour: number };

/** All that a pool can buy, as of one moment. */
export type Catalogue = {
  readonly types: readonly InstanceType[];
  readonly offers: readonly Offer[];
  readonly refreshedAtMs: number;
};

export const offerName = (offer: OfferRef): string => `${offer.instanceType}/${offer.zone}/${offer.market}`;

/**
 * What jobs can have of an instance with these raw resources: 0.2 vCPU and 8 % of the memory stay with the host
 * (operating system, worker, uploads). GPUs are all for jobs.
 */
export const usable = (raw: Resources): Resources => ({
  vcpus: Math.max(0, raw.vcpus - 0.2),
  memoryGiB: raw.memoryGiB * 0.92,
  gpus: raw.gpus,
});
