import table from "./on-demand-prices.json" with { type: "json" };

/** The one region with prices here. */
export const pricedRegion = table.region;

const usdPerHour: ReadonlyMap<string, number> = new Map(Object.entries(table.usdPerHour));

/** Linux, shared tenancy, USD an hour; undefined for a type that has no price here. */
export const onDemandPrice = (instanceType: string): number | undefined => usdPerHour.get(instanceType);

export const pricedTypes: readonly string[] = [...usdPerHour.keys()];
