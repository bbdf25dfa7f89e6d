import { expect, test } from "vitest";
import type { Learned } from "../../../lib/model/plan.ts";
import { stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import { classesOf } from "../../../lib/optimizer/problem/classes.ts";
import { type EngineName, engineNames } from "../../../lib/optimizer/search/engines.ts";
import { optimize } from "../../../lib/optimizer/search/optimize.ts";
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

test("stored statistics of an engine that this release does not have are ignored, and are not stored again", () => {
  const [[sort, engines] = ["", {}]] = Object.entries(plan().learned);
  const ours = { [sort]: engines };
  const withOthers = { [sort]: { "arc-flow": { tries: 900, reward: 900 }, constructor: { tries: 1, reward: 1 }, ...engines } };
  expect(Object.keys(engines).length).toBeGreaterThan(1);
  expect(plan({ learned: withOthers })).toEqual(plan({ learned: ours }));
  expect(Object.keys(plan({ learned: withOthers }).learned[sort] ?? {}).sort()).toEqual([...engineNames].sort());
});
