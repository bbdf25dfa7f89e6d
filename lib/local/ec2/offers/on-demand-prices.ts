import table from "./on-demand-prices.json" with { type: "json" };

/** The only region that has prices here. */
export const pricedRegion = table.region;

const usdPerHour: ReadonlyMap<string, number> = new Map(Object.entries(table.usdPerHour));

/** Returns the price for Linux and shared tenancy, USD per hour, or undefined if the type has no price here. */
export const onDemandPrice = (instanceType: string): number | undefined => usdPerHour.get(instanceType);

export const pricedTypes: readonly string[] = [...usdPerHour.keys()];
