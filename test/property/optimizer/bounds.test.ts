import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packingSteps } from "../../../lib/decide/placement/packing-budget.ts";
import { stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import { classesOf } from "../../../lib/optimizer/problem/classes.ts";
import type { NamedJob, Problem, Supply } from "../../../lib/optimizer/problem/problem.ts";
import { optimize } from "../../../lib/optimizer/search/optimize.ts";
import type { Solution } from "../../../lib/optimizer/search/solution.ts";
import { stormRuns } from "../storm-runs.ts";
import { jobs, offers, problem } from "./problems.ts";

const dollars = ({ cost }: Solution): number => cost.fleetUsd + cost.interruptionsUsd + cost.dataUsd;
const firstPlan = (of: Problem): Solution => optimize(of, { budget: stepBudget(packingSteps(0)), seed: 1, engines: [] });

/** Returns the jobs on empty ground: single jobs, and offers without a limit. */
const unlimited = fc.record({ all: jobs(), market: offers() }).map(({ all, market }) => ({
  all: all.map(({ nodes: _one, ...job }): NamedJob => job),
  market: market.map(({ most: _unlimited, ...offer }): Supply => offer),
}));
const problemOf = (all: readonly NamedJob[], market: readonly Supply[]): Problem => ({
  dimensions: ["vcpus", "memoryGiB"],
  jobs: classesOf(all),
  nodes: [],
  offers: market,
});

describe("the lower bound", () => {
  test("the lower bound is never below the placed jobs' total size at the lowest price per unit of any dimension", () => {
    fc.assert(
      fc.property(unlimited, fc.boolean(), ({ all, market }, isBounded) => {
        const plan = optimize(problemOf(all, market), {
          budget: stepBudget(1),
          boundBudget: isBounded ? stepBudget(1) : undefined,
          seed: 1,
        });
        const waits = new Set(plan.waiting.flatMap((each) => each.jobs));
        const placed = all.filter(({ name }) => !waits.has(name));
        const floors = [0, 1, 2].map((dimension) => {
          const size = ({ size: sizes, gpu }: NamedJob): number => [...sizes, gpu?.count ?? 0][dimension] ?? 0;
          const total = placed.reduce((sum, job) => sum + size(job), 0);
          const perUnit = market.map(({ usdPerHour, capacity, gpu }) => usdPerHour / ([...capacity, gpu?.count ?? 0][dimension] ?? 0));
          return total > 0 ? total * Math.min(...perUnit) : 0;
        });
        expect(plan.boundUsd).toBeGreaterThanOrEqual(Math.max(...floors) * (1 - 1e-6));
      }),
      { numRuns: stormRuns(500) },
    );
  });

  test("the lower bound is never below the cheapest offer that has the size of the largest placed job", () => {
    fc.assert(
      fc.property(unlimited, ({ all, market }) => {
        const plan = optimize(problemOf(all, market), { budget: stepBudget(1), seed: 1 });
        const waits = new Set(plan.waiting.flatMap((each) => each.jobs));
        for (const job of all.filter(({ name }) => !waits.has(name))) {
          const holding = market.filter(({ capacity }) => job.size.every((size, dimension) => size <= (capacity[dimension] ?? 0) + 1e-9));
          const isLargest = all.every((other) => waits.has(other.name) || other.size.every((size, at) => size <= (job.size[at] ?? 0)));
          if (isLargest) expect(plan.boundUsd).toBeGreaterThanOrEqual(Math.min(...holding.map((each) => each.usdPerHour)) * (1 - 1e-6));
        }
      }),
      { numRuns: stormRuns(500) },
    );
  });

  test("the lower bound is never above the cost of the cheapest plan that is found, whatever the steps", () => {
    fc.assert(
      fc.property(problem, (of) => {
        const quick = optimize(of, { budget: stepBudget(1), seed: 1 });
        const long = optimize(of, { budget: stepBudget(50_000), seed: 1 });
        if (long.waiting.length > 0 || quick.waiting.length > 0) return;
        expect(quick.boundUsd).toBeLessThanOrEqual(dollars(long) + 1e-9);
      }),
      { numRuns: stormRuns(500) },
    );
  });
});

describe("the first plan", () => {
  test("the first plan costs no more per job if the same jobs come two, three or four times", () => {
    fc.assert(
      fc.property(unlimited, fc.constantFrom(2, 3, 4), ({ all, market }, times) => {
        const once = firstPlan(problemOf(all, market));
        const copies = Array.from({ length: times }, (_, copy) => all.map((job) => ({ ...job, name: `${job.name}-${copy}` })));
        const often = firstPlan(problemOf(copies.flat(), market));
        expect(dollars(often)).toBeLessThanOrEqual(times * dollars(once) * (1 + 1e-9));
      }),
      { numRuns: stormRuns(1_000) },
    );
  });

  test("the first plan takes no more steps than the smallest budget of a decision", () => {
    fc.assert(
      fc.property(problem, (of) => {
        expect(firstPlan(of).steps).toBeLessThanOrEqual(packingSteps(0));
      }),
      { numRuns: stormRuns(500) },
    );
  });
});
