import { describe, expect, test } from "vitest";
import { type TickDeps, tick } from "../../../lib/flows/tick.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import type { Pool } from "../../../lib/model/pool.ts";
import { MemoryTaggedInstances } from "../../../lib/sim/memory/orphans.ts";
import { aCatalogue, aJob, aLaunch, aPool, monday } from "../../fakes/builders.ts";
import { aWorld } from "./world.ts";

function ticking(world = aWorld()) {
  const { market, sealAgain } = world.ports;
  const instances = new MemoryTaggedInstances(world.fleet, () => monday);
  const deps: TickDeps = { ...world.deps, teams: ["vision", "research"], instances };
  return { world, market, sealAgain, instances, deps };
}

describe("a pool at rest", () => {
  test("a tick costs two reads per pool at rest, and two for all of them", async () => {
    const { world, market, deps } = ticking();
    await world.ledger.registry.add("gpu");
    world.nowMs += 60_000;
    expect(await tick(deps)).toEqual({
      rung: [],
      refreshed: [],
      sealedAgain: 0,
      takenAgain: 0,
      deadJobs: [],
      rebalanced: 0,
      closing: [],
      numbers: [],
      unreadable: [],
      errors: [],
    });
    const calls = { "decisions.state": 1, "catalogues.get": 1, "sealing.waitingSince": 1, "registry.add": 1, "registry.list": 1 };
    expect(world.ledger.wire.calls).toEqual(calls);
    expect(market.requests).toEqual([]);
    expect(world.lane.waiting).toEqual([]);
  });
});

describe("instances without an owner", () => {
  test("instances without an owner are looked for every five minutes, and a failed check is reported and delays nothing", async () => {
    const { world, deps } = ticking();
    expect(await tick(deps)).toMatchObject({ swept: { noted: 0, ended: [] } });
    world.nowMs += 4 * 60_000;
    expect(await tick(deps)).not.toHaveProperty("swept");
    world.nowMs += 60_000;
    await world.fleet.launch(aLaunch({ id: "orphan" }));
    world.ledger.wire.failBefore("orphans.unowned");
    const failed = await tick(deps);
    expect(failed).not.toHaveProperty("swept");
    expect(failed.errors).toEqual([{ part: "instances without an owner", error: expect.any(FleetError) }]);
    world.nowMs += 5 * 60_000;
    expect(await tick(deps)).toMatchObject({ swept: { noted: 1, ended: [] }, errors: [] });
  });
});

describe("the call to node", () => {
  const heardAfter = async (arrange: (world: ReturnType<typeof aWorld>) => Promise<void>, over: Partial<TickDeps> = {}) => {
    const { world, deps } = ticking();
    await arrange(world);
    const { errors } = await tick({ ...deps, ...over });
    return { hearing: world.ledger.table.hearing, errors, nowMs: world.nowMs };
  };
  const withWork = async (world: ReturnType<typeof aWorld>): Promise<void> => {
    await world.submit("a");
  };

  test("a call to node that succeeds is noted while a pool has work, and none is made while all are at rest", async () => {
    const busy = await heardAfter(withWork);
    expect(busy.hearing).toEqual({ atMs: busy.nowMs, sinceMs: busy.nowMs });
    const calls: string[] = [];
    const idle = await heardAfter(async () => undefined, { canary: { call: async () => void calls.push("call") } });
    expect([idle.hearing, calls]).toEqual([undefined, []]);
  });

  test("it is made while a pool that was removed from the configuration still has work", async () => {
    const { world, deps } = ticking();
    await tick(deps);
    await withWork(world);
    await world.workOff();
    world.ledger.table.hearing = undefined;
    expect(await tick({ ...deps, pools: [] })).toMatchObject({ closing: ["gpu"], errors: [] });
    expect(world.ledger.table.hearing).toBeDefined();
  });

  test("a call that fails is not noted, and is a failed part of the tick", async () => {
    const broken = new Error("no response");
    const { hearing, errors } = await heardAfter(withWork, { canary: { call: () => Promise.reject(broken) } });
    expect(hearing).toBeUndefined();
    expect(errors).toEqual([{ part: "call to node", error: broken }]);
  });
});

test("a pool that was removed from the configuration is rung until it is empty", async () => {
  const { world, deps } = ticking();
  await tick(deps);
  await world.submit("a");
  await world.workOff();
  const other = { ...deps, pools: [aPool({ name: "other" })] };
  expect(await tick(other)).toMatchObject({ closing: ["gpu"], rung: [] });
  expect(world.lane.waiting).toEqual(["gpu"]);
});

describe("a pool with work", () => {
  test("a pool with work is rung once a minute", async () => {
    const { world, deps } = ticking();
    await world.submit("a");
    await world.workOff();
    expect(await tick(deps)).toMatchObject({ rung: ["gpu"] });
    expect(world.lane.waiting).toEqual(["gpu"]);
  });

  test("a pool whose lane message was lost gets another one", async () => {
    const { world, deps } = ticking();
    world.lane.losing = true;
    await world.submit("a");
    world.lane.losing = false;
    await world.submit("b");
    expect(world.lane.waiting).toEqual([]);
    expect(await tick(deps)).toMatchObject({ rung: ["gpu"] });
    await world.workOff();
    expect([world.job("a")?.state, world.job("b")?.state]).toEqual(["placed", "placed"]);
  });

  test("a node that never boots is removed from its pool", async () => {
    const { world, deps } = ticking();
    await world.submit("a");
    await world.workOff();
    const { id } = world.node;
    world.nowMs += 600_001;
    await tick(deps);
    await world.workOff();
    expect(world.job("a")).toMatchObject({ attempt: 2 });
    expect(world.fleet.instances.get(id)?.over).toBe(true);
  });
});

describe("a pool's numbers", () => {
  const gpu = (utilizationPercent: number | undefined) => ({ index: 0, utilizationPercent });

  test("a tick counts a pool's nodes, jobs and GPU use while the pool has work", async () => {
    const { world, deps } = ticking();
    await world.submit("a");
    await world.workOff();
    await world.call(world.node.id, { gpus: [gpu(80), gpu(40), gpu(undefined)] });
    await world.submit("b");
    world.nowMs += 30_000;
    expect(await tick(deps)).toMatchObject({
      numbers: [
        {
          pool: "gpu",
          nodes: 1,
          gpus: 1,
          gpuUtilization: 60,
          queuedJobs: 1,
          oldestQueuedSeconds: 30,
          reservedUsdPerHour: 0.5,
          openBreakers: 0,
          unreadableItems: 0,
          stuckSteps: 0,
          waitingNodes: 0,
        },
      ],
    });
  });

  test("a tick counts and names the items that cannot be read", async () => {
    const { world, deps } = ticking();
    await world.submit("a");
    const { decisions } = deps;
    const item = { kind: "node", key: "N#gpu i-1", why: "state: hibernating" } as const;
    const load: typeof decisions.load = async (...of) => ({ ...(await decisions.load(...of)), unreadable: [item] });
    const ticked = await tick({ ...deps, decisions: { ...decisions, load } });
    expect(ticked).toMatchObject({ unreadable: [item], numbers: [{ unreadableItems: 1 }], errors: [] });
  });

  test("a pool's numbers leave out GPUs without a sample for a minute and a half", async () => {
    const { world, deps } = ticking();
    await world.submit("a");
    await world.workOff();
    await world.call(world.node.id, { gpus: [gpu(80)] });
    world.nowMs += 89_999;
    expect((await tick(deps)).numbers).toMatchObject([{ gpuUtilization: 80 }]);
    world.nowMs += 1;
    const [numbers] = (await tick(deps)).numbers;
    expect(numbers).toMatchObject({ nodes: 1, gpuUtilization: undefined, queuedJobs: 0, oldestQueuedSeconds: 0 });
  });

  test("a pool's numbers are published although another pool's never come", async () => {
    const world = aWorld();
    const { deps } = ticking(world);
    for (const pool of ["gpu", "stuck"]) await world.ledger.bell.ring(pool, "job");
    const { decisions } = deps;
    const load: typeof decisions.load = (pool, nowMs) => (pool === "stuck" ? new Promise(() => undefined) : decisions.load(pool, nowMs));
    const published = await new Promise((resolve) => {
      const pools = [aPool({ name: "stuck" }), aPool()];
      void tick({ ...deps, pools, decisions: { ...decisions, load }, publish: (pool, numbers) => resolve([pool, numbers.queuedJobs]) });
    });
    expect(published).toEqual(["gpu", 0]);
  });

  describe.each(["a", "b", "c"])("if pool %s fails", (failing) => {
    const names = ["a", "b", "c"];
    const others = names.filter((name) => name !== failing);
    const pools = names.map((name) => aPool({ name }));
    async function published(failAt: (ports: TickDeps, fails: (pool: string) => boolean) => Partial<TickDeps>): Promise<string[]> {
      const { world, deps } = ticking();
      for (const { name } of pools) await world.ledger.bell.ring(name, "job");
      const found: string[] = [];
      await tick({
        ...deps,
        pools,
        ...failAt(deps, (pool) => pool === failing),
        publish: (pool) => {
          found.push(pool);
        },
      });
      return found.sort();
    }
    const broken = new FleetError("table", "the table does not respond");

    test("the metrics of the other pools are published when its state cannot be read", async () => {
      const found = await published(({ decisions }, fails) => ({
        decisions: { ...decisions, state: (pool) => (fails(pool) ? Promise.reject(broken) : decisions.state(pool)) },
      }));
      // Its own numbers can still be read, and matter all the more.
      expect(found).toEqual(names);
    });

    test("the metrics of the other pools are published when its items cannot be read", async () => {
      const found = await published(({ decisions }, fails) => ({
        decisions: { ...decisions, load: (pool, nowMs) => (fails(pool) ? Promise.reject(broken) : decisions.load(pool, nowMs)) },
      }));
      expect(found).toEqual(others);
    });

    test("all pools' metrics are published when it cannot be rung or its prices cannot be fetched", async () => {
      const found = await published(({ lane, market }, fails) => ({
        lane: { ...lane, send: (pool) => (fails(pool) ? Promise.reject(broken) : lane.send(pool)) },
        market: { ...market, catalogue: (pool, nowMs) => (fails(pool.name) ? Promise.reject(broken) : market.catalogue(pool, nowMs)) },
      }));
      expect(found).toEqual(names);
    });

    test("the metrics of the other pools are published when its own cannot be", async () => {
      const { world, deps } = ticking();
      for (const { name } of pools) await world.ledger.bell.ring(name, "job");
      const found: string[] = [];
      const publish = (pool: string): void => {
        if (pool === failing) throw broken;
        found.push(pool);
      };
      const { errors } = await tick({ ...deps, pools, publish });
      expect(found.sort()).toEqual(others);
      expect(errors).toEqual([{ part: `numbers of pool ${failing}`, error: broken }]);
    });

    test("the other pools that were removed from the configuration are woken all the same", async () => {
      const { world, deps } = ticking();
      for (const { name } of pools) {
        await world.ledger.registry.add(name);
        await world.ledger.bell.ring(name, "job");
      }
      world.lane.waiting.length = 0;
      const { decisions } = deps;
      const state: typeof decisions.state = (pool) => (pool === failing ? Promise.reject(broken) : decisions.state(pool));
      const { errors } = await tick({ ...deps, decisions: { ...decisions, state } });
      expect([...world.lane.waiting].sort()).toEqual(others);
      expect(errors).toEqual([{ part: `removed pool ${failing}`, error: broken }]);
    });
  });

  test("a tick counts how much of its budgets a pool has used", async () => {
    const { world, deps } = ticking();
    await world.submit("a");
    const of = async (pool: Pool) => (await tick({ ...deps, pools: [pool] })).numbers[0];
    expect(await of(aPool())).toMatchObject({ budgetUsedPercent: undefined, teamBudgetUsedPercent: undefined });
    await world.workOff();
    world.nowMs += 3_600_000;
    const node = world.node;
    expect(node.offer.usdPerHour).toBe(0.5);
    const budgets = { usdPerDay: 2, usdPerMonth: 10 };
    const numbers = await of(aPool({ budgets, teamBudgets: { vision: { usdPerMonth: 1 }, research: { usdPerDay: 0 } } }));
    expect(numbers).toMatchObject({ budgetUsedPercent: 25, teamBudgetUsedPercent: 100 });
  });

  test("numbers that cannot be read do not delay the other parts of a tick", async () => {
    const { world, market, deps } = ticking();
    await world.submit("a");
    world.ledger.wire.failBefore("decisions.load");
    world.nowMs += 3_600_000;
    expect(await tick(deps)).toMatchObject({
      rung: ["gpu"],
      refreshed: ["gpu"],
      numbers: [],
      errors: [{ part: "numbers of pool gpu", error: expect.any(FleetError) }],
    });
    expect(market.requests).toEqual(["gpu"]);
  });
});

describe("prices", () => {
  test("prices that cannot be stored are reported, and fetched again by the next tick", async () => {
    const { world, market, deps } = ticking();
    world.nowMs += 7 * 3_600_000;
    world.ledger.wire.failBefore("catalogues.put");
    expect(await tick(deps)).toMatchObject({ refreshed: [], errors: [{ part: "prices of pool gpu" }] });
    expect(await tick(deps)).toMatchObject({ refreshed: ["gpu"], errors: [] });
    expect(market.requests).toEqual(["gpu", "gpu"]);
  });

  test.each([
    ["of a pool at rest stay fresh for six hours", false, 6 * 3600],
    ["of a pool with work stay fresh for ten minutes", true, 600],
  ])("prices %s", async (_what, busy, seconds) => {
    const { world, market, deps } = ticking();
    Object.assign(world.ledger.table.pool("gpu"), { busy });
    world.nowMs = monday + seconds * 1000 - 1;
    expect(await tick(deps)).toMatchObject({ refreshed: [] });
    world.nowMs += 1;
    expect(await tick(deps)).toMatchObject({ refreshed: ["gpu"] });
    expect(market.requests).toEqual(["gpu"]);
    expect(world.ledger.table.catalogues.get("gpu")).toMatchObject({ refreshedAtMs: world.nowMs });
  });

  test("prices are fetched if there are none", async () => {
    const { world, deps } = ticking();
    world.ledger.table.catalogues.clear();
    expect(await tick(deps)).toMatchObject({ refreshed: ["gpu"] });
  });

  test("prices that cannot be fetched leave the old ones, and a lost message is still sent again", async () => {
    const { world, market, deps } = ticking();
    market.closed = true;
    world.lane.losing = true;
    await world.submit("a");
    world.lane.losing = false;
    world.nowMs += 3_600_000;
    expect(await tick(deps)).toMatchObject({
      errors: [{ part: "prices of pool gpu", error: { message: expect.stringContaining("EC2 could not be asked") } }],
    });
    expect(world.ledger.table.catalogues.get("gpu")).toEqual(aCatalogue());
    expect(world.lane.waiting).toEqual(["gpu"]);
  });
});

test("while no decision is made, a pool gets one lane message in five minutes, and another after the next ring", async () => {
  const { world, deps } = ticking();
  world.ledger.table.pool("gpu").bell = 1;
  world.nowMs = Math.ceil(world.nowMs / 300_000) * 300_000;
  const ticks = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      await tick(deps);
      world.nowMs += 60_000;
    }
    return world.lane.waiting.length;
  };
  expect(await ticks(5)).toBe(1);
  expect(await ticks(175)).toBe(36);
  world.ledger.table.pool("gpu").bell = 2;
  expect(await ticks(1)).toBe(37);
});

describe("an upload", () => {
  const attempt = { team: "vision", job: "train-1", attempt: 1 };

  test("an upload whose event was lost is sealed after 15 minutes", async () => {
    const { world, sealAgain, deps } = ticking();
    const job = aJob({ state: "running" });
    world.ledger.table.moveJob(job, { state: "sealing" }, { atMs: monday });
    world.nowMs = monday + 900_000;
    expect(await tick(deps)).toMatchObject({ sealedAgain: 0 });
    world.nowMs += 1;
    expect(await tick(deps)).toMatchObject({ sealedAgain: 1 });
    expect(sealAgain.sent).toEqual([attempt]);
  });

  test("an upload is asked for once in 15 minutes, also by two ticks at once, and not while its message still fails now and then", async () => {
    const { world, sealAgain, deps } = ticking();
    world.ledger.table.moveJob(aJob({ state: "running" }), { state: "sealing" }, { atMs: monday });
    world.nowMs = monday + 900_001;
    await Promise.all([tick(deps), tick(deps)]);
    for (let minute = 0; minute < 14; minute += 1) {
      world.nowMs += 60_000;
      await tick(deps);
    }
    expect(sealAgain.sent).toHaveLength(1);
    await world.ledger.sealing.failedNow(attempt, { reason: "the key is disabled", atMs: world.nowMs });
    world.nowMs += 900_000;
    await tick(deps);
    expect(sealAgain.sent).toHaveLength(1);
    world.nowMs += 1;
    await tick(deps);
    expect(sealAgain.sent).toHaveLength(2);
  });

  test("a tick asks for at most a thousand uploads to be sealed, the longest waiting first", async () => {
    const { world, sealAgain, deps } = ticking();
    for (let n = 0; n < 1_001; n += 1)
      world.ledger.table.moveJob(aJob({ job: `j${n}`, state: "running" }), { state: "sealing" }, { atMs: monday + 1_001 - n });
    world.nowMs = monday + 1_000_000;
    expect(await tick(deps)).toMatchObject({ sealedAgain: 1_000, errors: [] });
    expect(sealAgain.sent.map(({ job }) => job)).not.toContain("j0");
    expect(await tick(deps)).toMatchObject({ sealedAgain: 1 });
  });

  test("an upload that cannot be asked for does not keep the others", async () => {
    const { world, sealAgain, deps } = ticking();
    for (const job of ["a", "b", "c"]) world.ledger.table.moveJob(aJob({ job, state: "running" }), { state: "sealing" }, { atMs: monday });
    world.nowMs = monday + 900_001;
    world.ledger.wire.failBefore("sealing.claimAgain", 2);
    expect((await tick(deps)).errors.map(({ part }) => part)).toEqual(["sealing"]);
    expect(sealAgain.sent).toHaveLength(2);
  });
});

test("a failure in one pool is reported, and does not delay the others", async () => {
  const { world, market, deps } = ticking();
  const pools = [aPool({ name: "broken" }), world.pool];
  await world.submit("a");
  world.lane.receive()?.done();
  world.ledger.wire.failBefore("decisions.state", 1);
  world.ledger.wire.failBefore("sealing.waitingSince", 1);
  const ticked = await tick({ ...deps, pools });
  expect(ticked).toMatchObject({
    rung: ["gpu"],
    errors: [
      { part: "pool broken", error: expect.any(FleetError) },
      { part: "sealing", error: expect.any(FleetError) },
    ],
  });
  expect(market.requests).toEqual([]);
  expect(world.lane.waiting).toEqual(["gpu"]);
});

test("what a part of the tick did counts as nothing if it failed", async () => {
  const { world, deps } = ticking();
  world.ledger.wire.failBefore("sealing.waitingSince");
  world.ledger.wire.failBefore("registry.list");
  world.ledger.wire.failBefore("orphans.unowned");
  world.datasets.interruptions.failBefore("list");
  await world.fleet.launch(aLaunch({ id: "orphan" }));
  const ticked = await tick(deps);
  expect(ticked).toMatchObject({ sealedAgain: 0, rebalanced: 0, closing: [] });
  expect(ticked).not.toHaveProperty("swept");
  expect(ticked.errors.map(({ part }) => part).sort()).toEqual([
    "datasets",
    "instances without an owner",
    "pools removed from the configuration",
    "sealing",
  ]);
});
