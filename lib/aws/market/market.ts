import { DescribeInstanceTypeOfferingsCommand, type EC2Client } from "@aws-sdk/client-ec2";
import type { PricingClient } from "@aws-sdk/client-pricing";
import { type Offer, offerName } from "../../model/offer.ts";
import type { PriceSource } from "../../ports/fleet.ts";
import type { ZoneSubnet } from "../ec2/fleet-request.ts";
import { allPages } from "../pages.ts";
import { batches, maxFilterValues } from "./batches.ts";
import { type Architecture, instanceTypes } from "./instance-types.ts";
import type { MarketLog } from "./market-log.ts";
import { onDemandPrices } from "./on-demand-prices.ts";
import { spotPrices } from "./spot-prices.ts";

export type Ec2MarketConfig = {
  readonly ec2: Pick<EC2Client, "send">;
  /** A client for us-east-1, regardless of the pools' region. */
  readonly pricing: Pick<PricingClient, "send">;
  readonly region: string;
  /** Only offers in the zones of these subnets are returned. */
  readonly subnets: readonly ZoneSubnet[];
  /** The architecture of the nodes' image. @default x86_64 */
  readonly architecture?: Architecture | undefined;
  /** Receives a line per type that is ignored because EC2 describes it incompletely, and per price that cannot be read. */
  readonly log?: MarketLog | undefined;
};

/** Reads types and spot prices from EC2, and on-demand prices from AWS's price list. Offers without a known price are left out. */
export function ec2Market(config: Ec2MarketConfig): PriceSource {
  const { ec2, pricing, region, log = () => undefined } = config;
  const prices = onDemandPrices(pricing, { region, log });
  return {
    catalogue: async (pool, nowMs) => {
      const zones = [...new Set(config.subnets.map(({ zone }) => zone))];
      const sold = await instanceTypes(ec2, { families: pool.families, architecture: config.architecture ?? "x86_64", log });
      const types = sold.map(({ type }) => type.name);
      if (types.length === 0) return { types: [], offers: [], refreshedAtMs: nowMs };

      const [offered, spot, onDemand] = await Promise.all([
        offerings(ec2, types, zones),
        pool.markets.includes("spot") ? spotPrices(ec2, { types, zones, atMs: nowMs }) : () => undefined,
        pool.markets.includes("on-demand") ? prices(types, nowMs) : new Map<string, number>(),
      ]);
      const offers = sold.flatMap(({ type: { name: instanceType }, markets }) =>
        zones
          .filter((zone) => offered.has(`${instanceType}/${zone}`))
          .flatMap((zone) =>
            markets.flatMap((market): Offer[] => {
              const usdPerHour = market === "spot" ? spot(instanceType, zone) : onDemand.get(instanceType);
              return usdPerHour === undefined ? [] : [{ instanceType, zone, market, usdPerHour }];
            }),
          ),
      );
      return {
        types: sold.map(({ type }) => type).sort((a, b) => compare(a.name, b.name)),
        offers: offers.sort((a, b) => compare(offerName(a), offerName(b))),
        refreshedAtMs: nowMs,
      };
    },
  };
}

/** Returns which types EC2 offers in which zones, as `TYPE/ZONE`. */
export async function offerings(
  ec2: Pick<EC2Client, "send">,
  types: readonly string[],
  zones: readonly string[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const some of batches(types, maxFilterValues - zones.length)) {
    const items = await allPages(async (NextToken) => {
      const page = await ec2.send(
        new DescribeInstanceTypeOfferingsCommand({
          LocationType: "availability-zone",
          Filters: [
            { Name: "instance-type", Values: some },
            { Name: "location", Values: [...zones] },
          ],
          NextToken,
        }),
      );
      return { items: page.InstanceTypeOfferings, next: page.NextToken };
    });
    for (const item of items) found.add(`${item.InstanceType}/${item.Location}`);
  }
  return found;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
