import { describe, expect, test } from "vitest";
import type { Learned } from "../../../lib/model/plan.ts";
import type { SolveProgram } from "../../../lib/model/planning/linear-program.ts";
import { Pricing } from "../../../lib/optimizer/bounds/pricing.ts";
import { ColumnGeneration } from "../../../lib/optimizer/engines/column-generation.ts";
import { Counted, stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import { classesOf } from "../../../lib/optimizer/problem/classes.ts";
import { instanceOf } from "../../../lib/optimizer/problem/instance.ts";
import type { JobClass } from "../../../lib/optimizer/problem/problem.ts";
import { createEngines, type EngineName, engineNames } from "../../../lib/optimizer/search/engines.ts";
import { optimize } from "../../../lib/optimizer/search/optimize.ts";
import { Placing } from "../../../lib/optimizer/search/placing.ts";
import { loadHighs } from "../../../lib/solver/highs.ts";
import { madeFleet } from "../../bench/fleet/data.ts";

const { jobs, offers } = madeFleet("spot", 100);
const problem = { dimensions: ["vcpus", "memoryGiB"], jobs: classesOf(jobs), nodes: [], offers };
const plan = (of: { engines?: readonly EngineName[]; learned?: Learned } = {}) =>
  optimize(problem, { budget: stepBudget(2_000_000), seed: 3, ...of });

test("the order in which engines are listed does not change the plan", () => {
  const listed = plan();
  expect(listed.engine).not.toBe("greedy");
  expect(Object.keys(listed.earned).sort()).toEqual([...engineNames].sort());
  expect(plan({ engines: engineNames.toReversed() })).toEqual(listed);
});

test("the jobs of a new node are listed by name, whatever their sizes", () => {
  const of = (name: string, size: number): JobClass => ({ names: [name], size: [size, size], spot: true });
  for (const small of ["a", "b", "c"]) {
    const [large, medium] = ["a", "b", "c"].filter((name) => name !== small) as [string, string];
    const few = { ...problem, jobs: [of(small, 0.1), of(medium, 0.2), of(large, 0.3)] };
    const { purchases } = optimize(few, { budget: stepBudget(1_000), seed: 3 });
    expect(purchases.map(({ jobs: names }) => names)).toEqual([["a", "b", "c"]]);
  }
});

test("a plan of several searches names the last engine that found a packing better than greedy's", () => {
  const placing = new Placing(problem, { budget: new Counted(stepBudget(2_000_000)), seed: 3 });
  placing.place(problem.jobs);
  const { engine } = placing.solution();
  expect(engine).not.toBe("greedy");
  // Greedy's packing of a single job is the best one.
  placing.place([{ names: ["late"], size: [1, 1], spot: true }]);
  expect(placing.solution()).toMatchObject({ engine, waiting: [] });
});

test("stored statistics of an engine that this release does not have are ignored, and are not stored again", () => {
  const [[sort, engines] = ["", {}]] = Object.entries(plan().learned);
  const ours = { [sort]: engines };
  const withOthers = { [sort]: { "arc-flow": { tries: 900, reward: 900 }, constructor: { tries: 1, reward: 1 }, ...engines } };
  expect(Object.keys(engines).length).toBeGreaterThan(1);
  expect(plan({ learned: withOthers })).toEqual(plan({ learned: ours }));
  expect(Object.keys(plan({ learned: withOthers }).learned[sort] ?? {}).sort()).toEqual([...engineNames].sort());
});

test.each(engineNames)("the engine %s leaves the packing that it improves as it was, also if jobs wait in it", (name) => {
  const scarce = offers.map((offer) => ({ ...offer, most: 1 }));
  const pricing = new Pricing(instanceOf({ ...problem, offers: scarce }));
  const columns = new ColumnGeneration(pricing);
  const engine = createEngines([name], { pricing, columns, seed: 3, solve: undefined }).get(name);
  const packing = columns.greedy();
  const before = structuredClone(packing);
  expect(packing.waits).toBeGreaterThan(0);
  for (let slice = 0; slice < 3; slice += 1) engine?.improve(packing);
  expect(packing).toEqual(before);
});

describe("a search that cannot improve the first plan", () => {
  const offer = { name: "o", type: "t", zone: "z", market: "on-demand", usdPerHour: 1, capacity: [4, 4] } as const;
  const large = { names: ["a", "b"], size: [3, 3] };
  const problemOf = (...sized: readonly JobClass[]) => ({ dimensions: ["vcpus", "memoryGiB"], jobs: sized, nodes: [], offers: [offer] });

  test("a search ends after 400 slices in a row that save nothing", () => {
    let slices = -1;
    const spend = (): boolean => {
      slices += 1;
      return true;
    };
    // Without a common divisor of the numbers of jobs, there is no part that the first plan could repeat.
    const other = { names: ["c"], size: [3, 2] };
    expect(optimize(problemOf(large, other), { budget: { spend }, seed: 3, engines: ["ruin-any-4"] }).engine).toBe("greedy");
    expect(slices).toBe(400);
  });

  test("a slice that saves something starts the count of 400 again", () => {
    const { jobs: few, offers: sold } = madeFleet("spot", 20);
    const some = { dimensions: ["vcpus", "memoryGiB"], jobs: classesOf(few), nodes: [], offers: sold };
    /** Returns the plan's cost, and how often the search asked whether it may go on. */
    const searched = (engines: readonly EngineName[]) => {
      let asked = 0;
      const spend = (): boolean => {
        asked += 1;
        return true;
      };
      return { usd: optimize(some, { budget: { spend }, seed: 3, engines }).cost.fleetUsd, asked };
    };
    const [first, improved] = [searched([]), searched(["ruin-any-4"])];
    expect(improved.usd).toBeLessThan(first.usd);
    expect(improved.asked - first.asked).toBeGreaterThan(400);
  });

  test("an engine that has nothing more to try works only once, even if the plan is not proven", async () => {
    const highs = await loadHighs();
    let solved = 0;
    const solve: SolveProgram = (...of) => {
      solved += 1;
      return highs(...of);
    };
    // A job that fits nowhere waits, so no plan is proven to be the cheapest.
    const { waiting } = optimize(problemOf(large, { names: ["huge"], size: [9, 9] }), {
      budget: stepBudget(10_000_000),
      seed: 3,
      engines: [],
      solve,
    });
    expect(waiting.map(({ jobs: those }) => those)).toEqual([["huge"]]);
    expect(solved).toBe(1);
  });
});
