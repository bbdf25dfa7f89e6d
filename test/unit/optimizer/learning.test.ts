import { describe, expect, test } from "vitest";
import { classesOf } from "../../../lib/optimizer/problem/classes.ts";
import { instanceOf } from "../../../lib/optimizer/problem/instance.ts";
import type { NamedJob } from "../../../lib/optimizer/problem/problem.ts";
import { engineNames } from "../../../lib/optimizer/search/engines.ts";
import { Policy, sortOf } from "../../../lib/optimizer/search/learning.ts";

const offer = {
  name: "o",
  type: "o",
  zone: "a",
  market: "on-demand" as const,
  usdPerHour: 1,
  capacity: [16, 64],
  gpu: { count: 1, model: "t4", memoryGiB: 16 },
};
const instance = (count: number, over: Partial<NamedJob> = {}, withNode = false) => {
  const jobs = Array.from({ length: count }, (_, n): NamedJob => ({ name: `j${n}`, size: [1, 1 + n / 1_000], ...over }));
  const node = { name: "n", room: [16, 64], type: "t", zone: "a", market: "on-demand" as const };
  return instanceOf({ dimensions: ["vcpus", "memoryGiB"], jobs: classesOf(jobs), nodes: withNode ? [node] : [], offers: [offer] });
};
const sort = sortOf(instance(10));
const experienceOf = (policy: Policy, engine: string) => policy.learned()[sort]?.[engine];

describe("the sort of an instance", () => {
  test.each([
    ["few jobs", instance(1), "jobs 1e0, shapes 1e0, whole, empty"],
    ["ten shapes", instance(10), "jobs 1e1, shapes 1e1, whole, empty"],
    ["thirty shapes", instance(30), "jobs 1e1.5, shapes 1e1.5, whole, empty"],
    ["many jobs of one shape", instance(100, { size: [1, 1] }), "jobs 1e2, shapes 1e0, whole, empty"],
    ["shares of GPUs", instance(1, { gpu: { count: 0.5 } }), "jobs 1e0, shapes 1e0, shares, empty"],
    ["existing nodes", instance(1, {}, true), "jobs 1e0, shapes 1e0, whole, nodes"],
  ])("an instance with %s has a sort of its own", (_what, of, name) => {
    expect(sortOf(of)).toBe(name);
  });
});

describe("the rewards of engines", () => {
  test("a thousandth that is saved per hundred thousand steps earns the full reward, and nothing earns more", () => {
    const policy = new Policy(instance(10));
    policy.reward("columns", { saved: 0.0005, steps: 100_000 });
    policy.reward("genetic", { saved: 0.5, steps: 10 });
    policy.reward("ruin-any-4", { saved: -1, steps: 10 });
    expect(experienceOf(policy, "columns")).toEqual({ tries: 1, reward: 0.5 });
    expect(experienceOf(policy, "genetic")).toEqual({ tries: 1, reward: 1 });
    expect(experienceOf(policy, "ruin-any-4")).toEqual({ tries: 1, reward: 0 });
  });

  test("older tries fade after four hundred, so that the number of tries does not grow beyond that", () => {
    const policy = new Policy(instance(10), { [sort]: { columns: { tries: 399, reward: 100 } } });
    policy.reward("columns", { saved: 1, steps: 1 });
    expect(experienceOf(policy, "columns")).toEqual({ tries: 400, reward: 101 });
    policy.reward("columns", { saved: 1, steps: 1 });
    expect(experienceOf(policy, "columns")).toEqual({ tries: 400, reward: 101 * (399 / 400) + 1 });
  });
});

describe("the choice of an engine", () => {
  test("column generation is chosen first for more than a few jobs, and ruin and recreate for few", () => {
    expect(new Policy(instance(5)).choose(engineNames)).toBe("columns");
    expect(new Policy(instance(4)).choose(engineNames)).toBe("ruin-any-4");
    expect(new Policy(instance(5)).choose([])).toBeUndefined();
  });

  test("an engine that has earned nothing for long is left for one that earns", () => {
    const learned = { [sort]: { columns: { tries: 50, reward: 0 }, genetic: { tries: 50, reward: 45 } } };
    expect(new Policy(instance(10), learned).choose(["columns", "genetic"])).toBe("genetic");
  });

  test("of two engines that earn the same, the one that was tried less is chosen", () => {
    const learned = { [sort]: { "ruin-any-4": { tries: 100, reward: 20 }, "ruin-worst-8": { tries: 10, reward: 2 } } };
    expect(new Policy(instance(10), learned).choose(["ruin-any-4", "ruin-worst-8"])).toBe("ruin-worst-8");
  });

  // By the rules, columns earns 1 and genetic 0.1.
  test("the rules weigh as much as four tries", () => {
    const learnedBy = (reward: number) => ({ [sort]: { columns: { tries: 50, reward: 0 }, genetic: { tries: 50, reward } } });
    expect(new Policy(instance(10), learnedBy(3.5)).choose(["columns", "genetic"])).toBe("columns");
    expect(new Policy(instance(10), learnedBy(3.7)).choose(["columns", "genetic"])).toBe("genetic");
  });

  test("an engine that was never tried is tried if it may earn about 0.3 less than one that was tried a hundred times", () => {
    const learnedBy = (reward: number) => ({ [sort]: { columns: { tries: 96, reward } } });
    expect(new Policy(instance(10), learnedBy(34)).choose(["columns", "genetic"])).toBe("genetic");
    expect(new Policy(instance(10), learnedBy(36)).choose(["columns", "genetic"])).toBe("columns");
  });

  test("statistics of another sort do not count", () => {
    const other = { "jobs 1e5, shapes 1e0, whole, empty": { columns: { tries: 400, reward: 0 }, genetic: { tries: 400, reward: 400 } } };
    expect(new Policy(instance(10), other).choose(["columns", "genetic"])).toBe("columns");
  });
});

test("statistics are kept of the sixty-four sorts that were tried most, in the order of their names", () => {
  const before = Object.fromEntries(Array.from({ length: 70 }, (_, n) => [`s${10 + n}`, { columns: { tries: n + 1, reward: 0 } }]));
  const policy = new Policy(instance(10), before);
  for (let n = 0; n < 20; n += 1) policy.reward("columns", { saved: 0, steps: 1 });
  const kept = Object.keys(policy.learned());
  expect(kept).toHaveLength(64);
  expect(kept).toEqual([sort, ...Array.from({ length: 63 }, (_, n) => `s${17 + n}`)]);
});
