import fc from "fast-check";
import { expect, test } from "vitest";
import { stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import { classesOf } from "../../../lib/optimizer/problem/classes.ts";
import type { Problem } from "../../../lib/optimizer/problem/problem.ts";
import { consolidate } from "../../../lib/optimizer/search/drains.ts";
import { optimize } from "../../../lib/optimizer/search/optimize.ts";
import type { Solution } from "../../../lib/optimizer/search/solution.ts";
import { stormRuns } from "../storm-runs.ts";
import { wrongsOf } from "./checker.ts";
import { jobs, problem } from "./problems.ts";

/** Problems in which some nodes have prices and hold jobs of their own. Many cost so much that they are worth emptying. */
const withWork: fc.Arbitrary<Problem> = fc
  .record({
    of: problem,
    held: jobs(8),
    prices: fc.array(fc.constantFrom(undefined, 0.01, 0.4, 3, 20, 20, 60), { minLength: 6, maxLength: 6 }),
  })
  .map(({ of, held, prices }) => ({
    ...of,
    nodes: of.nodes.map((node, at) => {
      const runs = held.filter((_, n) => n % of.nodes.length === at).map(({ nodes: _, ...job }) => ({ ...job, name: `held-${job.name}` }));
      return { ...node, usdPerHour: prices[at % prices.length], ...(runs.length > 0 ? { holds: classesOf(runs) } : {}) };
    }),
  }));
/** Returns new options, because a budget can be spent only once. */
const options = (steps = 10_000) => ({ budget: stepBudget(steps), boundBudget: stepBudget(steps), seed: 1 });
/** Steps of the last search. With 1, the result of the tries is kept. */
const lastSteps = fc.constantFrom(1, 10_000);
const dollars = ({ cost }: Solution): number => cost.fleetUsd + cost.interruptionsUsd + cost.dataUsd + cost.waitingUsd;
const waiting = (solution: Solution): number => solution.waiting.reduce((sum, { jobs: all }) => sum + all.length, 0);

const numRuns = stormRuns(1_000);

test("the jobs of an emptied node have a place elsewhere, the saving exceeds the loss, and no other job waits for it", () => {
  let emptied = 0;
  fc.assert(
    fc.property(withWork, lastSteps, (of, steps) => {
      const { solution, drains, problem: then } = consolidate(of, options(steps));
      emptied += drains.length;
      expect(wrongsOf(then, solution)).toEqual([]);
      expect(solution.boundUsd).toBeLessThanOrEqual(dollars(solution) + 1e-9);
      const names = new Set(drains.map(({ node }) => node));
      expect(then.nodes.map(({ name }) => name)).toEqual(of.nodes.map(({ name }) => name).filter((name) => !names.has(name)));
      const placed = [...solution.bindings, ...solution.purchases].flatMap((each) => each.jobs);
      const isTried = of.nodes.some(({ usdPerHour = 0, holds }) => usdPerHour > 0 && holds);
      const before = optimize(of, { ...options(), budget: stepBudget(isTried ? 20_000 : steps), boundBudget: undefined });
      for (const { jobs: moved } of drains) expect(moved.filter((job) => !placed.includes(job))).toEqual([]);
      expect(waiting(solution)).toBeLessThanOrEqual(waiting(before));
      const saved = drains.reduce((sum, { usdPerHour, lostUsd }) => sum + usdPerHour - lostUsd, 0);
      if (drains.length > 0) expect(dollars(solution) - saved).toBeLessThan(dollars(before));
      // The plan is no worse than before, whatever the last search found.
      expect(dollars(solution) - saved).toBeLessThanOrEqual(dollars(before) + 1e-6);
    }),
    { numRuns },
  );
  expect(emptied).toBeGreaterThan(numRuns / 10);
});

test("no node is emptied if nodes have neither prices nor jobs, and the plan is the optimizer's", () => {
  fc.assert(
    fc.property(problem, (of) => {
      const { solution, drains } = consolidate(of, options());
      expect(drains).toEqual([]);
      expect(solution).toEqual(optimize(of, options()));
    }),
    { numRuns: stormRuns(300) },
  );
});
