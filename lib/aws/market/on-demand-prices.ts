import { GetProductsCommand, type PricingClient } from "@aws-sdk/client-pricing";
import * as z from "zod";
import { allPages } from "../pages.ts";
import type { MarketLog } from "./market-log.ts";

/** The parts of a product in AWS's price list that its hourly price needs. */
const Product = z.object({
  product: z.object({ attributes: z.object({ instanceType: z.string() }) }),
  // A product that is sold only as reserved, or not yet sold, has no on-demand terms or no terms at all.
  terms: z
    .object({
      OnDemand: z
        .record(
          z.string(),
          z.object({
            priceDimensions: z.record(z.string(), z.object({ unit: z.string(), pricePerUnit: z.object({ USD: z.string().optional() }) })),
          }),
        )
        .optional(),
    })
    .default({}),
});

/** Number of concurrent calls of a process, which is small because the price list allows an account only a few calls per second. */
const side = 4;
/** How long a price is not looked up again, ms. AWS changes few of them, a few times a year. */
const freshMs = 3_600_000;

/** Returns hourly on-demand prices by type in a region, in USD: Linux without software, shared tenancy. Unknown prices are left out. */
export type OnDemandPrices = (types: readonly string[], nowMs: number) => Promise<ReadonlyMap<string, number>>;

/**
 * Returns prices that all pools share: each type is looked up once an hour, however many pools it is in, and all look-ups take turns. A
 * look-up that failed is repeated by the next call.
 */
export function onDemandPrices(
  pricing: Pick<PricingClient, "send">,
  of: { readonly region: string; readonly log: MarketLog },
): OnDemandPrices {
  const known = new Map<string, { readonly atMs: number; readonly price: Promise<number | undefined> }>();
  const lanes: Promise<unknown>[] = Array.from({ length: side }, async () => undefined);
  let looked = 0;
  const inTurn = (type: string): Promise<number | undefined> => {
    const lane = looked++ % side;
    const price = (lanes[lane] ?? Promise.resolve()).then(() => priceOf(pricing, type, of));
    lanes[lane] = price.catch(() => undefined);
    return price;
  };
  const look = (type: string, nowMs: number): Promise<number | undefined> => {
    const before = known.get(type);
    if (before && Math.abs(nowMs - before.atMs) < freshMs) return before.price;
    const price = inTurn(type);
    known.set(type, { atMs: nowMs, price });
    price.catch(() => known.delete(type));
    return price;
  };
  return async (types, nowMs) => {
    const prices = await Promise.all(types.map(async (type) => [type, await look(type, nowMs)] as const));
    return new Map(prices.flatMap(([type, price]) => (price === undefined ? [] : [[type, price] as const])));
  };
}

async function priceOf(
  pricing: Pick<PricingClient, "send">,
  instanceType: string,
  { region, log }: { readonly region: string; readonly log: MarketLog },
): Promise<number | undefined> {
  const wanted = {
    instanceType,
    regionCode: region,
    operatingSystem: "Linux",
    tenancy: "Shared",
    preInstalledSw: "NA",
    capacitystatus: "Used",
  };
  const Filters = Object.entries(wanted).map(([Field, Value]) => ({ Type: "TERM_MATCH" as const, Field, Value }));
  const products = await allPages(async (NextToken) => {
    const page = await pricing.send(new GetProductsCommand({ ServiceCode: "AmazonEC2", Filters, NextToken }));
    return { items: page.PriceList, next: page.NextToken };
  });
  const hourly = products.flatMap((text) => {
    const product = productOf(String(text));
    if (product) return hourlyPrices(product, instanceType);
    // A malformed product affects at most the price of its own type.
    const [because, received] = ["it cannot be read", String(text).slice(0, 500)];
    log({ level: "info", message: "product of the price list ignored", instanceType, because, received });
    return [];
  });
  // These filters match one product. If there are more, the highest price counts, because reservations must not be below the cost.
  return hourly.length > 0 ? Math.max(...hourly) : undefined;
}

function productOf(text: string): z.infer<typeof Product> | undefined {
  try {
    return Product.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const hourlyPrices = (item: z.infer<typeof Product>, instanceType: string): number[] =>
  item.product.attributes.instanceType !== instanceType
    ? []
    : Object.values(item.terms.OnDemand ?? {})
        .flatMap((term) => Object.values(term.priceDimensions))
        .filter(({ unit, pricePerUnit }) => unit === "Hrs" && Number(pricePerUnit.USD) > 0)
        .map(({ pricePerUnit }) => Number(pricePerUnit.USD));
