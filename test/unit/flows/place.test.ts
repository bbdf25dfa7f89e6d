import { describe, expect, test } from "vitest";
import { place } from "../../../lib/flows/place.ts";
import { ring } from "../../../lib/flows/pool/ring.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { Spoiled, withUnreadable } from "../../../lib/sim/memory/unreadable.ts";
import { aCatalogue, anOffer, aPool } from "../../fakes/builders.ts";
import { fleetWith } from "../../fakes/memory-ports.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld, type World } from "./world.ts";

const spot = anOffer({ usdPerHour: 0.5 });
const onDemand = anOffer({ market: "on-demand", usdPerHour: 1 });

/** A world in which one job runs on one node. */
async function working(): Promise<World> {
  const world = aWorld();
  await world.submit("a");
  await world.workOff();
  await world.call(world.node.id, { attempts: [{ team: "vision", job: "a", attempt: 1, phase: "running", startedAtMs: world.nowMs }] });
  await world.workOff();
  return world;
}

/** A world in which one node is ready and idle. */
async function idling(): Promise<World> {
  const world = await working();
  const gone = { team: "vision", job: "a", attempt: 1, phase: "failed", reason: "no", again: false } as const;
  await world.call(world.node.id, { attempts: [gone] });
  await world.workOff();
  return world;
}

describe("a waiting job", () => {
  test("a job whose record cannot be read causes one launch at most, and other jobs begin", async () => {
    const world = aWorld();
    const spoiled = new Spoiled();
    spoiled.add({ kind: "job", name: "vision/broken" });
    const ports = withUnreadable(world.ledger, spoiled);
    await world.submit("broken");
    await world.submit("whole");
    for (let round = 0; round < 3; round += 1) {
      await world.place({ decisions: ports.decisions, placements: ports.placements });
      for (const { id } of world.nodes) await world.call(id);
      world.nowMs += 10_000;
    }
    expect(world.job("whole")).toMatchObject({ state: "placed" });
    expect(world.ledger.table.settledLaunches.size).toBe(1);
    const seen = await ports.decisions.waiting("gpu", world.nowMs);
    expect(seen).toMatchObject({ queue: [], unreadable: [{ kind: "job", key: "vision/broken" }] });
  });

  test("a waiting job gets a node, and is bound to the one that was launched", async () => {
    const world = aWorld();
    await world.submit("a");
    expect(await world.place()).toMatchObject({ ended: "quiet" });
    expect(world.fleet.live).toHaveLength(1);
    expect(world.job("a")).toMatchObject({ state: "placed", node: world.node.id });
    expect(world.node).toMatchObject({ state: "launching", assignments: [{ job: "a", attempt: 1, phase: "placed" }] });
    expect(world.reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
  });

  test("a waiting job takes a free node without a request to EC2", async () => {
    const world = await idling();
    await world.submit("b");
    await world.workOff();
    expect(world.fleet.requested).toHaveLength(1);
    expect(world.job("b")).toMatchObject({ state: "placed" });
  });

  test("a job that can never run fails with the reason", async () => {
    const world = aWorld();
    world.ledger.table.catalogues.clear();
    await world.submit("a", { gpus: 8 });
    world.ledger.table.catalogues.set("gpu", aCatalogue());
    await world.place();
    expect(world.job("a")).toMatchObject({ state: "failed", endCode: "never-fits", reason: expect.stringContaining("has 8 GPUs") });
  });

  test("a job at the pool's limit waits with that reason, and starts when there is room again", async () => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 10, gpus: 1 } }) });
    await world.submit("a");
    await world.submit("b");
    await world.workOff();
    expect(world.job("b")).toMatchObject({ state: "queued", reason: expect.stringContaining(" reserved; it starts when ") });
    const ended = { team: "vision", job: "a", attempt: 1, phase: "failed", reason: "no", again: false } as const;
    await world.call(world.node.id, { attempts: [ended] });
    await world.workOff();
    expect(world.job("b")).toMatchObject({ state: "placed" });
    expect(world.fleet.requested).toHaveLength(1);
  });
});

describe("a job that nothing may be bought for any more", () => {
  const sell = (world: World, offers: readonly (typeof spot)[]) => world.ledger.table.catalogues.set("gpu", aCatalogue({ offers }));
  const decideAgain = async (world: World) => {
    await world.ringLater();
    await world.workOff();
  };
  const failed = { team: "vision", job: "a", attempt: 1, phase: "failed", reason: "no", again: false } as const;

  test("a job whose offers vanished is held, and placed when they are back", async () => {
    const world = aWorld();
    await world.submit("a");
    sell(world, []);
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "queued", attempt: 1, reason: expect.stringContaining("EC2 sells no instance type") });
    expect(world.fleet.requested).toEqual([]);
    await decideAgain(world);
    expect(world.ledger.wire.calls["placements.hold"], "told once").toBe(1);
    sell(world, [spot]);
    await decideAgain(world);
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 1, node: world.node.id });
  });

  test("a job whose price rose past the limit is held, and running jobs go on", async () => {
    const world = await working();
    await world.submit("b");
    sell(world, [anOffer({ usdPerHour: 10.5 })]);
    await world.workOff();
    expect(world.job("b")).toMatchObject({ state: "queued", reason: expect.stringContaining("costs $10.50/h") });
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 1, node: world.node.id });
    expect(world.fleet.live).toHaveLength(1);
    expect(world.reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
    expect(await world.submit("c"), "a new job is refused").toMatchObject({ kind: "rejected" });

    await world.call(world.node.id, { attempts: [failed] });
    await world.workOff();
    expect(world.job("b"), "takes the node that is there").toMatchObject({ state: "placed", node: world.node.id });
    expect(world.fleet.requested).toHaveLength(1);
  });

  test("a job that lost its node after the price rose past the limit waits for its next attempt", async () => {
    const world = await working();
    const { id } = world.node;
    sell(world, [anOffer({ usdPerHour: 10.5 })]);
    world.fleet.end(id);
    await world.ledger.nodeLedger.gone(id, world.nowMs);
    await decideAgain(world);
    expect(world.job("a")).toMatchObject({ state: "queued", attempt: 2, failures: 0, reason: expect.stringContaining("costs $10.50/h") });
    expect(world.fleet.live).toEqual([]);
    sell(world, [spot]);
    await decideAgain(world);
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 2 });
  });

  test("a job beyond lowered limits waits until they are raised, and running jobs go on", async () => {
    const world = await working();
    await world.submit("b");
    const lowered = aPool({ limits: { usdPerHour: 0.1, gpus: 0 } });
    await place(world.placeDeps, { pool: lowered, msLeft: () => 20_000 });
    expect(world.job("b")).toMatchObject({ state: "queued", reason: expect.stringContaining("is limited to") });
    expect(world.job("a")).toMatchObject({ state: "running" });
    expect(world.fleet.live).toHaveLength(1);
    await world.place();
    expect(world.job("b")).toMatchObject({ state: "placed" });
  });
});

describe("the reasons of waiting jobs", () => {
  test("a wait of a few seconds writes no reason, for example when 45 launches take two decisions of one run", async () => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 100, gpus: 100 } }) });
    for (let n = 0; n < 45; n += 1) await world.submit(`job-${n}`);
    expect(await world.place()).toMatchObject({ ended: "quiet" });
    expect(world.fleet.live).toHaveLength(45);
    expect([...world.ledger.table.jobs.values()].every((job) => job.state === "placed")).toBe(true);
    expect(world.ledger.wire.calls["placements.hold"]).toBeUndefined();
  });

  test("a decision writes at most 500 reasons, and the next ones write the others", async () => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 10, gpus: 1 } }) });
    for (let n = 0; n < 902; n += 1) await world.submit(`job-${n}`);
    const countLimited = () =>
      [...world.ledger.table.jobs.values()].filter((job) => job.reason?.includes(" reserved; it starts when ")).length;
    await world.place();
    for (const decision of world.journal.decisions)
      expect(decision.plan.steps.filter((step) => step.kind === "hold").length).toBeLessThanOrEqual(500);
    for (let n = 0; n < 2; n += 1) {
      await world.ringLater();
      await world.place();
    }
    expect(countLimited()).toBe(901);
    expect(world.ledger.wire.calls["placements.hold"]).toBe(901);
  });
});

test("limits hold although more was reserved after the decision's snapshot", async () => {
  const world = aWorld({ pool: aPool({ limits: { usdPerHour: 10, gpus: 1 } }) });
  await world.submit("a");
  world.ledger.wire.before("placements.intend", () => Object.assign(world.ledger.table.pool("gpu"), { gpus: 1 }));
  await world.place();
  expect(world.fleet.requested).toEqual([]);
  expect(world.job("a")).toMatchObject({ state: "queued" });
});

describe("the outcome of a launch", () => {
  test("the reservation of a launch becomes what EC2 gave, not its most expensive offer", async () => {
    const dear = anOffer({ zone: "us-east-1b", usdPerHour: 0.7 });
    const world = aWorld({ catalogue: aCatalogue({ offers: [spot, dear] }) });
    world.ledger.wire.before("placements.settle", () => expect(world.reserved).toEqual({ usdPerHour: 0.7, gpus: 1 }));
    await world.submit("a");
    await world.place();
    expect(world.reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
    expect(world.ledger.wire.calls["placements.settle"]).toBe(1);
  });

  test("a launch is recorded before EC2 is called", async () => {
    const world = aWorld();
    await world.submit("a");
    let open = 0;
    const fleet = fleetWith(world.fleet, {
      launch: (launch) => {
        open = world.ledger.table.openLaunches.size;
        return world.fleet.launch(launch);
      },
    });
    await world.place({ fleet });
    expect(open).toBe(1);
  });

  test("fewer nodes than requested are kept, and the rest is planned again on the remaining offers", async () => {
    const other = anOffer({ zone: "us-east-1b", usdPerHour: 2 });
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 100, gpus: 8 } }), catalogue: aCatalogue({ offers: [anOffer(), other] }) });
    world.fleet.restock(anOffer(), 3);
    for (const job of ["a", "b", "c", "d", "e"]) await world.submit(job);
    await world.workOff();
    expect(world.fleet.requested.map(({ count, offers }) => [count, offers[0]?.zone])).toEqual([
      [5, "us-east-1a"],
      [2, "us-east-1b"],
    ]);
    expect(world.nodes).toHaveLength(5);
    for (const job of ["a", "b", "c", "d", "e"]) expect(world.job(job)).toMatchObject({ state: "placed" });
    expect(world.reserved).toEqual({ usdPerHour: 5.5, gpus: 5 });
    expect(world.log).toContainEqual(expect.objectContaining({ message: "launch requested", note: expect.stringMatching(/^3 of 5: i-/) }));
  });

  test("a launch with an unknown outcome keeps all its jobs from being launched for again", async () => {
    const world = aWorld();
    world.fleet.unknownNext("launched");
    world.fleet.unknownNext("launched");
    for (const job of ["a", "b", "c"]) await world.submit(job);
    await world.place();
    expect(new Set(world.fleet.requested.map(({ clientToken }) => clientToken)).size).toBe(1);
    expect(world.fleet.live).toHaveLength(3);
    await world.pass(10);
    for (const job of ["a", "b", "c"]) expect(world.job(job)).toMatchObject({ state: "placed" });
    expect(world.fleet.live).toHaveLength(3);
  });

  test("every launch has its own token, short enough for EC2", async () => {
    const world = twoMarkets();
    await world.submit("a");
    await world.submit("b", { spot: false });
    await world.place();
    const tokens = world.fleet.requested.map((launch) => launch.clientToken);
    expect(new Set(tokens).size).toBe(2);
    for (const token of tokens) expect(token).toMatch(/^[ -~]{1,64}$/);
  });

  test.each(["launched", "not-launched"] as const)(
    "a launch with an unknown outcome that is actually %s is repeated unchanged",
    async (how) => {
      const world = aWorld();
      world.fleet.unknownNext(how);
      await world.submit("a");
      await world.workOff();
      await world.pass(10);
      expect(world.fleet.requested.length).toBeGreaterThan(1);
      expect(new Set(world.fleet.requested.map((launch) => JSON.stringify(launch))).size).toBe(1);
      expect(world.fleet.live).toHaveLength(1);
      expect(world.job("a")).toMatchObject({ state: "placed" });
      expect(world.reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
    },
  );

  test("a launch whose outcome is unknown for long is still one launch", async () => {
    const world = aWorld();
    for (let n = 0; n < 20; n += 1) world.fleet.unknownNext("launched");
    await world.submit("a");
    await world.workOff();
    for (let n = 0; n < 30; n += 1) await world.pass(5);
    expect(world.fleet.instances.size).toBe(1);
    expect(world.job("a")).toMatchObject({ state: "placed" });
  });

  test("a lack of capacity is remembered, and on-demand is tried", async () => {
    const world = aWorld({ catalogue: aCatalogue({ offers: [spot, onDemand] }) });
    world.fleet.refuse(spot);
    await world.submit("a");
    await world.workOff();
    expect(world.fleet.requested.map((launch) => launch.market)).toEqual(["spot", "on-demand"]);
    expect(world.node.offer).toEqual(onDemand);
    expect(world.reserved).toEqual({ usdPerHour: 1, gpus: 1 });
  });

  test("a lack of capacity everywhere holds the job with the reason, and EC2 is asked again later", async () => {
    const world = aWorld();
    world.fleet.refuse(spot);
    await world.submit("a");
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "queued", reason: expect.stringContaining("(InsufficientInstanceCapacity)") });
    expect(world.reserved).toEqual({ usdPerHour: 0, gpus: 0 });
    expect(world.fleet.requested).toHaveLength(1);
    world.fleet.restock(spot);
    await world.pass(240);
    expect(world.job("a")).toMatchObject({ state: "placed" });
  });

  test("what a packing teaches is in the next snapshot, and a decision goes on if it cannot be stored", async () => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 100, gpus: 100 } }) });
    for (let n = 0; n < 6; n += 1) await world.submit(`job-${n}`);
    await world.workOff();
    const [first] = world.journal.decisions;
    const kept = world.ledger.table.learned.get("gpu");
    expect(first?.snapshot.learned).toBeUndefined();
    expect(first?.plan.learned).toEqual(kept);
    expect(Object.values(kept ?? {}).flatMap(Object.keys)).not.toEqual([]);
    for (let n = 6; n < 12; n += 1) await world.submit(`job-${n}`);
    world.ledger.wire.failBefore("placements.learn");
    await world.workOff();
    expect(world.journal.decisions.find(({ plan }) => plan !== first?.plan && plan.packing)?.snapshot.learned).toEqual(kept);
    expect(world.ledger.table.learned.get("gpu")).toEqual(kept);
    for (let n = 0; n < 12; n += 1) expect(world.job(`job-${n}`)?.state).toBe("placed");
    expectOneTruth(world);
  });

  test("an unknown error code turns the decision to other offers, is in the job's reason, and causes no endless loop", async () => {
    const world = aWorld({ catalogue: aCatalogue({ offers: [spot, onDemand] }) });
    for (const offer of [spot, onDemand]) world.fleet.refuse(offer, "MoonInTheWrongHouse");
    await world.submit("a");
    await world.workOff();
    expect(world.fleet.requested.map(({ market }) => market)).toEqual(["spot", "on-demand"]);
    expect(world.job("a")).toMatchObject({ state: "queued", reason: expect.stringContaining("(MoonInTheWrongHouse)") });
    expectOneTruth(world);
    // In four hours each offer is requested at most every five minutes.
    for (let minute = 0; minute < 240; minute += 1) await world.pass(60);
    expect(world.fleet.requested.length).toBeLessThanOrEqual(2 * 48);
    for (const offer of [spot, onDemand]) world.fleet.restock(offer);
    for (let minute = 0; minute < 60; minute += 1) await world.pass(60);
    expect(world.job("a")).toMatchObject({ state: "placed" });
    expectOneTruth(world);
  });
});

describe("an idle node", () => {
  test("an idle node is given back when its time is up, and nothing is left", async () => {
    const world = await idling();
    await world.pass(119);
    expect(world.fleet.live).toHaveLength(1);
    await world.pass(1);
    expect(world.fleet.live).toEqual([]);
    expect(world.nodes).toEqual([]);
    expect(world.reserved).toEqual({ usdPerHour: 0, gpus: 0 });
  });

  test("the end of an idle node is requested again if EC2 did not respond", async () => {
    const world = await idling();
    world.fleet.deafNext("terminate", 3);
    await world.pass(120);
    for (const seconds of [2, 30, 60]) await world.pass(seconds);
    expect(world.fleet.live).toEqual([]);
    expect(world.nodes).toEqual([]);
  });

  test("a node gets nothing more once its end was decided", async () => {
    const world = await idling();
    const { id } = world.node;
    world.ledger.wire.before("placements.terminating", () => world.submit("late"));
    await world.pass(120);
    expect(world.job("late")).toMatchObject({ state: "placed" });
    expect(world.job("late")?.node).not.toBe(id);
    expect(world.fleet.live.map((instance) => instance.id)).toEqual([world.job("late")?.node]);
  });

  test("a node whose end was not confirmed is looked up, and forgotten when it is over", async () => {
    const world = await idling();
    await world.pass(120);
    expect(world.ledger.table.nodes.size).toBe(1);
    world.nowMs += 121_000;
    await world.ringLater();
    await world.workOff();
    expect(world.ledger.table.nodes.size).toBe(0);
  });
});

describe("a node that is gone", () => {
  test("the attempts of a node that is gone return to the queue and run elsewhere", async () => {
    const world = await working();
    const { id } = world.node;
    world.fleet.end(id);
    await world.ledger.nodeLedger.gone(id, world.nowMs);
    await world.ringLater();
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 2, failures: 0 });
    expect(world.job("a")?.node).not.toBe(id);
    expect(world.fleet.live).toHaveLength(1);
    expect(world.reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
  });

  test("a silent node is ended while others are heard, and its work runs elsewhere only when EC2 says that it has ended", async () => {
    const world = await working();
    const { id } = world.node;
    const step = async (): Promise<void> => {
      await world.ringLater();
      await world.workOff();
    };
    world.fleet.shutDown = (each) => void world.fleet.ending.add(each);
    for (let minute = 0; minute < 30; minute += 1) {
      world.nowMs += 60_000;
      await step();
    }
    expect(world.job("a")).toMatchObject({ state: "running", node: id, attempt: 1 });
    expect(world.fleet.endsRequested).toEqual([]);
    world.nowMs += 60_000;
    await step();
    expect(world.fleet.endsRequested.flat()).toEqual([id]);
    world.nowMs += 180_000;
    await step();
    expect(world.job("a"), "the instance shuts down, and its programs may still run").toMatchObject({ state: "running", node: id });
    world.fleet.end(id);
    world.nowMs += 60_000;
    await step();
    expect(world.job("a"), "what it may have left on S3 is waited for").toMatchObject({ state: "running", attempt: 1 });
    expect(world.lane.later.some(({ delaySeconds }) => delaySeconds <= 240)).toBe(true);
    world.nowMs += 240_000;
    await step();
    expect(world.job("a")).toMatchObject({ attempt: 2, state: "placed", losses: 1 });
  });

  test("no worker is judged by silence while the tick's calls to node fail", async () => {
    const world = await working();
    world.isDeaf = true;
    world.nowMs += 10 * 3_600_000;
    await world.ringLater();
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 1 });
    expect(world.fleet.endsRequested).toEqual([]);
  });

  test("an instance that EC2 does not know counts as ended only after two reads that are a minute apart", async () => {
    const world = await working();
    const { id } = world.node;
    world.fleet.forget(id);
    const step = async (ms: number): Promise<void> => {
      world.nowMs += ms;
      await world.ringLater();
      await world.workOff();
    };
    const toMinute = 60_000 - (world.nowMs % 60_000);
    await step(600_000 + toMinute);
    expect(world.node.missingSinceMs).toBe(world.nowMs);
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 1 });
    await step(1_000);
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 1 });
    await step(60_000);
    expect(world.node.state).toBe("gone");
    await step(240_000);
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 2 });
  });

  test("an old answer of EC2 that it does not know an instance does not count after its worker has called again", async () => {
    const world = await working();
    const { id } = world.node;
    const step = async (ms: number): Promise<void> => {
      world.nowMs += ms;
      await world.ringLater();
      await world.workOff();
    };
    const instance = world.fleet.instances.get(id);
    if (!instance) throw new Error("EC2 has no instance");
    world.fleet.forget(id);
    await step(660_000 - (world.nowMs % 60_000));
    expect(world.node.missingSinceMs).toBe(world.nowMs);
    world.fleet.instances.set(id, instance);
    await world.call(id);
    world.fleet.forget(id);
    await step(240_000);
    expect(world.node).toMatchObject({ state: "ready", missingSinceMs: world.nowMs });
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 1 });
  });
});

describe("a ring", () => {
  test("a ring during a decision is heard by the same run", async () => {
    const world = aWorld();
    await world.submit("a");
    world.ledger.wire.before("decisions.finish", () => world.submit("b"));
    const placed = await world.place();
    expect(placed).toMatchObject({ ended: "quiet" });
    expect(world.job("b")).toMatchObject({ state: "placed" });
    expect(world.ledger.table.pool("gpu")).toMatchObject({ bell: 2, decidedThrough: 2 });
  });

  test("a ring before the snapshot is not decided on twice", async () => {
    const world = aWorld();
    await world.submit("a");
    await world.workOff();
    const begun = world.ledger.wire.calls["decisions.begin"];
    await world.place();
    expect(world.ledger.wire.calls["decisions.begin"]).toBe((begun ?? 0) + 1);
  });

  test("endless rings wake another run", async () => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 100, gpus: 100 } }) });
    await world.submit("a");
    world.lane.receive()?.done();
    for (let n = 1; n <= 8; n += 1) world.ledger.wire.before("decisions.finish", () => world.submit(`more-${n}`), n);
    expect(await world.place()).toMatchObject({ decisions: 8, ended: "later" });
    await world.workOff();
    expect(world.job("more-8")).toMatchObject({ state: "placed" });
  });

  test.each([
    [1_000, 8],
    [4_000, 4],
    [6_500, 2],
    [13_000, 1],
  ])("a run whose rounds take %i ms each begins no round that would not end in time, and wakes another run", async (roundMs, rounds) => {
    const world = aWorld({ pool: aPool({ limits: { usdPerHour: 100, gpus: 100 } }) });
    await world.submit("a");
    world.lane.receive()?.done();
    let leftMs = 20_000;
    for (let n = 1; n <= 8; n += 1)
      world.ledger.wire.before(
        "decisions.finish",
        () => {
          leftMs -= roundMs;
          return world.submit(`more-${n}`);
        },
        n,
      );
    expect(await place(world.placeDeps, { pool: world.pool, msLeft: () => leftMs })).toMatchObject({ decisions: rounds, ended: "later" });
    expect(leftMs).toBeGreaterThan(0);
    expect(world.lane.waiting).toContain("gpu");
  });

  test("a ring when a run has no time left is not lost", async () => {
    const world = aWorld();
    await world.submit("a");
    world.lane.receive()?.done();
    expect(await place(world.placeDeps, { pool: world.pool, msLeft: () => 5_000 })).toMatchObject({ decisions: 0, ended: "later" });
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "placed" });
  });
});

describe("an overtaken run", () => {
  test("an overtaken run stops, and launches and binds nothing", async () => {
    const world = aWorld();
    await world.submit("a");
    world.ledger.wire.before("decisions.isCurrent", () => world.ledger.decisions.begin("gpu"));
    expect(await world.place()).toMatchObject({ ended: "fenced" });
    expect(world.fleet.requested).toEqual([]);
    expect(world.ledger.table.openLaunches.size).toBe(1);
  });

  test("a run that is overtaken between EC2's response and its record leaves one instance and the rest to its successor", async () => {
    const world = aWorld();
    await world.submit("a");
    world.ledger.wire.before("placements.settle", () => world.place());
    expect(await world.place()).toMatchObject({ ended: "fenced" });
    expect(world.fleet.live).toHaveLength(1);
    expect(world.job("a")).toMatchObject({ state: "placed", node: world.node.id });
    expect(world.reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
  });

  test("an overtaken run ends no node", async () => {
    const world = await idling();
    await world.wait(120);
    world.ledger.wire.before("decisions.isCurrent", () => world.ledger.decisions.begin("gpu"));
    expect(await world.place()).toMatchObject({ ended: "fenced" });
    expect(world.fleet.live).toHaveLength(1);
  });

  test("a run that another one has overtaken does not record causes as heard on which it did not act", async () => {
    const world = aWorld();
    await world.submit("a");
    world.ledger.wire.before("decisions.finish", () => world.ledger.decisions.begin("gpu"), 1);
    expect(await world.place()).toMatchObject({ ended: "fenced" });
    expect(world.ledger.table.pool("gpu").decidedThrough).toBe(0);
  });
});

/** A catalogue with spot and more expensive on-demand offers: jobs that accept spot and jobs that do not get separate launches. */
const twoMarkets = () => aWorld({ catalogue: aCatalogue({ offers: [anOffer(), anOffer({ market: "on-demand", usdPerHour: 1 })] }) });

describe("a failing step", () => {
  test("a failing step does not delay the others", async () => {
    const world = twoMarkets();
    await world.submit("a");
    await world.submit("b", { spot: false });
    world.ledger.wire.failBefore("placements.intend");
    await world.workOff();
    expect(world.journal.decisions[0]?.outcomes).toEqual([
      "failed: placements.intend was not carried out",
      expect.stringMatching(/^again: launched/),
    ]);
    expect(world.log).toContainEqual(expect.objectContaining({ level: "error", message: "step failed", step: "launch" }));
  });

  test("a bug in a step reaches the log as the error that was thrown, and the run ends as after any other failure", async () => {
    const world = aWorld();
    await world.submit("a");
    const bug = new TypeError("Cannot read properties of undefined (reading 'y')", { cause: new RangeError("no such offer") });
    const placements = { ...world.placeDeps.placements, intend: () => Promise.reject(bug) };
    expect(await world.place({ placements })).toMatchObject({ decisions: 1, steps: 1, ended: "quiet" });
    const [line] = world.log.filter(({ message }) => message === "step failed");
    expect(line).toEqual({
      level: "error",
      message: "step failed",
      pool: "gpu",
      epoch: 1,
      step: "launch",
      note: bug.message,
      error: bug,
    });
    expect(line?.["error"]).toBe(bug);
    expect(world.journal.decisions[0]?.outcomes).toEqual([`failed: ${bug.message}`]);
    await world.pass(2);
    expect(world.job("a")).toMatchObject({ state: "placed" });
  });

  test("a failed step is tried again two seconds later", async () => {
    const world = aWorld();
    await world.submit("a");
    world.ledger.wire.failBefore("placements.intend");
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "queued" });
    await world.pass(2);
    expect(world.job("a")).toMatchObject({ state: "placed" });
  });

  test("a step that fails after it was done is not done twice", async () => {
    const world = aWorld();
    await world.submit("a");
    world.ledger.wire.loseResponseOf("placements.intend");
    await world.workOff();
    await world.pass(5);
    expect(world.fleet.requested).toHaveLength(1);
    expect(world.job("a")).toMatchObject({ state: "placed" });
    expect(world.reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
  });

  test("a step that fails because a call to EC2 is not allowed is recorded, and nothing is lost", async () => {
    const world = await idling();
    await world.wait(120);
    const terminate = async () => {
      throw new FleetError("denied", "not allowed to terminate");
    };
    const { fleet } = world;
    await world.place({
      fleet: fleetWith(fleet, { terminate }),
    });
    expect(world.journal.decisions.at(-1)?.outcomes).toEqual(["failed: not allowed to terminate"]);
    expect(world.node.state).toBe("draining");
    await world.pass(2);
    expect(world.nodes).toEqual([]);
  });
});

describe("the delayed message of a pool", () => {
  test("only one delayed message is under way, however often a pool decides", async () => {
    const world = await idling();
    const before = world.lane.later.length;
    for (let n = 0; n < 5; n += 1) {
      await world.ringLater();
      await world.workOff();
    }
    expect(before).toBeGreaterThan(0);
    expect(world.lane.later).toHaveLength(before);
  });

  test("another delayed message is sent if something is due earlier", async () => {
    const world = await idling();
    const before = world.lane.later.length;
    world.fleet.unknownNext("not-launched");
    world.fleet.unknownNext("not-launched");
    await world.submit("other-1");
    await world.submit("other-2");
    await world.workOff();
    expect(world.lane.later.length).toBeGreaterThan(before);
    expect(Math.min(...world.lane.later.map((one) => one.delaySeconds))).toBeLessThanOrEqual(5);
  });

  test("no delayed message is sent for a pool at rest", async () => {
    const world = aWorld();
    await world.place();
    expect(world.lane.later).toEqual([]);
    expect(world.journal.decisions).toEqual([]);
  });
});

describe("the record of a decision", () => {
  test("a decision without steps is recorded only if its cause is not an ordinary one", async () => {
    const world = await idling();
    const before = world.journal.decisions.length;
    await ring({ bell: world.ledger.bell, lane: world.lane }, world.pool.name, "tick");
    await world.workOff();
    expect(world.journal.decisions).toHaveLength(before);
    await ring({ bell: world.ledger.bell, lane: world.lane }, world.pool.name, "alarm fleetwright/gpu-low/gpu");
    await world.workOff();
    expect(world.journal.decisions.slice(before)).toMatchObject([{ causes: ["alarm fleetwright/gpu-low/gpu"], plan: { steps: [] } }]);
  });

  test("a decision is recorded with its snapshot, plan and outcomes", async () => {
    const world = aWorld();
    await world.submit("a");
    await world.place();
    expect(world.journal.decisions.map((decision) => decision.plan.steps.map((step) => step.kind))).toEqual([["launch"], ["bind"]]);
    const [first] = world.journal.decisions;
    expect(first).toMatchObject({ pool: "gpu", snapshot: { queue: [{ job: "a" }] } });
    expect(world.journal.decisions.map(({ causes }) => causes)).toEqual([["job"], []]);
    expect(first?.outcomes).toEqual([expect.stringMatching(/^again: launched i-/)]);
  });

  test("a decision is carried out even if it cannot be recorded", async () => {
    const world = aWorld();
    world.journal.interruptions.failBefore("record");
    await world.submit("a");
    await world.place();
    expect(world.job("a")).toMatchObject({ state: "placed" });
  });
});

test("a job that waits for its node to boot starts on a node that becomes free before, and the other node stays until it is idle", async () => {
  const world = aWorld();
  await world.submit("a");
  await world.workOff();
  const first = world.node.id;
  await world.call(first);
  await world.submit("b");
  await world.workOff();
  const second = world.nodes.find(({ id }) => id !== first)?.id ?? "";
  expect(world.job("b")).toMatchObject({ state: "placed", node: second, attempt: 1 });
  const ended = { team: "vision", job: "a", attempt: 1, phase: "failed", reason: "no", again: false } as const;
  await world.call(first, { attempts: [ended] });
  await world.workOff();
  expect(world.job("b")).toMatchObject({ state: "placed", node: first, attempt: 1 });
  expect(await world.call(first)).toMatchObject({ orders: [{ kind: "run", job: "b", attempt: 1 }] });
  expect(await world.call(second)).toMatchObject({ orders: [] });
  expect(world.nodes.map(({ id, state }) => [id, state])).toEqual([
    [first, "ready"],
    [second, "ready"],
  ]);
});
