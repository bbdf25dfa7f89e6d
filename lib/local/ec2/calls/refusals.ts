import type { OfferRef } from "../../../model/offer.ts";
import { Ec2Error } from "../../requests/query-protocol.ts";
import type { EmulatedCapacity } from "../offers/capacity.ts";
import type { Offerings } from "../offers/offerings.ts";
import { onDemandPrice } from "../offers/on-demand-prices.ts";
import { spotPrice } from "../offers/spot-prices.ts";
import type { Override, TemplateSpecification } from "./fleet-request.ts";

/** An override of a fleet request. */
export type OverrideChoice = { readonly template: TemplateSpecification; readonly override: Override };
/** The offer that an override means in one market. */
export type OfferChoice = OverrideChoice & { readonly offer: OfferRef };
/** An item of CreateFleet's error set. */
export type FleetErrorItem = OfferChoice & { readonly code: string; readonly message: string };

export type Seller = { readonly offerings: Offerings; readonly capacity: EmulatedCapacity; readonly seed: number };

/** Returns why this offer does not exist, or undefined if it does. Throws if the type does not exist in the region. */
export async function notOffered(seller: Seller, place: OfferChoice, region: string): Promise<FleetErrorItem | undefined> {
  const { instanceType, zone } = place.offer;
  const found = await seller.offerings.check(region, place.offer);
  if (found === "unknown") throw new Ec2Error("InvalidParameterValue", `Invalid value '${instanceType}' for InstanceType.`);
  if (found === "offered") return undefined;
  const message = `Your requested instance type (${instanceType}) is not supported in your requested Availability Zone (${zone}).`;
  return { ...place, code: "InvalidFleetConfiguration", message };
}

/** Returns the price of an offer. Types without a price are sorted last. */
export const price = (seller: Seller, offer: OfferRef, atMs: number): number =>
  (offer.market === "spot" ? spotPrice(seller.seed, { ...offer, atMs }) : onDemandPrice(offer.instanceType)) ?? Number.MAX_SAFE_INTEGER;

/** Returns EC2's message if a spot offer costs more than the request allows, or undefined if it does not. */
export function tooDear(seller: Seller, place: OfferChoice, nowMs: number): string | undefined {
  if (place.offer.market !== "spot" || place.override.MaxPrice === undefined) return undefined;
  const now = price(seller, place.offer, nowMs);
  if (now <= Number(place.override.MaxPrice)) return undefined;
  return `Your Spot request price of ${place.override.MaxPrice} is lower than the minimum required Spot request fulfillment price of ${now}.`;
}

/** Returns why an existing offer had too little capacity. `whole`: the fleet launches nothing below its minimum. */
export function withoutRoom(seller: Seller, place: OfferChoice, { nowMs, whole }: { nowMs: number; whole: boolean }): FleetErrorItem {
  const { instanceType, zone, market } = place.offer;
  const dear = tooDear(seller, place, nowMs);
  if (dear !== undefined) return { ...place, code: "SpotMaxPriceTooLow", message: dear };
  const short = market === "spot" && !whole ? "UnfulfillableCapacity" : "InsufficientInstanceCapacity";
  const code = seller.capacity.refusal(place.offer) ?? short;
  return { ...place, code, message: messages[code]?.(instanceType, zone) ?? `${code} for ${instanceType} in ${zone}` };
}

const messages: Readonly<Record<string, (instanceType: string, zone: string) => string>> = {
  InsufficientInstanceCapacity: (instanceType, zone) =>
    `We currently do not have sufficient ${instanceType} capacity in the Availability Zone you requested (${zone}). Our system will be working on provisioning additional capacity.`,
  UnfulfillableCapacity: () => "Unable to fulfill capacity due to your request configuration. Please adjust your request and try again.",
};
