import { GetProductsCommand, type PricingClient } from "@aws-sdk/client-pricing";
import * as z from "zod";
import { allPages } from "../pages.ts";
import type { MarketLog } from "./market-log.ts";

/** One product of AWS's price list, as far as an hour's price needs it. */
const Product = z.object({
  product: z.object({ attributes: z.object({ instanceType: z.string() }) }),
  // A product that is only reserved, or not sold yet, has no such terms, or none at all.
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

/** At once: the price list allows few calls a second. */
const side = 4;

/** What an hour of each type costs on demand in a region, USD: Linux without software, shared tenancy. Unknown ones are absent. */
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
    // It costs the type its price at most, and never the others theirs.
    log({ level: "info", message: "A product of the price list cannot be read", instanceType, told: String(text).slice(0, 500) });
    return [];
  });
  // One product is left by these filters; were there more, nothing may be reserved below what is paid.
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
