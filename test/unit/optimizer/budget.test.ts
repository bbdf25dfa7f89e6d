import { describe, expect, test } from "vitest";
import { Counted, stepBudget } from "../../../lib/optimizer/problem/budget.ts";

/** Spends until the budget ends, and returns how often it was asked. */
function spendAll(budget: { spend(steps: number): boolean }, each: readonly number[]): number {
  let calls = 0;
  for (const steps of each) {
    calls += 1;
    if (!budget.spend(steps)) break;
  }
  return calls;
}

describe("the steps that a search has counted", () => {
  const each = [4, 0, 3, 5];

  test("a replay with the counted steps goes as far as the search that used only a part of its budget, and no smaller budget does", () => {
    const counted = new Counted(stepBudget(1_000));
    expect(spendAll(counted, each)).toBe(4);
    const isMoreAtEnd = (most: number): boolean => {
      const budget = stepBudget(most);
      return each.map((steps) => budget.spend(steps)).every((isMore) => isMore);
    };
    expect(isMoreAtEnd(counted.enough)).toBe(true);
    expect(isMoreAtEnd(counted.enough - 1)).toBe(false);
  });

  test("a replay with the counted steps ends where a search ended that used up its budget", () => {
    const counted = new Counted(stepBudget(6));
    expect(spendAll(counted, each)).toBe(3);
    expect(counted.enough).toBe(8);
    expect(spendAll(stepBudget(counted.enough), each)).toBe(3);
  });
});
