import { describe, expect, test } from "vitest";
import { place } from "../../../lib/flows/place.ts";
import type { Pool } from "../../../lib/model/pool.ts";
import { aCatalogue, anOffer, aPool, aType } from "../../fakes/builders.ts";
import { type CrashPoint, doomed } from "./crash.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld, type World } from "./world.ts";

const four = aType({ name: "g5.12xlarge", resources: { vcpus: 48, memoryGiB: 192, gpus: 4 } });
const spot = anOffer({ usdPerHour: 1 });
const onDemand = anOffer({ market: "on-demand", usdPerHour: 1.9 });
const fourSpot = anOffer({ instanceType: "g5.12xlarge", usdPerHour: 1.8 });
const catalogue = aCatalogue({ types: [aType(), four], offers: [spot, onDemand, fourSpot] });
const running = (job: string, atMs: number) => ({ team: "vision", job, attempt: 1, phase: "running" as const, startedAtMs: atMs });
const failed = (job: string) => ({ team: "vision", job, attempt: 1, phase: "failed" as const, reason: "no", again: false });

/** Worlds in which one run of `place` has something to do; each time the same one. */
const stories: Readonly<Record<string, () => Promise<World>>> = {
  "three jobs share a new node": async () => {
    const world = aWorld({ catalogue });
    for (const job of ["a", "b", "c"]) await world.submit(job);
    return world;
  },
  "EC2 has no spot capacity": async () => {
    const world = aWorld({ catalogue });
    world.fleet.refuse(spot);
    world.fleet.refuse(fourSpot);
    await world.submit("a");
    return world;
  },
  "EC2's responses are lost": async () => {
    const world = aWorld({ catalogue });
    world.fleet.unknownNext("launched");
    world.fleet.unknownNext("launched");
    await world.submit("a");
    return world;
  },
  "a node is idle, and another is gone with its jobs": async () => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 20, gpus: 16 } }), catalogue });
    await world.submit("a");
    await world.submit("b", { spot: false });
    await world.workOff();
    await world.wait(1);
    const [ofA, ofB] = [world.job("a")?.node ?? "", world.job("b")?.node ?? ""];
    await world.call(ofA, { attempts: [running("a", world.nowMs)] });
    await world.call(ofB, { attempts: [running("b", world.nowMs)] });
    await world.call(ofB, { attempts: [failed("b")] });
    await world.workOff();
    await world.wait(120);
    world.fleet.end(ofA);
    await world.ledger.nodeLedger.gone(ofA, world.nowMs);
    await world.ringLater();
    return world;
  },
  "one job can never run and another waits at the limit": async () => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 1.5, gpus: 4 } }), catalogue });
    world.ledger.table.catalogues.clear();
    await world.submit("never", { gpus: { count: 1, models: ["H900"] } });
    world.ledger.table.catalogues.set("gpu", catalogue);
    await world.submit("a");
    await world.submit("b");
    return world;
  },
  "two jobs' price has risen past the limit, and another's has not": async () => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 1.95, gpus: 4 } }), catalogue });
    for (const job of ["a", "b"]) await world.submit(job, { spot: false });
    await world.submit("c");
    const dear = anOffer({ market: "on-demand", usdPerHour: 2 });
    world.ledger.table.catalogues.set("gpu", { ...catalogue, offers: [spot, dear] });
    return world;
  },
  "a node's life ends while it works": async () => {
    const world = await working(aPool({ maxLifetimeSeconds: 1500, drainSeconds: 600 }));
    await workOn(world, 900);
    return world;
  },
  "a worker does not release its work when its node's time is up": async () => {
    const world = await working(aPool({ maxLifetimeSeconds: 1500, drainSeconds: 600 }));
    await workOn(world, 900);
    await world.place();
    for (const seconds of [600, 600, 1]) await workOn(world, seconds);
    return world;
  },
  "a node does not boot": async () => {
    const world = aWorld({ catalogue });
    await world.submit("a");
    await world.workOff();
    world.nowMs += 600_001;
    await world.ringLater();
    return world;
  },
  "an instance of a type that did not boot becomes a worker": async () => {
    const world = aWorld({ catalogue });
    const { fence } = await world.ledger.decisions.begin("gpu");
    for (const node of ["i-1", "i-2"])
      await world.ledger.placements.bootFailed(fence, { node, instanceType: spot.instanceType, zone: spot.zone, atMs: world.nowMs });
    await world.submit("a");
    await world.workOff();
    await world.wait(1);
    return world;
  },
};

/** A pool whose only node works, in a world that has nothing else to do. */
async function working(pool: Pool): Promise<World> {
  const world = aWorld({ pool, catalogue });
  await world.submit("a");
  await world.workOff();
  await workOn(world, 0);
  await world.workOff();
  return world;
}

/** The node's worker goes on with the job, whatever it is ordered. */
async function workOn(world: World, seconds: number): Promise<void> {
  world.nowMs += seconds * 1000;
  await world.call(world.node.id, { attempts: [running("a", world.nowMs)] });
  await world.ringLater();
}

/** Runs `place` until it ends or its process crashes. */
async function run(world: World, at: CrashPoint | undefined): Promise<readonly string[]> {
  world.hear();
  const process = doomed(world.placeDeps, at);
  await Promise.race([place(process.deps, { pool: world.pool, msLeft: () => 20_000 }), process.crashed]);
  return process.calls;
}

/** Settles the world after a crash: the lane's message is delivered again, then time passes. */
async function recover(world: World): Promise<void> {
  await world.place();
  for (let n = 0; n < 3; n += 1) await world.pass(5);
}

const outcomeOf = (world: World): string[] =>
  [...world.ledger.table.jobs.values()].map(({ job, state, attempt }) => `${job} ${state} ${attempt}`).sort();

describe.each(Object.entries(stories))("a crash of place when %s", (_story, begin) => {
  test("place ends in the same state at whatever call it crashes, and nothing exists twice", async () => {
    const whole = await begin();
    const calls = await run(whole, undefined);
    await recover(whole);
    expectOneTruth(whole);
    expect(calls.length).toBeGreaterThan(4);

    for (let call = 1; call <= calls.length; call += 1)
      for (const when of ["before", "after"] as const) {
        const world = await begin();
        await run(world, { call, when });
        await recover(world);
        expectOneTruth(world);
        expect(outcomeOf(world), `crashed ${when} call ${call}, ${calls[call - 1]}`).toEqual(outcomeOf(whole));
        expect(world.fleet.live, `crashed ${when} call ${call}, ${calls[call - 1]}`).toHaveLength(whole.fleet.live.length);
      }
  });
});

test("the crash stories cover every call that place makes", async () => {
  const called = new Set<string>();
  for (const begin of Object.values(stories)) for (const call of await run(await begin(), undefined)) called.add(call);
  expect([...called].sort()).toEqual([
    "budget.acquire",
    "decisions.begin",
    "decisions.finish",
    "decisions.isCurrent",
    "decisions.load",
    "decisions.waiting",
    "fleet.launch",
    "fleet.terminate",
    "journal.record",
    "lane.sendLater",
    "placements.bind",
    "placements.bootFailed",
    "placements.drain",
    "placements.fail",
    "placements.fenceIdle",
    "placements.healed",
    "placements.hold",
    "placements.intend",
    "placements.learn",
    "placements.removeNode",
    "placements.settle",
    "placements.takeBack",
    "placements.terminating",
    "placements.withdraw",
  ]);
});
