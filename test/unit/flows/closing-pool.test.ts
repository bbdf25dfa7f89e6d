import { describe, expect, test } from "vitest";
import { place } from "../../../lib/flows/place.ts";
import { poolToPlace } from "../../../lib/flows/pool/pool-to-place.ts";
import { closePools } from "../../../lib/flows/tick/close-pools.ts";
import { aPool } from "../../fakes/builders.ts";
import { ModelWorker } from "./model-worker.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld } from "./world.ts";

const because = "pool gpu was removed from the configuration";
const gone = poolToPlace([aPool({ name: "other" })], "gpu");

/** The pool has a running job, an empty node and a waiting job when it is removed from the configuration. */
async function takenOut() {
  const world = aWorld({ pool: aPool({ limits: { usdPerHour: 10, gpus: 1 } }) });
  await world.submit("runs");
  await world.workOff();
  const worker = new ModelWorker(world, world.node.id);
  await worker.call();
  worker.begin();
  await worker.call();
  await world.submit("waits");
  await world.workOff();
  const closeOnce = async () => {
    await place(world.placeDeps, { pool: gone, msLeft: () => 20_000 });
  };
  return { world, worker, closeOnce };
}

describe("a pool that was removed from the configuration", () => {
  test("a removed pool fails waiting jobs, lets running jobs end, and then gives its nodes back", async () => {
    const { world, worker, closeOnce } = await takenOut();
    const id = world.node.id;
    await closeOnce();
    expect(world.job("waits")).toMatchObject({
      state: "failed",
      endCode: "pool-removed",
      reason: `${because}; submit the job to another pool`,
    });
    expect(world.node).toMatchObject({ state: "draining", drain: { because, untilMs: world.nowMs + 3_600_000 } });
    world.nowMs += 30_000;
    await worker.call();
    expect(worker.phaseOf("runs")).toBe("running");
    worker.end(1);
    await worker.call();
    await closeOnce();
    expect(world.job("runs")).toMatchObject({ state: "failed", attempt: 1 });
    expect(world.fleet.live).toEqual([]);
    await world.ledger.nodeLedger.gone(id, world.nowMs);
    await closeOnce();
    expect(await world.ledger.decisions.state("gpu")).toMatchObject({ busy: false, reserved: { usdPerHour: 0, gpus: 0 } });
    expectOneTruth(world);
  });

  test("a removed pool stops jobs that still run after an hour, and fails them like waiting jobs", async () => {
    const { world, worker, closeOnce } = await takenOut();
    await closeOnce();
    for (let n = 0; n < 6; n += 1) {
      world.nowMs += 600_000;
      await worker.call();
    }
    expect(worker.phaseOf("runs")).toBe("stopped");
    await worker.call();
    await closeOnce();
    expect(world.job("runs")).toMatchObject({ state: "failed", reason: expect.stringContaining(because) });
    expect(world.fleet.live).toEqual([]);
  });
});

describe("the registry of pools", () => {
  test("the registry keeps an idle pool with a job whose ring was lost, and lets it decide", async () => {
    const world = aWorld();
    const { registry, decisions, bell } = world.ledger;
    await registry.add("gpu");
    world.ledger.wire.failBefore("bell.ring");
    await expect(world.submit("unheard")).rejects.toThrow("bell.ring");
    const closing = () =>
      closePools({
        registry,
        decisions,
        bell,
        lane: world.lane,
        now: () => world.nowMs,
        pools: [{ name: "other" }],
        wake: async () => false,
      });
    await closing();
    expect(await registry.list()).toContain("gpu");
    expect(world.lane.waiting).toEqual(["gpu"]);
    // The second finds nothing left.
    for (let n = 0; n < 2; n += 1) await place(world.placeDeps, { pool: gone, msLeft: () => 20_000 });
    expect(world.job("unheard")).toMatchObject({ state: "failed", reason: `${because}; submit the job to another pool` });
    await closing();
    expect(await registry.list()).not.toContain("gpu");
  });

  test.each(["node", "launch", "queue entry"] as const)("the registry keeps a pool with a %s that cannot be read", async (kind) => {
    const world = aWorld();
    const { registry, decisions, bell } = world.ledger;
    await registry.add("gpu");
    const unreadable = [{ kind, key: "gpu x", why: "state: hibernating" }];
    await closePools({
      registry,
      decisions: { ...decisions, load: async (pool, nowMs) => ({ ...(await decisions.load(pool, nowMs)), unreadable }) },
      bell,
      lane: world.lane,
      now: () => world.nowMs,
      pools: [],
      wake: async () => false,
    });
    expect(await registry.list()).toEqual(["gpu"]);
  });

  test("the registry has the configured pools, and removed ones until nothing of them is left", async () => {
    const { world, worker, closeOnce } = await takenOut();
    const woken: string[] = [];
    const { registry, decisions } = world.ledger;
    const closing = (pools: readonly string[]) =>
      closePools({
        registry,
        decisions,
        bell: world.ledger.bell,
        lane: world.lane,
        now: () => world.nowMs,
        pools: pools.map((name) => ({ name })),
        wake: async (pool, { busy }) => {
          woken.push(pool);
          return busy;
        },
      });
    expect((await closing(["gpu", "other"])).closing).toEqual([]);
    expect(await registry.list()).toEqual(["gpu", "other"]);
    expect((await closing(["other"])).closing).toEqual(["gpu"]);
    expect(woken).toEqual(["gpu"]);
    expect(await registry.list()).toEqual(["gpu", "other"]);

    worker.end(1);
    await worker.call();
    const { id } = world.node;
    await closeOnce();
    await world.ledger.nodeLedger.gone(id, world.nowMs);
    await closeOnce();
    expect((await closing(["other"])).closing).toEqual(["gpu"]);
    expect(await registry.list()).toEqual(["other"]);
    expect((await closing(["other"])).closing).toEqual([]);
  });
});
