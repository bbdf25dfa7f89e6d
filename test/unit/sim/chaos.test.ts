import { describe, expect, test } from "vitest";
import { bugs } from "../../../lib/sim/bugs.ts";
import { chaos } from "../../../lib/sim/chaos.ts";
import { faultKinds, seamOf } from "../../../lib/sim/faults/faults.ts";
import { readSites } from "../../../lib/sim/faults/sites.ts";
import { invariants } from "../../../lib/sim/invariants.ts";
import { type RunOptions, runOnce } from "../../../lib/sim/run.ts";
import { nothingYet, plus, tallyOf } from "../../../lib/sim/tally.ts";
import { Scenario } from "../../../lib/sim/world/scenario.ts";

const sites = readSites();
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const options = (seed: number, over: Partial<RunOptions> = {}): RunOptions => ({
  scenario: Scenario.parse({}),
  seed,
  sites,
  settled,
  ...over,
});

test("all invariants hold while faults happen at every seam", async () => {
  let tally = nothingYet;
  for (let seed = 1; seed <= 12; seed += 1) {
    const result = await runOnce(options(seed));
    expect(result.violation, `seed ${seed}`).toBeUndefined();
    tally = plus(tally, tallyOf(result));
  }
  const faults = Object.values(tally.faults).reduce((sum, count) => sum + count, 0);
  expect(faults / tally.runs).toBeGreaterThan(20);
  const seams = new Set(faultKinds.filter((kind) => (tally.faults[kind] ?? 0) > 0).map(seamOf));
  expect(seams).toEqual(new Set(faultKinds.map(seamOf)));
  expect(tally.jobs["succeeded"]).toBeGreaterThan(50);
  expect(tally.jobs["failed"]).toBeGreaterThan(0);
  expect(tally.jobs["cancelled"]).toBeGreaterThan(0);
  expect(tally.jobs["rejected"]).toBeGreaterThan(0);
}, 60_000);

test("a run with the same seed repeats exactly", async () => {
  const bug = bugs.find(({ name }) => name === "drops-a-shard");
  for (const over of [{}, { plant: bug?.plant }]) {
    const [one, other] = [await runOnce(options(7, over)), await runOnce(options(7, over))];
    expect(JSON.stringify({ ...other, faults: [...other.faults] })).toBe(JSON.stringify({ ...one, faults: [...one.faults] }));
    expect(one.events).toBeGreaterThan(100);
  }
});

test("a run without faults comes to rest soon, and no job fails", async () => {
  const result = await runOnce(options(3, { only: new Set(), scenario: Scenario.parse({ jobs: { failing: 0, cancelled: 0 } }) }));
  expect(result.violation).toBeUndefined();
  expect([...result.faults]).toEqual([]);
  expect(result.jobs["failed"] ?? 0).toBe(0);
  expect(result.virtualMinutes).toBeLessThan(40);
});

describe("planted bugs", () => {
  test("every invariant has a bug that breaks it", () => {
    expect(new Set(bugs.map(({ breaks }) => breaks))).toEqual(new Set(invariants.map(({ number }) => number)));
  });

  // A bug may need all 150 seeds, which takes half a minute beside other tests.
  test.each(bugs)("the kit finds the planted bug $name: $says", { timeout: 90_000 }, async ({ plant, breaks, scenario }) => {
    const broken = new Set<number>();
    for (let seed = 1; seed <= 150 && !broken.has(breaks); seed += 1) {
      const { violation } = await runOnce(options(seed, { plant, scenario: Scenario.parse(scenario ?? {}) }));
      if (violation) broken.add(violation.invariant.number);
    }
    expect(broken).toContain(breaks);
  });
});

test("a failing seed is reduced to the faults that it needs, and fails with them alone", async () => {
  const bug = bugs.find(({ name }) => name === "fresh-token");
  const tally = await chaos({
    ...options(0, { plant: bug?.plant }),
    seeds: Array.from({ length: 60 }, (_, seed) => seed + 200),
    goesOn: ({ found }) => found.length === 0,
  });
  const [found] = tally.found;
  expect(found?.invariant.number).toBe(4);
  expect(found?.story.at(-1)).toContain("✗");
  expect(found?.needs?.length).toBeLessThan(5);
  const again = await runOnce(options(found?.seed ?? 0, { plant: bug?.plant, only: new Set(found?.needs) }));
  expect(again.violation?.invariant.number).toBe(4);
});

test("a scenario file may call maxLosses by its name of the last release", () => {
  const pool = { name: "gpu", limits: { usdPerHour: 10, gpus: 8 } };
  expect(Scenario.parse({ pools: [{ ...pool, mostLosses: 2 }] }).pools).toMatchObject([{ name: "gpu", maxLosses: 2 }]);
  expect(Scenario.safeParse({ pools: [{ ...pool, mostLosses: 2, maxLosses: 3 }] }).success).toBe(false);
});
