import type {
  _InstanceType,
  DescribeInstanceTypeOfferingsCommandOutput,
  DescribeInstanceTypesCommandOutput,
  DescribeSpotPriceHistoryCommandOutput,
  InstanceTypeInfo,
} from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { ec2Client } from "../../../lib/aws/clients/ec2.ts";
import { pricingClient } from "../../../lib/aws/clients/pricing.ts";
import { ec2Market } from "../../../lib/aws/market/market.ts";
import type { Catalogue } from "../../../lib/model/offer.ts";
import type { Pool } from "../../../lib/model/pool.ts";
import { aPool } from "../../fakes/builders.ts";

type Page<Output> = Omit<Output, "$metadata">;
type World = {
  readonly types: readonly InstanceTypeInfo[];
  readonly offerings?: readonly string[];
  readonly spot?: Page<DescribeSpotPriceHistoryCommandOutput>["SpotPriceHistory"];
  /** Documents of the price list by type. */
  readonly prices?: Readonly<Record<string, readonly object[]>>;
};

const credentials = { accessKeyId: "a", secretAccessKey: "b" };

/** Returns a page of one item, so that reading only the first page fails a test, or of 100 if there are many items. */
function page<T>(all: readonly T[], input: object): { items: T[]; next?: string } {
  const at = "NextToken" in input && typeof input.NextToken === "string" ? Number(input.NextToken) : 0;
  const end = at + (all.length > 20 ? 100 : 1);
  return { items: all.slice(at, end), ...(end < all.length ? { next: `${end}` } : {}) };
}

/** Enforces EC2's limits of filter values and names per call. */
function refuseTooMuch(input: object): void {
  const { Filters = [], InstanceTypes = [] } = input as { Filters?: { Values?: string[] }[]; InstanceTypes?: string[] };
  const values = Filters.reduce((sum, { Values = [] }) => sum + Values.length, 0);
  if (values > 200)
    throw Object.assign(new Error(`${values} filter values`), { name: "FilterLimitExceeded", $metadata: { httpStatusCode: 400 } });
  if (InstanceTypes.length > 100) throw Object.assign(new Error("too many names"), { name: "InvalidParameterValue" });
}

const lines: { instanceType: string; received: unknown }[] = [];

async function catalogueOf(world: World, pool: Partial<Pool> = {}): Promise<Catalogue> {
  lines.length = 0;
  const ec2 = ec2Client({ region: "eu-west-1", credentials });
  ec2.middlewareStack.add(
    (_next, { commandName }) =>
      async ({ input }) => {
        const $metadata = {};
        refuseTooMuch(input);
        if (commandName === "DescribeInstanceTypesCommand") {
          const { items, next } = page(world.types, input);
          return {
            response: {},
            output: { $metadata, InstanceTypes: items, NextToken: next } satisfies DescribeInstanceTypesCommandOutput,
          };
        }
        if (commandName === "DescribeInstanceTypeOfferingsCommand") {
          const { items, next } = page(world.offerings ?? world.types.map(({ InstanceType }) => `${InstanceType}`), input);
          const InstanceTypeOfferings = items.map((type) => ({ InstanceType: type as _InstanceType, Location: "eu-west-1a" }));
          return {
            response: {},
            output: { $metadata, InstanceTypeOfferings, NextToken: next } satisfies DescribeInstanceTypeOfferingsCommandOutput,
          };
        }
        const { items, next } = page(world.spot ?? [], input);
        return { response: {}, output: { $metadata, SpotPriceHistory: items, NextToken: next } };
      },
    { step: "initialize" },
  );
  const pricing = pricingClient({ credentials });
  pricing.middlewareStack.add(
    () =>
      async ({ input }) => {
        const filters = "Filters" in input ? (input.Filters ?? []) : [];
        const wanted = Object.fromEntries(filters.map(({ Field, Value }) => [Field, Value]));
        expect(wanted).toMatchObject({ regionCode: "eu-west-1", operatingSystem: "Linux", tenancy: "Shared", capacitystatus: "Used" });
        const { items, next } = page(world.prices?.[wanted["instanceType"] ?? ""] ?? [], input);
        return { response: {}, output: { $metadata: {}, PriceList: items.map((item) => JSON.stringify(item)), NextToken: next } };
      },
    { step: "initialize" },
  );
  const subnets = [{ zone: "eu-west-1a", subnet: "subnet-a" }];
  return ec2Market({ ec2, pricing, region: "eu-west-1", subnets, log: (line) => void lines.push(line) }).catalogue(aPool(pool), 1_000);
}

const aTypeInfo = (InstanceType: string, over: Partial<InstanceTypeInfo> = {}): InstanceTypeInfo => ({
  InstanceType: InstanceType as _InstanceType,
  BareMetal: false,
  ProcessorInfo: { SupportedArchitectures: ["x86_64"] },
  SupportedUsageClasses: ["on-demand", "spot"],
  VCpuInfo: { DefaultVCpus: 4 },
  MemoryInfo: { SizeInMiB: 16_384 },
  GpuInfo: { Gpus: [{ Name: "T4", Manufacturer: "NVIDIA", Count: 1, MemoryInfo: { SizeInMiB: 16_384 } }] },
  ...over,
});

const aPrice = (instanceType: string, USD: string, unit = "Hrs"): object => ({
  product: { attributes: { instanceType } },
  terms: { OnDemand: { term: { priceDimensions: { rate: { unit, pricePerUnit: { USD } } } } } },
});

const aSpotPrice = (instanceType: string, SpotPrice: string, at = 0, ProductDescription: "Linux/UNIX" | "Windows" = "Linux/UNIX") => ({
  InstanceType: instanceType as _InstanceType,
  AvailabilityZone: "eu-west-1a",
  ProductDescription,
  SpotPrice,
  Timestamp: new Date(at),
});

test("the catalogue reads every page and contains only offers with a price", async () => {
  const { types, offers } = await catalogueOf({
    types: ["a.large", "b.large", "c.large"].map((name) => aTypeInfo(name)),
    spot: [aSpotPrice("a.large", "0.1"), aSpotPrice("b.large", "0.2")],
    prices: { "a.large": [aPrice("a.large", "1.0")], "c.large": [aPrice("c.large", "3.0")] },
  });
  expect(types.map(({ name }) => name)).toEqual(["a.large", "b.large", "c.large"]);
  expect(offers.map(({ instanceType, market, usdPerHour }) => [instanceType, market, usdPerHour])).toEqual([
    ["a.large", "on-demand", 1],
    ["a.large", "spot", 0.1],
    ["b.large", "spot", 0.2],
    ["c.large", "on-demand", 3],
  ]);
});

test("the latest spot price for Linux counts, whatever the order of prices", async () => {
  const { offers } = await catalogueOf({
    types: [aTypeInfo("a.large")],
    spot: [
      aSpotPrice("a.large", "0.1", 1),
      aSpotPrice("a.large", "0.3", 3),
      aSpotPrice("a.large", "0.2", 2),
      aSpotPrice("a.large", "9", 4, "Windows"),
    ],
  });
  expect(offers.map(({ usdPerHour }) => usdPerHour)).toEqual([0.3]);
});

test("the highest hourly list price counts; free prices, other units and other types do not", async () => {
  const { offers } = await catalogueOf({
    types: [aTypeInfo("a.large")],
    prices: {
      "a.large": [
        aPrice("a.large", "0.0"),
        aPrice("a.large", "1.5"),
        aPrice("a.large", "1.0"),
        aPrice("a.large", "500", "Quantity"),
        aPrice("z.large", "7"),
      ],
    },
  });
  expect(offers.map(({ usdPerHour }) => usdPerHour)).toEqual([1.5]);
});

test("a type has no offer in a market or a zone in which EC2 does not sell it", async () => {
  const priced = { spot: [aSpotPrice("a.large", "0.1"), aSpotPrice("b.large", "0.1")], prices: { "a.large": [aPrice("a.large", "1")] } };
  const types = [aTypeInfo("a.large", { SupportedUsageClasses: ["on-demand"] }), aTypeInfo("b.large")];
  const { offers } = await catalogueOf({ types, offerings: ["a.large"], ...priced });
  expect(offers.map(({ instanceType, market }) => [instanceType, market])).toEqual([["a.large", "on-demand"]]);
});

test("more families, types and zones than EC2 allows per call are requested in several calls", async () => {
  const names = Array.from({ length: 450 }, (_, n) => `f${n}.large`);
  const world = { types: names.map((name) => aTypeInfo(name)), spot: names.map((name) => aSpotPrice(name, "0.1")) };
  const { types, offers } = await catalogueOf(world, { families: names.map((name) => name.split(".")[0] ?? ""), markets: ["spot"] });
  expect(types).toHaveLength(450);
  expect(offers).toHaveLength(450);
});

test.each([
  ["without terms", { product: { attributes: { instanceType: "a.large" } } }],
  ["of another form", { sku: "x" }],
])("a product %s in the price list does not affect other prices", async (_what, odd) => {
  const { offers } = await catalogueOf({
    types: [aTypeInfo("a.large"), aTypeInfo("b.large")],
    prices: { "a.large": [odd, aPrice("a.large", "1.0")], "b.large": [aPrice("b.large", "2.0")] },
  });
  expect(offers.map(({ instanceType, usdPerHour }) => [instanceType, usdPerHour])).toEqual([
    ["a.large", 1],
    ["b.large", 2],
  ]);
});

const gpu = { Name: "L4", Manufacturer: "NVIDIA", Count: 1, MemoryInfo: { SizeInMiB: 22_888 } };
test.each<[string, Partial<InstanceTypeInfo>]>([
  ["bare metal", { BareMetal: true }],
  ["another processor", { ProcessorInfo: { SupportedArchitectures: ["arm64"] } }],
  ["GPUs of another maker", { GpuInfo: { Gpus: [{ ...gpu, Manufacturer: "AMD" }] } }],
  ["GPUs of two models", { GpuInfo: { Gpus: [gpu, { ...gpu, Name: "T4" }] } }],
  ["a slice of a GPU", { GpuInfo: { Gpus: [{ ...gpu, Count: 0, LogicalGpuCount: 1, GpuPartitionSize: 0.125 }] } }],
  ["unknown memory", { MemoryInfo: {} }],
])("a type with %s is left out of the catalogue", async (_what, over) => {
  expect((await catalogueOf({ types: [aTypeInfo("a.large", over)] })).types).toEqual([]);
});

test("a type that EC2 describes incompletely is logged, and a type that is excluded on purpose is not", async () => {
  const odd = { Gpus: [{ ...gpu, Count: 0, LogicalGpuCount: 1 }] };
  await catalogueOf({
    types: [
      aTypeInfo("p5.4xlarge", { GpuInfo: odd }),
      aTypeInfo("g6f.large", { GpuInfo: { Gpus: [{ ...gpu, Count: 0, LogicalGpuCount: 1, GpuPartitionSize: 0.125 }] } }),
      aTypeInfo("g4ad.xlarge", { GpuInfo: { Gpus: [{ ...gpu, Manufacturer: "AMD" }] } }),
      aTypeInfo("g5.metal", { BareMetal: true }),
      aTypeInfo("g5.xlarge"),
    ],
  });
  expect(lines).toMatchObject([{ instanceType: "p5.4xlarge", received: { GpuInfo: odd } }]);
});
