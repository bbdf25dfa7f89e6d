import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import type { Problem } from "../../../lib/optimizer/problem/problem.ts";
import type { Thresholds } from "../../../lib/optimizer/problem/thresholds.ts";
import { optimize } from "../../../lib/optimizer/search/optimize.ts";
import type { Solution } from "../../../lib/optimizer/search/solution.ts";
import { stormRuns } from "../storm-runs.ts";
import { wrongsOf } from "./checker.ts";
import { problem } from "./problems.ts";

const thresholds = fc.record<Thresholds>({ maxShapes: fc.constantFrom(1, 2, 3, 5, 400), maxNodesInSearch: fc.constantFrom(0, 1, 2, 40) });
const solutionOf = (of: Problem, small: Thresholds): Solution =>
  optimize(of, { budget: stepBudget(20_000), boundBudget: stepBudget(20_000), seed: 7, thresholds: small });
const dollars = ({ cost }: Solution): number => cost.fleetUsd + cost.interruptionsUsd + cost.dataUsd;

describe("a problem that is larger than the thresholds", () => {
  test("a coarse plan overfills no bin, and every job has exactly one place or waits", () => {
    fc.assert(
      fc.property(problem, thresholds, (of, small) => {
        expect(wrongsOf(of, solutionOf(of, small))).toEqual([]);
      }),
      { numRuns: stormRuns(1_500) },
    );
  });

  test("the lower bound of a coarse problem is never above the cost of the exact plan for the same jobs", () => {
    fc.assert(
      fc.property(problem, thresholds, (of, small) => {
        const [exact, coarse] = [solutionOf(of, { maxShapes: 400, maxNodesInSearch: 40 }), solutionOf(of, small)];
        expect(coarse.boundUsd).toBeLessThanOrEqual(dollars(coarse) + 1e-9);
        if (exact.waiting.length === 0 && coarse.waiting.length === 0) expect(coarse.boundUsd).toBeLessThanOrEqual(dollars(exact) + 1e-9);
      }),
      { numRuns: stormRuns(1_500) },
    );
  });
});
