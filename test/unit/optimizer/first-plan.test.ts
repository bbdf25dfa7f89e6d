import { expect, test } from "vitest";
import { Pricing } from "../../../lib/optimizer/bounds/pricing.ts";
import { ColumnGeneration } from "../../../lib/optimizer/engines/column-generation.ts";
import { stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import { instanceOf } from "../../../lib/optimizer/problem/instance.ts";
import { firstPacking } from "../../../lib/optimizer/search/first-plan.ts";

/** Packs ten jobs of five vCPUs and ten of one on nodes for $2 with 12 vCPUs, and, if there are at most `most`, on dearer ones. */
function packed({ steps = 1_000_000, most, extra = 0 }: { steps?: number; most?: number; extra?: number } = {}) {
  const place = { type: "t", zone: "z", market: "on-demand" } as const;
  const classOf = (size: number, count: number) => ({ names: Array.from({ length: count }, (_, n) => `${size}-${n}`), size: [size] });
  const offers = [
    { ...place, name: "large", usdPerHour: 2, capacity: [12], most },
    { ...place, name: "small", usdPerHour: 3, capacity: [9] },
  ];
  const instance = instanceOf({ dimensions: ["vcpus"], jobs: [classOf(5, 10), classOf(1, 10 + extra)], nodes: [], offers });
  const pricing = new Pricing(instance);
  const asked: number[] = [];
  const budget = stepBudget(steps);
  const packing = firstPacking(pricing, new ColumnGeneration(pricing), {
    spend: (each) => {
      asked.push(each);
      return budget.spend(each);
    },
  });
  const large = packing.bins.reduce((sum, { kind, times }) => sum + (instance.kinds[kind]?.name === "large" ? times : 0), 0);
  return { usd: Math.round(packing.cost * instance.usd), waits: packing.waits, large, asked };
}

test("the first packing repeats the packing of a part of the jobs if that costs less", () => {
  // Two jobs of each size fill a node, which greedy sees only if it packs a fifth of the jobs. It tries a tenth, a fifth and a half.
  expect(packed()).toMatchObject({ usd: 10, waits: 0, large: 5 });
  expect(packed().asked).toHaveLength(4);
});

test("the first packing is greedy's if the numbers of jobs have no common divisor", () => {
  const { usd, asked } = packed({ extra: 1 });
  expect([usd, asked.length]).toEqual([12, 1]);
});

test("no part is repeated that needs more nodes than there are", () => {
  expect(packed({ most: 5 })).toMatchObject({ usd: 10, large: 5 });
  expect(packed({ most: 4 })).toMatchObject({ usd: 14, large: 4, waits: 0 });
});

test("no further part is tried after the budget has ended", () => {
  const [whole = 0, tenth = 0] = packed().asked;
  expect(packed({ steps: whole })).toMatchObject({ usd: 12, asked: [whole] });
  expect(packed({ steps: whole + tenth })).toMatchObject({ usd: 12, asked: [whole, tenth] });
  expect(packed({ steps: whole + tenth + 1 }).usd).toBe(10);
});
