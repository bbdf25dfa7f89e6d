import type { GetProductsCommand } from "@aws-sdk/client-pricing";
import { expect, test } from "vitest";
import { onDemandPrices } from "../../../lib/aws/market/on-demand-prices.ts";

const hour = 3_600_000;

/** A price list in which every type costs a dollar, and which counts how often each type is looked up and how many calls are in progress. */
function aPriceList() {
  const looked: string[] = [];
  const busy = { now: 0, most: 0 };
  const failing = new Set<string>();
  const send = async ({ input }: GetProductsCommand) => {
    const instanceType = input.Filters?.find(({ Field }) => Field === "instanceType")?.Value ?? "";
    looked.push(instanceType);
    busy.now += 1;
    busy.most = Math.max(busy.most, busy.now);
    await new Promise((resolve) => setImmediate(resolve));
    busy.now -= 1;
    if (failing.has(instanceType)) throw new Error("throttled");
    const terms = { OnDemand: { term: { priceDimensions: { rate: { unit: "Hrs", pricePerUnit: { USD: "1" } } } } } };
    return { PriceList: instanceType === "unsold" ? [] : [JSON.stringify({ product: { attributes: { instanceType } }, terms })] };
  };
  const prices = onDemandPrices({ send: send as never }, { region: "eu-west-1", log: () => undefined });
  return { prices, looked, busy, failing };
}

const types = (count: number): string[] => Array.from({ length: count }, (_, n) => `g5.${n}`);

test("pools that refresh at the same time share one look at each type, and at most four calls are in progress", async () => {
  const { prices, looked, busy } = aPriceList();
  const found = await Promise.all([types(20), types(30), types(10)].map((some) => prices(some, 0)));
  expect(found.map(({ size }) => size)).toEqual([20, 30, 10]);
  expect(looked.toSorted()).toEqual(types(30).toSorted());
  expect(busy.most).toBe(4);
});

test("a price is looked up again after an hour, and also if the clock is set back by more than that", async () => {
  const { prices, looked } = aPriceList();
  await prices(["g5.0"], hour);
  await prices(["g5.0"], 2 * hour - 1);
  expect(looked).toHaveLength(1);
  await prices(["g5.0"], 2 * hour);
  expect(looked).toHaveLength(2);
  await prices(["g5.0"], 0);
  expect(looked).toHaveLength(3);
});

test("a look-up that failed is repeated by the next call, and those that succeeded are not", async () => {
  const { prices, looked, failing } = aPriceList();
  failing.add("g5.1");
  await expect(prices(types(3), 0)).rejects.toThrow("throttled");
  failing.clear();
  expect([...(await prices(types(3), 1)).keys()]).toEqual(types(3));
  expect(looked.toSorted()).toEqual(["g5.0", "g5.1", "g5.1", "g5.2"]);
});

test("a type without a price is left out, and is not looked up by every pool either", async () => {
  const { prices, looked } = aPriceList();
  expect((await prices(["unsold", "g5.0"], 0)).has("unsold")).toBe(false);
  expect((await prices(["unsold"], 1)).size).toBe(0);
  expect(looked).toHaveLength(2);
});
