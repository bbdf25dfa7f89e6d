import { expect, test } from "vitest";
import { Pricing } from "../../../lib/optimizer/bounds/pricing.ts";
import { ColumnGeneration } from "../../../lib/optimizer/engines/column-generation.ts";
import { instanceOf } from "../../../lib/optimizer/problem/instance.ts";
import type { Supply } from "../../../lib/optimizer/problem/problem.ts";

const jobs = [{ names: ["a", "b", "c"], size: [4] }];

/** Returns the number of rows that the limits of offers add to the program of three equal jobs. */
function rowsOfLimits(...limits: readonly (number | undefined)[]): number {
  // A larger offer costs more, so none is dominated by another one.
  const offers = limits.map(
    (most, n): Supply => ({ name: `o${n}`, type: "t", zone: "z", market: "on-demand", usdPerHour: 1 + n, capacity: [4 + n], most }),
  );
  const instance = instanceOf({ dimensions: ["vcpus"], jobs, nodes: [], offers });
  expect(instance.kinds).toHaveLength(limits.length);
  return new ColumnGeneration(new Pricing(instance)).master.rows - instance.shapes.length;
}

test("an offer has a row in the program only if there are fewer of its nodes than jobs", () => {
  expect(rowsOfLimits(undefined, 4, 3)).toBe(0);
  expect(rowsOfLimits(2, 3, 1)).toBe(2);
});

test("the program ignores the limits if more than 60 offers have one", () => {
  expect(rowsOfLimits(...Array<number>(60).fill(1))).toBe(60);
  expect(rowsOfLimits(...Array<number>(61).fill(1))).toBe(0);
});
