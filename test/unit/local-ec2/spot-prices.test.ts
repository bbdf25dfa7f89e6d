import { expect, it } from "vitest";
import { generator } from "../../../lib/local/ec2/behaviour/seeded.ts";
import { onDemandPrice, pricedTypes } from "../../../lib/local/ec2/offers/on-demand-prices.ts";
import { like, spotPrice } from "../../../lib/local/ec2/offers/spot-prices.ts";

const atMs = Date.UTC(2026, 0, 1);
const zones = ["us-east-1a", "us-east-1b", "us-east-1c"];

it("spot prices are between 25 and 45 % of the on-demand price and the same for the same seed", () => {
  for (const instanceType of pricedTypes) {
    for (const zone of zones) {
      const share = (spotPrice(1, { instanceType, zone, atMs }) ?? 0) / (onDemandPrice(instanceType) ?? 0);
      expect(share).toBeGreaterThan(0.245);
      expect(share).toBeLessThan(0.46);
      expect(spotPrice(1, { instanceType, zone, atMs })).toBe(spotPrice(1, { instanceType, zone, atMs }));
    }
  }
});

it("spot prices differ by zone, time and seed", () => {
  const offer = { instanceType: "g5.xlarge", zone: "us-east-1a", atMs };
  const price = spotPrice(1, offer);
  expect(spotPrice(1, { ...offer, zone: "us-east-1b" })).not.toBe(price);
  expect(spotPrice(1, { ...offer, atMs: atMs + 86_400_000 })).not.toBe(price);
  expect(spotPrice(2, offer)).not.toBe(price);
  expect(spotPrice(1, { ...offer, instanceType: "x9.large" })).toBeUndefined();
});

it("the seeded generator draws uniformly and repeats its numbers for the same seed", () => {
  const [draw, again] = [generator(7), generator(7)];
  const drawn = Array.from({ length: 2000 }, draw);
  expect(Array.from({ length: 2000 }, again)).toEqual(drawn);
  const mean = drawn.reduce((sum, one) => sum + one, 0) / drawn.length;
  expect(mean).toBeGreaterThan(0.47);
  expect(mean).toBeLessThan(0.53);
});

it("like matches EC2's wildcards", () => {
  expect(["g5.*", "g?.xlarge", "g5.xlarge"].map((pattern) => like(pattern, "g5.xlarge"))).toEqual([true, true, true]);
  expect(["g5", "g5xxlarge", "(g5.*"].map((pattern) => like(pattern, "g5.xlarge"))).toEqual([false, false, false]);
});
