import { expect, test } from "vitest";
import { readSites } from "../../../lib/sim/faults/sites.ts";
import { TableLoad } from "../../../lib/sim/load/table-load.ts";
import { writesOf } from "../../../lib/sim/load/writes.ts";
import { runOnce } from "../../../lib/sim/run.ts";
import { Scenario } from "../../../lib/sim/world/scenario.ts";

const bell = { partition: "P#gpu", sort: "BELL" };

/** Returns a table's load, and a function that writes the bell as another handler each time. */
function stage(capacity: { writesPerSecond?: number; inFlightMs?: number } = {}) {
  const time = { ms: 0 };
  const load = new TableLoad(() => time.ms, { writesPerSecond: 1000, inFlightMs: 15, ...capacity });
  return { time, load, ring: () => load.count([bell], {}) };
}

test("the first write of an item meets no other", () => {
  expect(stage().ring()).toEqual({ conflict: 0, hot: 0 });
});

test("the chance of a conflict grows with the writes of others within the last second, up to a bound", () => {
  const { ring, time } = stage();
  ring();
  expect(ring().conflict).toBeCloseTo(0.015);
  expect(ring().conflict).toBeCloseTo(1 - 0.985 ** 2);
  for (let n = 0; n < 1000; n += 1) ring();
  expect(ring().conflict).toBe(0.8);
  time.ms = 1_000;
  expect(ring().conflict).toBe(0);
});

test("writes of the same handler, and of other items, do not conflict", () => {
  const { load } = stage();
  const handler = {};
  for (let n = 0; n < 5; n += 1) expect(load.count([bell], handler).conflict).toBe(0);
  expect(load.count([{ ...bell, sort: "POOL" }], {}).conflict).toBe(0);
  expect(load.count([{ ...bell, sort: "POOL" }, bell], {}).conflict).toBeCloseTo(1 - 0.985 ** 6);
});

test("a partition refuses the share of its writes that it cannot take, whatever items they are of", () => {
  const { load, time } = stage({ writesPerSecond: 10 });
  const write = (n: number) => load.count([{ partition: "N#gpu#0", sort: `i-${n}` }], {}).hot;
  const chances = Array.from({ length: 20 }, (_, n) => write(n));
  expect(chances.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 0));
  expect(chances[19]).toBeCloseTo(0.5);
  time.ms = 1_500;
  // Half of the second before lies within the last second.
  expect(write(20)).toBeCloseTo(1 - 10 / 11);
  time.ms = 5_000;
  expect(write(21)).toBe(0);
});

test("the items of a call are those that it writes", () => {
  const job = { team: "vision", job: "a", pool: "gpu", attempt: 1 };
  expect(writesOf("bell", "ring", ["gpu", "job"])).toEqual([bell]);
  expect(
    writesOf("placements", "bind", [
      { pool: "gpu", epoch: 1 },
      { entry: job, node: { id: "i-1" } },
    ]).map(({ sort }) => sort),
  ).toEqual(["STATE", "a", "i-1"]);
  expect(writesOf("decisions", "load", ["gpu", 0])).toEqual([]);
  expect(writesOf("fleet", "launch", [])).toEqual([]);
});

test("a busy table conflicts and refuses in a run, which holds all the same, and an idle one does not", async () => {
  const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  const struck = async (tableCapacity: object): Promise<readonly (number | undefined)[]> => {
    const scenario = Scenario.parse({ tableCapacity, poolRemoved: 0, jobs: { count: { from: 20, to: 20 } } });
    const only = new Set(["table.conflict", "table.hot"] as const);
    const { faults, violation } = await runOnce({ scenario, seed: 5, sites: readSites(), settled, only });
    expect(violation).toBeUndefined();
    return [faults.get("table.conflict"), faults.get("table.hot")];
  };
  const [conflicts = 0, hot = 0] = await struck({ writesPerSecond: 2, inFlightMs: 300 });
  expect(conflicts).toBeGreaterThan(10);
  expect(hot).toBeGreaterThan(10);
  expect(await struck({ writesPerSecond: 1000, inFlightMs: 0 })).toEqual([undefined, undefined]);
});
