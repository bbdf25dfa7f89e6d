import * as z from "zod";
import type { HttpResponse } from "../../requests/http.ts";
import { Ec2Error, treeOf, xmlResponse } from "../../requests/query-protocol.ts";
import { fraction } from "../behaviour/seeded.ts";
import type { Moto } from "../moto/moto.ts";
import type { Offerings } from "./offerings.ts";
import { onDemandPrice } from "./on-demand-prices.ts";

/** Prices change at multiples of this, ms since the epoch. Real prices also change a few times per day. */
const slotMs = 8 * 3_600_000;
const historySlots = (90 * 86_400_000) / slotMs;
const slotOf = (atMs: number): number => Math.floor(atMs / slotMs);

/**
 * Returns the spot price, USD per hour: 25 to 45 % of the on-demand price by type and zone, changed by up to 4 % per slot.
 * Returns undefined for a type without an on-demand price.
 */
export function spotPrice(seed: number, offer: { instanceType: string; zone: string; atMs: number }): number | undefined {
  const onDemand = onDemandPrice(offer.instanceType);
  if (onDemand === undefined) return undefined;
  const place = `${offer.instanceType}/${offer.zone}`;
  const share = 0.26 + 0.18 * fraction(seed, place);
  const drift = 1 + 0.04 * (2 * fraction(seed, `${place}/${slotOf(offer.atMs)}`) - 1);
  return Number((onDemand * share * drift).toFixed(4));
}

const Texts = z.array(z.string()).default([]);
const Request = z.object({
  InstanceType: Texts,
  ProductDescription: Texts,
  AvailabilityZone: z.string().optional(),
  StartTime: z.iso.datetime({ offset: true }).optional(),
  EndTime: z.iso.datetime({ offset: true }).optional(),
  MaxResults: z.coerce.number().int().min(0).default(1000),
  NextToken: z
    .string()
    .regex(/^[0-9]+$/)
    .optional(),
  Filter: z.array(z.object({ Name: z.string(), Value: Texts })).default([]),
});

const knownFilters = ["availability-zone", "instance-type", "product-description"];

/** Handles DescribeSpotPriceHistory: returns, newest first, the changes in the requested time and the price at its start. */
export async function describeSpotPriceHistory(
  from: { moto: Moto; offerings: Offerings; seed: number },
  form: URLSearchParams,
  call: { region: string; nowMs: number },
): Promise<HttpResponse> {
  const parsed = Request.safeParse(treeOf(form));
  if (!parsed.success) throw new Ec2Error("InvalidParameterValue", z.prettifyError(parsed.error));
  const request = parsed.data;
  const unknown = request.Filter.find((filter) => !knownFilters.includes(filter.Name));
  if (unknown) throw new Ec2Error("InvalidParameterValue", `The filter '${unknown.Name}' is invalid`);

  const only = (name: string, given: readonly string[]): readonly (readonly string[])[] =>
    [given, ...request.Filter.filter((filter) => filter.Name === name).map((filter) => filter.Value)].filter((list) => list.length > 0);
  const allows = (lists: readonly (readonly string[])[], value: string): boolean =>
    lists.every((list) => list.some((pattern) => like(pattern, value)));

  const products = only("product-description", request.ProductDescription);
  const types = only("instance-type", request.InstanceType);
  const zones = only("availability-zone", request.AvailabilityZone === undefined ? [] : [request.AvailabilityZone]);
  const places = allows(products, "Linux/UNIX")
    ? (await from.offerings.pricedPlaces(call.region)).filter((place) => allows(types, place.instanceType) && allows(zones, place.zone))
    : [];

  const newest = slotOf(Math.min(call.nowMs, request.EndTime ? Date.parse(request.EndTime) : call.nowMs));
  const requested = slotOf(request.StartTime ? Math.min(Date.parse(request.StartTime), call.nowMs) : 0);
  const oldest = Math.max(requested, slotOf(call.nowMs) - historySlots);
  const total = Math.max(0, newest - oldest + 1) * places.length;
  const begin = Math.min(total, Number(request.NextToken ?? 0));
  const end = Math.min(total, begin + Math.min(1000, request.MaxResults || 1000));

  const history = Array.from({ length: end - begin }, (_, n) => begin + n).flatMap((at) => {
    const place = places[at % places.length];
    const atMs = (newest - Math.floor(at / places.length)) * slotMs;
    const usdPerHour = place && spotPrice(from.seed, { ...place, atMs });
    if (usdPerHour === undefined) return [];
    return {
      instanceType: place?.instanceType,
      productDescription: "Linux/UNIX",
      spotPrice: usdPerHour.toFixed(6),
      timestamp: new Date(atMs).toISOString(),
      availabilityZone: place?.zone,
    };
  });
  return xmlResponse("DescribeSpotPriceHistory", { spotPriceHistorySet: history, nextToken: end < total ? String(end) : "" });
}

/** Matches EC2's wildcards: `*` matches any text, `?` any single character. */
export const like = (pattern: string, value: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
    "s",
  ).test(value);
