import { describe, expect, test } from "vitest";
import { workLines } from "../../../lib/cli/cost/control/control-cost.ts";
import { type Billed, type Counts, everyBilled, noCounts, plusCounts, usdOf, usdOfAll } from "../../../lib/cli/cost/control/counts.ts";
import { memoryMiB, runBills } from "../../../lib/cli/cost/control/functions.ts";
import { portCall, tableMs } from "../../../lib/cli/cost/control/port-calls.ts";
import { type CostPart, type Measurement, measure } from "../../../lib/cli/cost/control/run.ts";
import { workBill } from "../../../lib/cli/cost/control/work-bill.ts";
import { fleet } from "./fleet-program.ts";

const quiet = () => {};
const measured = (jobs: number, seed = 1) => measure({ jobs }, { seed, far: quiet });

describe("prices", () => {
  test.each([
    ["runs", 1_000_000, 0.2],
    ["gibSeconds", 1_000, 0.0133334],
    ["reads", 1_000_000, 0.125],
    ["writes", 1_000_000, 0.625],
    ["sqs", 1_000_000, 0.4],
    ["sqsFifo", 1_000_000, 0.5],
    ["s3Puts", 1_000, 0.005],
    ["s3Gets", 1_000, 0.0004],
    ["keyRequests", 10_000, 0.03],
    ["logBytes", 2 ** 30, 0.5],
  ] satisfies [Billed, number, number][])("%s: %i cost $%f", (name, count, usd) => {
    expect(usdOf(name, count)).toBeCloseTo(usd, 10);
  });

  test("the sum of all is the sum of each", () => {
    const all = Object.fromEntries(everyBilled.map((name, n) => [name, n + 1])) as Counts;
    expect(usdOfAll(all)).toBeCloseTo(everyBilled.reduce((sum, name) => sum + usdOf(name, all[name]), 0));
    expect(usdOfAll(plusCounts(all, { reads: 1_000_000 }))).toBeCloseTo(usdOfAll(all) + 0.125);
  });
});

describe("a run of a function", () => {
  test("it is billed in whole milliseconds of its memory, and its queue with two requests", () => {
    expect(runBills("place", { waitedMs: 40.2, requests: 10 })).toMatchObject({ runs: 1, sqsFifo: 2, gibSeconds: (1769 / 1024) * 0.053 });
    expect(runBills("submit-jobs", { waitedMs: 0, requests: 0 })).toMatchObject({ sqs: 2 });
    expect(runBills("node", { waitedMs: 10, requests: 2 })).not.toHaveProperty("sqs");
  });

  test("a function with less memory has a slower processor", () => {
    const seconds = (name: "place" | "node"): number =>
      (runBills(name, { waitedMs: 0, requests: 20 }).gibSeconds ?? 0) / (memoryMiB[name] / 1024);
    expect(seconds("node") / seconds("place")).toBeCloseTo(1769 / 512, 0);
  });
});

describe("calls of ports", () => {
  test("a call whose requests are not known is an error, because the sum would be too low", () => {
    expect(() => portCall("shardStore", "put", undefined)).toThrow("it is not known what a call of shardStore.put costs");
    expect(() => portCall("lane", "toString", undefined)).toThrow("lane.toString");
  });

  test("a transaction takes longer than a read", () => {
    expect(tableMs("TransactWrite")).toBeGreaterThan(tableMs("Update"));
    expect(tableMs("Update")).toBeGreaterThan(tableMs("Get"));
  });
});

describe("the bill of work", () => {
  const measurement = (of: Partial<Measurement>, byPart: readonly (readonly [CostPart, Partial<Counts>])[]): Measurement => ({
    jobs: 0,
    states: {},
    decisions: 0,
    nodes: 0,
    nodeHours: 0,
    tableRequests: 0,
    ...of,
    byPart: new Map(byPart.map(([part, counts]) => [part, plusCounts(noCounts, counts)])),
  });
  const idle = measurement({ tableRequests: 5 }, [["tick", { runs: 90, reads: 600 }]]);
  const load = measurement({ jobs: 10, decisions: 4, nodeHours: 2, tableRequests: 25 }, [
    ["tick", { runs: 90, reads: 1_600 }],
    ["place", { runs: 4, writes: 100 }],
    ["node", { runs: 50 }],
  ]);

  test("it is what work costs beyond the same time without jobs, per 1,000 jobs", () => {
    const bill = workBill(load, idle);
    expect(bill).toMatchObject({ jobs: 10, tableRequests: 20 });
    expect(bill.parts.map(({ part, counts }) => [part, counts.runs, counts.reads, counts.writes])).toEqual(
      [
        ["tick", 0, 100_000, 0],
        ["place", 400, 0, 10_000],
        ["node", 5_000, 0, 0],
      ].toSorted((a, b) => order.indexOf(a[0]) - order.indexOf(b[0])),
    );
    expect(bill.usd).toBeCloseTo(100_000 * 0.125e-6 + 10_000 * 0.625e-6 + 5_400 * 0.2e-6);
    expect(bill.items.reduce((sum, { usd }) => sum + usd, 0)).toBeCloseTo(bill.usd);
    expect(bill.parts.reduce((sum, { usd }) => sum + usd, 0)).toBeCloseTo(bill.usd);
  });
  const order: unknown[] = ["tick", "place", "node"];

  test("decisions, calls of workers and node-hours have figures of their own", () => {
    const { usdPerThousand: per } = workBill(load, idle);
    expect(per.decisions).toBeCloseTo(250 * (100 * 0.625e-6 + 4 * 0.2e-6));
    expect(per.workerCalls).toBeCloseTo(1_000 * 0.2e-6);
    expect(per.nodeHours).toBeCloseTo(500 * 50 * 0.2e-6);
    expect(workBill({ ...load, decisions: 0 }, idle).usdPerThousand.decisions).toBe(0);
  });

  test("the lines say what each costs, what causes it, and what was measured", () => {
    const text = workLines(workBill({ ...load, states: { succeeded: 9, queued: 1 } }, idle), { seed: 7, width: 120 }).join("\n");
    expect(text).toMatch(/^write units of the table +10,000 +\$0\.0063$/m);
    expect(text).toMatch(/^in all +\$0\.0198$/m);
    expect(text).toMatch(/^place +400 +0 +10,000 +0 +\$0\.0063$/m);
    expect(text).toContain("seed 7: 10 jobs in an hour (1 queued, 9 succeeded)");
  });
});

describe("a measured hour", () => {
  test("the same seed gives the same counts, and another one gives others", async () => {
    const [one, again, other] = [await measured(4), await measured(4), await measured(4, 2)];
    expect(again).toEqual(one);
    expect(other.byPart).not.toEqual(one.byPart);
  });

  test("all jobs end, all nodes are given back, and each decision is paid for", async () => {
    const { states, decisions, nodes, nodeHours, byPart, tableRequests } = await measured(6, 3);
    expect(Object.values(states).reduce((sum, n) => sum + n, 0)).toBe(6);
    expect(states).not.toHaveProperty("queued");
    expect(nodes).toBeGreaterThan(0);
    expect(nodeHours).toBeGreaterThan(nodes * 0.05);
    expect(nodeHours).toBeLessThan(nodes * 1.5);
    const place = byPart.get("place") ?? noCounts;
    expect(decisions).toBeGreaterThanOrEqual(6);
    // A decision raises the epoch and its 16 copies, in a transaction, takes the bell, and records that it has heard it.
    expect(place.writes).toBeGreaterThanOrEqual(decisions * (1 + 2 * 16 + 1 + 1));
    expect(place.sqsFifo).toBeGreaterThanOrEqual(2 * place.runs);
    expect(byPart.get("teams")).toEqual({ ...noCounts, sqs: 6 });
    expect(tableRequests).toBeGreaterThan(1_000);
  });

  test("without jobs there are only ticks", async () => {
    const { byPart, nodes, decisions } = await measured(0);
    expect([...byPart.keys()]).toEqual(["tick"]);
    expect({ nodes, decisions }).toEqual({ nodes: 0, decisions: 0 });
  });
});

describe("fleet cost --control", () => {
  test("it prints JSON for programs, with the seed that gives the same figures again", async () => {
    const { code, out } = await fleet("cost", "--control", "--jobs", "2", "--seed", "5", "--json");
    expect(code).toBe(0);
    const bill = JSON.parse(out);
    expect(bill).toMatchObject({ seed: 5, jobs: 2, usdPerThousand: { decisions: expect.any(Number) } });
    expect(bill.usd).toBeGreaterThan(0.1);
    expect(bill.usd).toBeLessThan(10);
    expect(out.trim().split("\n")).toHaveLength(1);
  });

  test("it prints a table for people", async () => {
    const { code, out } = await fleet("cost", "--control", "--jobs", "2");
    expect(code).toBe(0);
    expect(out).toMatch(/^PER 1,000 JOBS +COUNT +USD$/m);
    expect(out).toMatch(/^CAUSED BY +RUNS +READS +WRITES +GIB-S +USD$/m);
  });

  test.each([
    [["--control", "--idle"], "cannot be used with option"],
    [["--control", "--config", "a.ts"], "cannot be used with option"],
    [["--control", "--jobs", "0"], "expected a whole number from 1 to 150"],
    [["--idle", "--jobs", "5"], "cannot be used with option"],
    [[], "say which cost"],
  ])("fleet cost %j is refused: %s", async (args, message) => {
    const { code, err } = await fleet("cost", ...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test("its help says what it measures, and shows commands", async () => {
    const { out } = await fleet("cost", "--help");
    expect(out).toContain("--control");
    expect(out).toContain("fleet cost --control --jobs 20 --json | jq .usdPerThousand");
  });
});
