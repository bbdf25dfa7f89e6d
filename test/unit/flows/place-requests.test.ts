import { describe, expect, test } from "vitest";
import type { Launch } from "../../../lib/model/launch.ts";
import { documentedLimits } from "../../../lib/model/requests/request-limits.ts";
import { MemoryRequestBudget } from "../../../lib/sim/memory/request-budget.ts";
import { aCatalogue, anOffer, aPool, aType } from "../../fakes/builders.ts";
import { fleetWith } from "../../fakes/memory-ports.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld, type World } from "./world.ts";

const wide = { limits: { usdPerHour: 1_000, gpus: 1_000 } };

/** Ready nodes that hold nothing and have been idle for long enough. */
async function idling(count: number): Promise<World> {
  const world = aWorld({ pool: aPool(wide) });
  for (let n = 0; n < count; n += 1) await world.submit(`job-${n}`, { gpus: 1 });
  await world.place({ budget: new MemoryRequestBudget({ ...documentedLimits, launch: { burst: 1_000, perSecond: 1 } }) });
  await world.workOff();
  for (const node of world.nodes) {
    const attempts = node.assignments.map(({ team, job, attempt }) => ({
      team,
      job,
      attempt,
      phase: "failed" as const,
      reason: "no",
      again: false,
    }));
    await world.call(node.id, { attempts });
  }
  await world.workOff();
  expect(world.nodes.filter(({ state }) => state === "ready")).toHaveLength(count);
  await world.wait(120);
  await world.ringLater();
  return world;
}

describe("nodes that end together", () => {
  test("nodes that end together are ended in one call, each fenced before it and recorded after it", async () => {
    const world = await idling(5);
    const states: string[] = [];
    const { fleet } = world;
    const terminate = (ids: readonly string[]) => {
      states.push(...world.nodes.map(({ state }) => state));
      return fleet.terminate(ids);
    };
    const ids = world.nodes.map(({ id }) => id);
    await world.place({
      fleet: fleetWith(fleet, { terminate }),
    });
    expect(fleet.endsRequested.map((instances) => [...instances].sort())).toEqual([ids.sort()]);
    expect(new Set(states)).toEqual(new Set(["draining"]));
    expect(world.nodes).toEqual([]);
    expectOneTruth(world);
  });

  test("nodes that end together are ended in calls of a hundred", async () => {
    const world = await idling(230);
    await world.workOff();
    expect(world.fleet.endsRequested.map((instances) => instances.length).sort((a, b) => b - a)).toEqual([100, 100, 30]);
    expect(world.fleet.live).toEqual([]);
  });

  test("nodes end although EC2 no longer knows one of them, with one additional call", async () => {
    const world = await idling(4);
    const [first] = world.nodes;
    world.fleet.forget(first?.id ?? "");
    await world.workOff();
    expect(world.fleet.endsRequested.map((instances) => instances.length)).toEqual([4, 3]);
    expect(world.fleet.live).toEqual([]);
    expectOneTruth(world);
  });

  test("if EC2 refuses to end nodes without naming one, they are ended in ever smaller halves", async () => {
    const world = await idling(5);
    const { fleet } = world;
    const protectedOne = world.nodes[2]?.id ?? "";
    const sizes: number[] = [];
    const terminate: typeof fleet.terminate = async (ids) => {
      sizes.push(ids.length);
      if (!ids.includes(protectedOne)) return fleet.terminate(ids);
      return new Map(ids.map((id) => [id, ids.length > 1 ? "apart" : "denied"]));
    };
    await world.place({
      fleet: fleetWith(fleet, { terminate }),
    });
    expect(fleet.live.map(({ id }) => id)).toEqual([protectedOne]);
    expect(sizes[0]).toBe(5);
    expect(world.journal.decisions.at(-1)?.outcomes.toSorted()).toEqual([
      "done: done",
      "done: done",
      "done: done",
      "done: done",
      "failed: not allowed to terminate it",
    ]);
  });

  test("nodes wait for a turn when EC2 throttles, and end when there is one", async () => {
    const world = await idling(3);
    world.fleet.deafNext("terminate", 1, "throttled");
    await world.workOff();
    expect(world.fleet.live).toHaveLength(3);
    expect(world.nodes.map(({ state }) => state)).toEqual(["draining", "draining", "draining"]);
    expect(world.journal.decisions.at(-1)?.outcomes[0]).toContain("EC2 throttled it");
    await world.pass(Math.min(...world.lane.later.map(({ delaySeconds }) => delaySeconds)));
    expect(world.fleet.live).toEqual([]);
    expectOneTruth(world);
  });

  test("a decision that was overtaken while it waited for a turn ends no nodes", async () => {
    const world = await idling(2);
    const limits = { ...documentedLimits, terminate: { burst: 1, perSecond: 1 } };
    const budget = new MemoryRequestBudget(limits);
    await budget.acquire({ kind: "terminate", priority: "end", instances: 1, nowMs: world.nowMs });
    const pause = async (ms: number): Promise<void> => {
      world.nowMs += ms;
      await world.ledger.decisions.begin("gpu");
    };
    expect(await world.place({ budget, pause })).toMatchObject({ ended: "fenced" });
    expect(world.fleet.endsRequested).toEqual([]);
    expect(world.fleet.live).toHaveLength(2);
  });
});

describe("launches", () => {
  /** Jobs that cannot share a node or a launch, because each needs a node of another size. */
  async function waiting(count: number): Promise<World> {
    const types = Array.from({ length: count }, (_, n) =>
      aType({ name: `g5.${n + 1}xlarge`, resources: { vcpus: 4 * (n + 1), memoryGiB: 16, gpus: 1 } }),
    );
    const offers = types.map(({ name }, n) => anOffer({ instanceType: name, usdPerHour: 2 ** n }));
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 1e6, gpus: 1_000 } }), catalogue: aCatalogue({ types, offers }) });
    for (let n = 0; n < count; n += 1) await world.submit(`job-${n}`, { vcpus: 4 * (n + 1) - 1 });
    return world;
  }
  const slow = () => new MemoryRequestBudget({ ...documentedLimits, launch: { burst: 2, perSecond: 1 } });
  const tokens = (launches: readonly Launch[]): string[] => [...new Set(launches.map(({ clientToken }) => clientToken))];

  test("launches without a turn are not intended, and are made when there are turns", async () => {
    const world = await waiting(6);
    const budget = slow();
    const placed = await world.place({ budget });
    expect(world.fleet.live.length).toBeGreaterThanOrEqual(2);
    expect(world.ledger.table.openLaunches.size).toBe(0);
    expect(placed.ended).not.toBe("fenced");
    for (let n = 0; n < 6; n += 1) {
      world.nowMs += 1_000;
      await world.place({ budget });
    }
    expect(world.fleet.live).toHaveLength(6);
    expect(world.fleet.requested).toHaveLength(6);
    expectOneTruth(world);
  });

  test("launches that wait for a turn at EC2 wake the pool when there is one", async () => {
    const world = await waiting(2);
    const budget = new MemoryRequestBudget({ ...documentedLimits, launch: { burst: 1, perSecond: 0.2 } });
    expect(await world.place({ budget })).toMatchObject({ ended: "quiet" });
    expect(world.fleet.live).toHaveLength(1);
    expect(world.lane.later.map(({ delaySeconds }) => delaySeconds)).toEqual([6]);
  });

  test("throttled launches are closed and decided on again when there is a turn, and their jobs get no reason", async () => {
    const world = await waiting(1);
    world.fleet.throttleNextLaunch();
    await world.workOff();
    expect(world.fleet.live).toEqual([]);
    expect(world.ledger.table.openLaunches.size).toBe(0);
    expect(world.reserved).toEqual({ usdPerHour: 0, gpus: 0 });
    expect(world.job("job-0")).toMatchObject({ state: "queued" });
    expect(world.job("job-0")?.reason).toBeUndefined();
    const [later] = world.lane.later;
    expect(later?.delaySeconds).toBeLessThanOrEqual(2);
    await world.pass(later?.delaySeconds ?? 0);
    expect(tokens(world.fleet.requested)).toHaveLength(2);
    expect(world.job("job-0")).toMatchObject({ state: "placed" });
    expectOneTruth(world);
  });

  test("launches with an unknown outcome stay open when EC2 throttles their repeat, and are repeated unchanged", async () => {
    const world = await waiting(1);
    world.fleet.unknownNext("launched");
    world.fleet.throttleNextLaunch();
    await world.place();
    for (let n = 0; n < 3; n += 1) await world.pass(5);
    expect(world.fleet.requested.length).toBeGreaterThanOrEqual(3);
    expect(tokens(world.fleet.requested)).toHaveLength(1);
    expect(world.fleet.live).toHaveLength(1);
    expectOneTruth(world);
  });

  test("launches that EC2 accepts and then throttles are closed, and requested again under another token", async () => {
    const world = await waiting(1);
    const [offer] = world.ledger.table.catalogues.get("gpu")?.offers ?? [];
    if (!offer) throw new Error("no offer");
    // The first response is lost, so that the repeat learns the outcome.
    world.fleet.refuse(offer, "RequestLimitExceeded");
    world.fleet.unknownNext("launched");
    await world.place();
    for (let n = 0; n < 2; n += 1) await world.pass(5);
    expect(world.ledger.table.openLaunches.size).toBe(0);
    world.fleet.restock(offer);
    for (let n = 0; n < 3; n += 1) await world.pass(5);
    expect(world.fleet.live).toHaveLength(1);
    expect(world.job("job-0")).toMatchObject({ state: "placed" });
    expectOneTruth(world);
  });

  test("launches that EC2 throttles again and again are never forgotten, even if there is always a turn", async () => {
    const world = await waiting(1);
    for (let n = 0; n < 5; n += 1) world.fleet.throttleNextLaunch();
    for (let n = 0; n < 20 && world.fleet.live.length === 0; n += 1) {
      await world.place({ random: () => 0 });
      if (world.fleet.live.length > 0) break;
      // Only the pool's own delayed message wakes it.
      const message = world.lane.receive();
      message?.done();
      const next = message ? 0 : Math.min(...world.lane.later.map(({ delaySeconds }) => delaySeconds));
      expect(next).toBeLessThan(5);
      world.nowMs += next * 1_000;
      world.lane.due(next);
    }
    expect(world.fleet.live).toHaveLength(1);
  });

  test("launches for jobs that lost their node precede those that only grow the pool", async () => {
    const world = await waiting(1);
    await world.workOff();
    world.fleet.end(world.node.id);
    await world.ledger.nodeLedger.gone(world.node.id, world.nowMs);
    await world.ringLater();
    // A fifth of the bucket is not available to launches that grow the pool.
    const budget = new MemoryRequestBudget({ ...documentedLimits, launch: { burst: 10, perSecond: 0.1 } });
    while ((await budget.acquire({ kind: "launch", priority: "grow", instances: 1, nowMs: world.nowMs })).kind === "granted");
    await world.place({ budget });
    expect(world.fleet.live).toHaveLength(1);
    expect(world.job("job-0")).toMatchObject({ state: "placed", attempt: 2 });
  });
});
