import { describe, expect, it } from "vitest";
import { stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import { Bins, itemsOf, minBins } from "../../bench/research/equal-bins/bins.ts";
import { fillOneByOne } from "../../bench/research/equal-bins/fill.ts";
import { packEqual } from "../../bench/research/equal-bins/pack.ts";

/** Five pairs that fill a bin only with each other, in two dimensions. */
const pairs = [11, 23, 31, 42, 47].flatMap((size, nth) => [
  [size, 90 - 9 * nth],
  [100 - size, 10 + 9 * nth],
]);

describe("equal bins", () => {
  it("equal bins are as few as possible if every item has one partner", () => {
    const { bins, bound } = packEqual(itemsOf(pairs, [100, 100]), { budget: stepBudget(5_000), seed: 3 });
    expect(bound).toBe(5);
    expect(bins).toHaveLength(5);
  });

  it("exchanges empty a bin if filling bins one by one leaves one too many", () => {
    const items = itemsOf(
      [[6], [5], [5], [4], [4], [3], [3]].map(([size = 0]) => [size]),
      [10],
    );
    expect(minBins(items)).toBe(3);
    expect(packEqual(items, { budget: stepBudget(2_000), seed: 1 }).bins).toHaveLength(3);
  });

  it("no item needs no bin, and an item of size zero needs one", () => {
    const budget = stepBudget(10);
    expect(packEqual(itemsOf([], [1]), { budget, seed: 1 }).bins).toEqual([]);
    expect(packEqual(itemsOf([[0], [0]], [1]), { budget, seed: 1 }).bins).toHaveLength(1);
  });

  it("the search stops at the bound, whatever the budget", () => {
    const { steps } = packEqual(itemsOf([[1], [1]], [2]), { budget: stepBudget(1_000), seed: 1 });
    expect(steps).toBeLessThan(3);
  });

  it("an item that is larger than a bin is rejected", () => {
    expect(() => fillOneByOne(itemsOf([[3, 1]], [2, 2]), "alike")).toThrow("larger than a bin");
    expect(() => fillOneByOne(itemsOf([[1]], [0]), "alike")).toThrow("larger than a bin");
  });

  it("bins know what they hold after items were added and removed", () => {
    const items = itemsOf([[5], [6], [4]], [10]);
    const bins = new Bins(items, [[0], [1]]);
    expect(bins.holds(2, 0)).toBe(true);
    expect(bins.holds(1, 0)).toBe(false);
    expect(bins.holds(1, 0, { first: 0, second: -1 })).toBe(true);
    bins.put(2, 1);
    bins.takeOut(1, 1);
    expect(bins.close(0)).toEqual([0]);
    expect(bins.contents).toEqual([[2]]);
    expect(bins.free(0, 0)).toBeCloseTo(0.6);
  });
});
