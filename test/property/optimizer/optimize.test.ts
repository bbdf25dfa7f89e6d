import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clockBudget, stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import { classesOf } from "../../../lib/optimizer/problem/classes.ts";
import type { Problem } from "../../../lib/optimizer/problem/problem.ts";
import { optimize } from "../../../lib/optimizer/search/optimize.ts";
import type { Solution } from "../../../lib/optimizer/search/solution.ts";
import { stormRuns } from "../storm-runs.ts";
import { wrongsOf } from "./checker.ts";
import { offers, problem } from "./problems.ts";

const solutionOf = (of: Problem, steps = 20_000): Solution =>
  optimize(of, { budget: stepBudget(steps), boundBudget: stepBudget(20_000), seed: 7 });
const dollars = ({ cost }: Solution): number => cost.fleetUsd + cost.interruptionsUsd + cost.dataUsd;
/** Returns the plan without the fields that only describe how it was found. */
const plan = ({ bindings, purchases, waiting, cost, engine, steps }: Solution) => ({ bindings, purchases, waiting, cost, engine, steps });

describe("any problem", () => {
  test("no bin is overfilled, and every job has exactly one place or waits", () => {
    fc.assert(
      fc.property(problem, (of) => {
        expect(wrongsOf(of, solutionOf(of))).toEqual([]);
      }),
      { numRuns: stormRuns(1_500) },
    );
  });

  test("the lower bound is never above the cost of the plan", () => {
    fc.assert(
      fc.property(problem, (of) => {
        const given = solutionOf(of);
        expect(given.boundUsd).toBeLessThanOrEqual(dollars(given) + 1e-9);
        if (given.gap !== undefined) expect(given.gap).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: stormRuns(500) },
    );
  });

  test("every job that waits has a reason", () => {
    fc.assert(
      fc.property(problem, (of) => {
        for (const each of solutionOf(of).waiting) {
          expect(each.reasons.length).toBeGreaterThan(0);
          if (each.change === undefined) expect(of.offers).toEqual([]);
        }
      }),
      { numRuns: stormRuns(500) },
    );
  });

  test("a plan made within a time limit is repeated exactly by its number of steps", () => {
    fc.assert(
      fc.property(problem, fc.integer({ min: 1, max: 30 }), (of, looks) => {
        let nowMs = 0;
        const byClock = optimize(of, { budget: clockBudget(() => (nowMs += 1), looks), seed: 3 });
        expect(plan(optimize(of, { budget: stepBudget(byClock.steps), seed: 3 }))).toEqual(plan(byClock));
      }),
      { numRuns: stormRuns(500) },
    );
  });

  test("the engines' plan never costs more than greedy's if all jobs have a place", () => {
    fc.assert(
      fc.property(problem, (of) => {
        const [greedy, best] = [optimize(of, { budget: stepBudget(1), engines: [], seed: 1 }), solutionOf(of, 200_000)];
        if (greedy.waiting.length === 0) expect(dollars(best)).toBeLessThanOrEqual(dollars(greedy) + 1e-9);
      }),
      { numRuns: stormRuns(500) },
    );
  });

  test("the order of jobs, nodes and offers does not change the plan", () => {
    fc.assert(
      fc.property(problem, fc.integer(), (of, salt) => {
        const shuffled = <T>(all: readonly T[]): T[] => all.toSorted((a, b) => turn(a, salt) - turn(b, salt));
        const other = {
          ...of,
          offers: shuffled(of.offers),
          nodes: shuffled(of.nodes),
          jobs: shuffled(of.jobs).map((job) => ({ ...job, names: shuffled(job.names) })),
        };
        expect(plan(solutionOf({ ...other, jobs: classesOf(each(other)) }))).toEqual(plan(solutionOf(of)));
      }),
      { numRuns: stormRuns(500) },
    );
  });

  test("multiplying all dollars by ten does not change the plan", () => {
    fc.assert(
      fc.property(problem, (of) => {
        const dear = {
          ...of,
          offers: of.offers.map((offer) => ({
            ...offer,
            usdPerHour: offer.usdPerHour * 10,
            uses: { ...offer.uses, usd: offer.usdPerHour * 10 },
          })),
          limits: of.limits?.map((limit) => (limit.name === "usd" ? { ...limit, most: limit.most * 10 } : limit)),
          terms: { ...of.terms, usdPerGiB: (of.terms?.usdPerGiB ?? 0) * 10 },
        };
        const names = (all: Solution) => all.purchases.map(({ offer, jobs }) => ({ offer: offer.name, jobs }));
        const [one, ten] = [solutionOf(of), solutionOf(dear)];
        expect(names(ten)).toEqual(names(one));
        expect(ten.bindings).toEqual(one.bindings);
      }),
      { numRuns: stormRuns(500) },
    );
  });

  test("a duplicate or dominated offer does not change the cost of the plan", () => {
    fc.assert(
      fc.property(problem, offers(3), (of, more) => {
        const unlimited = of.offers.filter((offer) => offer.most === undefined);
        const needless = unlimited.flatMap((offer) => [
          { ...offer, name: `${offer.name}-again` },
          ...more.slice(0, 1).map(() => ({ ...offer, name: `${offer.name}-dearer`, usdPerHour: offer.usdPerHour * 1.5 })),
        ]);
        const used = needless.map((offer) => ({ ...offer, uses: { ...offer.uses, usd: offer.usdPerHour } }));
        const other = solutionOf({ ...of, offers: [...of.offers, ...used] });
        expect(dollars(other)).toBe(dollars(solutionOf(of)));
      }),
      { numRuns: stormRuns(500) },
    );
  });
});

describe("trivial problems", () => {
  const job = { size: [1, 1], gpu: { count: 1 } };
  const offer = {
    name: "o",
    type: "o",
    zone: "a",
    market: "on-demand" as const,
    usdPerHour: 1,
    capacity: [4, 16],
    gpu: { count: 1, model: "t4", memoryGiB: 16 },
  };
  const named = (count: number) => Array.from({ length: count }, (_, index) => ({ ...job, name: `j${index}` }));
  test.each([0, 1, 20])("a plan for %i equal jobs is optimal", (count) => {
    const of: Problem = { dimensions: ["vcpus", "memoryGiB"], jobs: classesOf(named(count)), nodes: [], offers: [offer] };
    const given = solutionOf(of, 1e6);
    expect(given.purchases).toHaveLength(count);
    expect(given.gap).toBeCloseTo(0, 3);
  });

  test("all jobs wait if there are no offers", () => {
    const given = solutionOf({ dimensions: ["vcpus", "memoryGiB"], jobs: classesOf(named(3)), nodes: [], offers: [] });
    expect(given.waiting).toEqual([{ jobs: ["j0", "j1", "j2"], reasons: [{ kind: "no offers" }] }]);
  });
});

/** Returns the jobs of a problem one by one, without classes. */
const each = ({ jobs }: Problem) => jobs.flatMap(({ names, ...need }) => names.map((name) => ({ ...need, name })));
const turn = (of: unknown, salt: number): number =>
  [...JSON.stringify(of)].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, salt);
