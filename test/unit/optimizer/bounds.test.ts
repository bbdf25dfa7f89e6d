import { expect, test } from "vitest";
import { stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import { classesOf } from "../../../lib/optimizer/problem/classes.ts";
import { optimize } from "../../../lib/optimizer/search/optimize.ts";
import { madeFleet } from "../../bench/fleet/data.ts";

/** Returns the lower bound of the plan for 60 jobs as a share of greedy's cost. */
function boundOf(market: "spot" | "on-demand", of: { readonly steps: number; readonly boundSteps?: number }): number {
  const { jobs, offers } = madeFleet(market, 60);
  const problem = { dimensions: ["vcpus", "memoryGiB"], jobs: classesOf(jobs), nodes: [], offers };
  const greedy = optimize(problem, { budget: stepBudget(1), seed: 1, engines: [] }).cost.fleetUsd;
  const boundBudget = of.boundSteps === undefined ? undefined : stepBudget(of.boundSteps);
  return optimize(problem, { budget: stepBudget(of.steps), boundBudget, seed: 1 }).boundUsd / greedy;
}

// Each floor is just below what is reached today. A better bound may raise it.
test.each([
  ["spot", 0.565, 0.7, 0.815],
  ["on-demand", 0.543, 0.72, 0.81],
] as const)("the lower bound of a problem on %s is not weaker than before, and better with more steps", (market, quick, short, long) => {
  expect(boundOf(market, { steps: 300_000 })).toBeGreaterThanOrEqual(quick);
  expect(boundOf(market, { steps: 300_000, boundSteps: 200_000 })).toBeGreaterThanOrEqual(short);
  expect(boundOf(market, { steps: 1, boundSteps: 1_000_000 })).toBeGreaterThanOrEqual(long);
});

test("the lower bound counts the job that is larger in the other dimensions if two are equally large in one", () => {
  const offer = (name: string, usdPerHour: number, capacity: readonly number[]) =>
    ({ name, type: name, zone: "a", market: "on-demand", usdPerHour, capacity, uses: {} }) as const;
  const plan = optimize(
    {
      dimensions: ["vcpus", "memoryGiB"],
      jobs: classesOf([
        { name: "flat", size: [4, 0.1] },
        { name: "thin", size: [0, 1] },
        { name: "large", size: [4, 1] },
        { name: "too-large", size: [64, 64] },
      ]),
      nodes: [],
      offers: [offer("fits-all", 0.02, [4, 4]), offer("fits-flat", 0.01, [32, 0.5]), offer("fits-thin", 0.01, [1, 32])],
    },
    { budget: stepBudget(1), seed: 1 },
  );
  expect(plan.boundUsd).toBeGreaterThanOrEqual(0.02);
});

test("the bound of the search's own prices counts even if more nodes exist than a search takes, unless jobs fit on them", () => {
  const offer = { name: "o", type: "o", zone: "a", market: "on-demand", usdPerHour: 1, capacity: [8, 8] } as const;
  const jobs = classesOf(["a", "b", "c"].map((name) => ({ name, size: [5, 5] })));
  const boundWith = (free: number): number => {
    const nodes = [1, 2].map((n) => ({ name: `n${n}`, room: [free, free], type: "o", zone: "a", market: "on-demand" }) as const);
    const problem = { dimensions: ["vcpus", "memoryGiB"], jobs, nodes, offers: [offer] };
    return optimize(problem, { budget: stepBudget(100_000), seed: 1, thresholds: { maxShapes: 400, maxNodesInSearch: 1 } }).boundUsd;
  };
  // Two jobs never fit on one instance, so three are necessary; what the jobs need together would fit on two.
  expect(boundWith(4)).toBe(3);
  // Two jobs fit on the nodes. The search did not have these, so it proves nothing about the whole.
  expect(boundWith(5)).toBeLessThan(1);
});
