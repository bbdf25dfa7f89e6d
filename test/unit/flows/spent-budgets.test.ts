import { expect, test } from "vitest";
import type { Pool } from "../../../lib/model/pool.ts";
import { aCatalogue, anOffer, aPool } from "../../fakes/builders.ts";
import { ModelWorker } from "./model-worker.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld, type World } from "./world.ts";

const hour = 3_600;
const drain = { usdPerDay: 2, whenSpent: "drain" } as const;

/** A busy node at half a dollar per hour with its worker, since monday 00:00 UTC. `at` lets time pass until so many seconds later. */
async function working(over: Partial<Pool>) {
  const world = aWorld({ pool: aPool({ drainSeconds: 600, ...over }), catalogue: aCatalogue({ offers: [anOffer()] }) });
  const startMs = world.nowMs;
  await world.submit("a", { maxRuntimeSeconds: 48 * hour });
  await world.workOff();
  const worker = new ModelWorker(world, world.node.id);
  await worker.call();
  worker.begin();
  const at = async (seconds: number): Promise<void> => {
    // The worker calls often enough to keep its lease.
    for (const untilMs = startMs + seconds * 1000; world.nowMs < untilMs; ) {
      world.nowMs = Math.min(untilMs, world.nowMs + 600_000);
      await worker.call();
    }
    await world.ringLater();
    await world.workOff();
  };
  await at(10);
  return { world, worker, at };
}

/** Calls as the tick does, often enough for the worker to stop and the node to be given back. */
async function goOn(at: (seconds: number) => Promise<void>, fromSeconds: number): Promise<void> {
  for (let n = 1; n <= 5; n += 1) await at(fromSeconds + n);
}

const launches = (world: World): number => world.ledger.table.settledLaunches.size;

test.each([
  ["the pool's", { budgets: drain }],
  ["its team's", { teamBudgets: { vision: drain } }],
])(
  "if %s budget is used up and drains, a job is stopped after the drain time, keeps its retries, and runs again the next day",
  async (_whose, over) => {
    const { world, worker, at } = await working(over);
    await at(4 * hour - 60);
    expect(world.node.state).toBe("ready");
    await at(4 * hour + 1);
    expect(world.node).toMatchObject({
      state: "draining",
      drain: { because: expect.stringMatching(/^the budget of \$2 a day.* is used up$/) },
    });
    expect(worker.phaseOf("a")).toBe("running");
    await at(4 * hour + 600);
    expect(worker.phaseOf("a")).toBe("running");
    await at(4 * hour + 601);
    await goOn(at, 4 * hour + 601);
    expect(world.job("a")).toMatchObject({ state: "queued", attempt: 2, failures: 0 });
    expect(world.job("a")?.losses).toBeUndefined();
    expect(world.fleet.live).toEqual([]);

    // Nothing starts again before the period renews.
    await at(23 * hour);
    await at(24 * hour - 1);
    expect([world.job("a")?.state, launches(world)]).toEqual(["queued", 1]);
    await at(24 * hour);
    expect([world.job("a")?.state, launches(world)]).toEqual(["placed", 2]);
    expect(world.node.state).toBe("launching");
    expectOneTruth(world);
  },
);

test("work goes on if the budget renews before the drain would be over, and nothing is launched or ended around midnight", async () => {
  const { world, worker, at } = await working({ budgets: { usdPerDay: 11.95, whenSpent: "drain" }, limits: { usdPerHour: 0.5, gpus: 1 } });
  // The budget is used up six minutes before midnight.
  for (const seconds of [23 * hour, 24 * hour - 350, 24 * hour - 60, 24 * hour + 1, 24 * hour + 700, 25 * hour]) await at(seconds);
  expect(world.node.state).toBe("ready");
  expect(worker.phaseOf("a")).toBe("running");
  expect([world.job("a")?.attempt, launches(world)]).toEqual([1, 1]);
});

test("a budget that only stops growth lets a running job go on after it is used up", async () => {
  const { world, worker, at } = await working({ budgets: { usdPerDay: 2 } });
  for (const seconds of [4 * hour, 5 * hour, 9 * hour]) await at(seconds);
  expect(world.node.state).toBe("ready");
  expect(worker.phaseOf("a")).toBe("running");
});
