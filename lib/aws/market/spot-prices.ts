import { type _InstanceType, DescribeSpotPriceHistoryCommand, type EC2Client, type SpotPrice } from "@aws-sdk/client-ec2";
import { allPages } from "../pages.ts";
import { batches, maxNames } from "./batches.ts";

/** Returns the hourly price of a type in a zone, in USD, or undefined if no price is known. */
export type SpotPrices = (instanceType: string, zone: string) => number | undefined;

/** Returns the prices at a moment. A price history that starts at that moment begins with the price in force. */
export async function spotPrices(
  ec2: Pick<EC2Client, "send">,
  of: { readonly types: readonly string[]; readonly zones: readonly string[]; readonly atMs: number },
): Promise<SpotPrices> {
  const found: SpotPrice[] = [];
  for (const some of batches(of.types, maxNames)) {
    const items = await allPages(async (NextToken) => {
      const page = await ec2.send(
        new DescribeSpotPriceHistoryCommand({
          InstanceTypes: some.map((type) => type as _InstanceType),
          ProductDescriptions: ["Linux/UNIX"],
          Filters: [{ Name: "availability-zone", Values: [...of.zones] }],
          StartTime: new Date(of.atMs),
          NextToken,
        }),
      );
      return { items: page.SpotPriceHistory, next: page.NextToken };
    });
    found.push(...items);
  }
  const latest = new Map<string, { readonly usd: number; readonly atMs: number }>();
  for (const item of found) {
    const key = `${item.InstanceType}/${item.AvailabilityZone}`;
    const price = priceOf(item);
    const known = latest.get(key);
    if (price && (!known || price.atMs > known.atMs)) latest.set(key, price);
  }
  return (instanceType, zone) => latest.get(`${instanceType}/${zone}`)?.usd;
}

function priceOf(item: SpotPrice): { readonly usd: number; readonly atMs: number } | undefined {
  const usd = Number(item.SpotPrice);
  return item.ProductDescription === "Linux/UNIX" && usd > 0 ? { usd, atMs: item.Timestamp?.getTime() ?? 0 } : undefined;
}
