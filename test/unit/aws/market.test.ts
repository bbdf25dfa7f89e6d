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
import { ec2Market } from "../../../lib/aws/market.ts";
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

/** One item a page, so that whoever stops at the first page is found out. */
function page<T>(all: readonly T[], input: object): { items: T[]; next?: string } {
  const at = "NextToken" in input && typeof input.NextToken === "string" ? Number(input.NextToken) : 0;
  return { items: all.slice(at, at + 1), ...(at + 1 < all.length ? { next: `${at + 1}` } : {}) };
}

async function catalogueOf(world: World, pool: Partial<Pool> = {}): Promise<Catalogue> {
  const ec2 = ec2Client({ region: "eu-west-1", credentials });
  ec2.middlewareStack.add(
    (_next, { commandName }) =>
      async ({ input }) => {
        const $metadata = {};
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
  return ec2Market({ ec2, pricing, region: "eu-west-1", subnets }).catalogue(aPool(pool), 1_000);
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

test("every page is read, and only what has a price is an offer", async () => {
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

test("of spot prices the latest counts, whatever order they come in, and none of Windows", async () => {
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

test("of list prices the dearest hour counts; free ones, other units and other types do not", async () => {
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

test("a type that EC2 does not sell on spot, or not in our zone, has no such offer", async () => {
  const priced = { spot: [aSpotPrice("a.large", "0.1"), aSpotPrice("b.large", "0.1")], prices: { "a.large": [aPrice("a.large", "1")] } };
  const types = [aTypeInfo("a.large", { SupportedUsageClasses: ["on-demand"] }), aTypeInfo("b.large")];
  const { offers } = await catalogueOf({ types, offerings: ["a.large"], ...priced });
  expect(offers.map(({ instanceType, market }) => [instanceType, market])).toEqual([["a.large", "on-demand"]]);
});

const gpu = { Name: "L4", Manufacturer: "NVIDIA", Count: 1, MemoryInfo: { SizeInMiB: 22_888 } };
test.each<[string, Partial<InstanceTypeInfo>]>([
  ["bare metal", { BareMetal: true }],
  ["another processor", { ProcessorInfo: { SupportedArchitectures: ["arm64"] } }],
  ["GPUs of another maker", { GpuInfo: { Gpus: [{ ...gpu, Manufacturer: "AMD" }] } }],
  ["GPUs of two models", { GpuInfo: { Gpus: [gpu, { ...gpu, Name: "T4" }] } }],
  ["a slice of a GPU", { GpuInfo: { Gpus: [{ ...gpu, Count: 0, LogicalGpuCount: 1, GpuPartitionSize: 0.125 }] } }],
  ["no memory that EC2 tells", { MemoryInfo: {} }],
])("a type with %s is left out", async (_what, over) => {
  expect((await catalogueOf({ types: [aTypeInfo("a.large", over)] })).types).toEqual([]);
});
