import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ec2Client } from "../../lib/aws/clients/ec2.ts";
import { pricingClient } from "../../lib/aws/clients/pricing.ts";
import { ec2Market } from "../../lib/aws/market/market.ts";
import { onDemandPrice } from "../../lib/local/ec2/offers/on-demand-prices.ts";
import { MemoryMarket } from "../../lib/sim/memory/market.ts";
import { aCatalogue, aPool } from "../fakes/builders.ts";
import { aStage, type Ec2Stage } from "./ec2-stage.ts";
import { marketContract } from "./suites/market.ts";

marketContract("in memory", async () => new MemoryMarket(aCatalogue()));

let stage: Ec2Stage;
beforeAll(async () => {
  stage = await aStage();
});
afterAll(() => stage.close());

const marketOn = ({ settings, subnets }: Ec2Stage, zones = 2) =>
  ec2Market({ ec2: ec2Client(settings), pricing: pricingClient(settings), region: "us-east-1", subnets: subnets.slice(0, zones) });

marketContract("EC2 and the price list", async () => marketOn(stage));

describe("EC2 and the price list", () => {
  test("a type has the resources that EC2 reports, less what the host needs", async () => {
    const { types } = await marketOn(stage).catalogue(aPool({ families: ["g5.xlarge", "g5.12xlarge"] }), Date.now());
    expect(types).toEqual([
      { name: "g5.12xlarge", resources: { vcpus: 47.8, memoryGiB: 192 * 0.92, gpus: 4 }, gpu: { model: "A10G", memoryGiB: 22_888 / 1024 } },
      { name: "g5.xlarge", resources: { vcpus: 3.8, memoryGiB: 16 * 0.92, gpus: 1 }, gpu: { model: "A10G", memoryGiB: 22_888 / 1024 } },
    ]);
  });

  test("a family has the types of that family only, without bare metal", async () => {
    const { types } = await marketOn(stage).catalogue(aPool({ families: ["g4dn"] }), Date.now());
    expect(types.length).toBeGreaterThan(3);
    expect(types.every(({ name }) => name.startsWith("g4dn.") && !name.includes("metal"))).toBe(true);
  });

  test("types with other processors or other vendors' GPUs are left out, and types without GPUs are not", async () => {
    const catalogue = await marketOn(stage).catalogue(aPool({ families: ["g5g", "g4ad", "m7i.large"] }), Date.now());
    expect(catalogue.types.map(({ name }) => name)).toEqual(["m7i.large"]);
    expect(catalogue.types[0]?.gpu).toBeUndefined();
  });

  test("offers are only in zones with subnets, on demand at the list price and on spot below it", async () => {
    const { offers } = await marketOn(stage, 1).catalogue(aPool({ families: ["g5.xlarge"] }), Date.now());
    const zone = stage.subnets[0]?.zone;
    const list = onDemandPrice("g5.xlarge") ?? 0;
    expect(offers).toEqual([
      { instanceType: "g5.xlarge", zone, market: "on-demand", usdPerHour: list },
      { instanceType: "g5.xlarge", zone, market: "spot", usdPerHour: expect.any(Number) },
    ]);
    expect(offers[1]?.usdPerHour).toBeGreaterThan(0);
    expect(offers[1]?.usdPerHour).toBeLessThan(list);
  });

  test("a type that EC2 does not know has no offers", async () => {
    expect(await marketOn(stage).catalogue(aPool({ families: ["g99", "x1.nano"] }), 5)).toEqual({
      types: [],
      offers: [],
      refreshedAtMs: 5,
    });
  });

  test("a catalogue is an error, and not empty, if EC2 cannot be asked", async () => {
    stage.front.record.throttleNext("DescribeSpotPriceHistory");
    await expect(marketOn(stage).catalogue(aPool(), Date.now())).rejects.toThrow();
  });
});
