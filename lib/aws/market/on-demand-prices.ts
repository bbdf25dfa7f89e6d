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

/** Number of concurrent calls, which is small because the price list allows only a few calls per second. */
const side = 4;

/** Returns hourly on-demand prices by type in a region, in USD: Linux without software, shared tenancy. Unknown prices are left out. */
export async function onDemandPrices(
  pricing: Pick<PricingClient, "send">,
  of: { readonly types: readonly string[]; readonly region: string; readonly log: MarketLog },
): Promise<ReadonlyMap<string, number>> {
  const prices = new Map<string, number>();
  for (let from = 0; from < of.types.length; from += side) {
    await Promise.all(
      of.types.slice(from, from + side).map(async (type) => {
        const price = await priceOf(pricing, type, of);
        if (price !== undefined) prices.set(type, price);
      }),
    );
  }
  return prices;
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
