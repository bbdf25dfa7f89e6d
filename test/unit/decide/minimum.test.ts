import { describe, expect, test } from "vitest";
import { decide } from "../../../lib/decide/decide.ts";
import { inForce } from "../../../lib/decide/overrides/in-force.ts";
import { beyondMinimum, minimumOf } from "../../../lib/decide/scaling/minimum.ts";
import { minimumState } from "../../../lib/decide/scaling/missing-nodes.ts";
import { attemptName } from "../../../lib/model/job.ts";
import type { Node } from "../../../lib/model/node.ts";
import { changed, noOverrides, type OverrideOrder, unknownOverrides } from "../../../lib/model/overrides/overrides.ts";
import type { Snapshot } from "../../../lib/model/plan.ts";
import type { Pool } from "../../../lib/model/pool.ts";
import {
  aCatalogue,
  aLaunch,
  aNode,
  anAssignment,
  anEntry,
  anOffer,
  aPool,
  aRefusal,
  aSnapshot,
  aType,
  monday,
} from "../../fakes/builders.ts";

const now = monday + 3_600_000;
const keeping = (minNodes: number, over: Partial<Pool> = {}): Pool => aPool({ shared: true, idleSeconds: 120, minNodes, ...over });
const seen = (over: Partial<Snapshot> = {}): Snapshot => aSnapshot({ nowMs: now, pool: keeping(2), ...over });
const idle = (n: number, over: Partial<Node> = {}): Node =>
  aNode({ id: `i-${n}`, team: undefined, launchedAtMs: monday, lastBusyMs: monday, lastSeenMs: now, ...over });
const at = (usdPerHour: number) => ({ offer: anOffer({ usdPerHour }) });
const orderedAs = (order: OverrideOrder) => changed(noOverrides, order, { by: "Admin/ada", atMs: monday });

const withLarge = aCatalogue({
  types: [aType(), aType({ name: "g5.48xlarge", resources: { vcpus: 192, memoryGiB: 768, gpus: 8 } })],
  offers: [anOffer(), anOffer({ instanceType: "g5.48xlarge", usdPerHour: 5 })],
});
const large = anEntry({ needs: { vcpus: 1, memoryGiB: 1, gpus: 8 } });
const refused = aRefusal({ instanceType: "g5.48xlarge", untilMs: now + 60_000 });
/** A job waits for EC2, which has refused the only offer for it. It needs all that the limits allow. */
const dry: Partial<Snapshot> = {
  pool: keeping(2, { limits: { usdPerHour: 20, gpus: 8 } }),
  catalogue: withLarge,
  queue: [large],
  refusals: [refused],
};
const resting = { subject: "launch spot g5.xlarge", failures: 2, sinceMs: now, retryAtMs: now + 30_000, note: "no" };
const unreadableLaunch: Partial<Snapshot> = { unreadable: [{ kind: "launch", key: "L#gpu x", why: "offers" }] };

const retired = (snapshot: Snapshot) => decide(snapshot).steps.flatMap((step) => (step.kind === "retire" ? step.node : []));
const launches = (snapshot: Snapshot) => decide(snapshot).steps.flatMap((step) => (step.kind === "launch" ? step.launch : []));
const counts = (snapshot: Snapshot) => launches(snapshot).map(({ count }) => count);

describe("the idle nodes of a pool with a minimum", () => {
  test("the cheapest nodes are kept, and of equal ones always the same, in whatever order they are listed", () => {
    const nodes = [idle(1, at(0.4)), idle(2, at(0.9)), idle(3, at(0.5)), idle(4, at(0.5))];
    for (const order of [nodes, nodes.toReversed()]) expect(retired(seen({ nodes: order })).toSorted()).toEqual(["i-2", "i-3"]);
    expect(retired(seen({ nodes, pool: keeping(0) }))).toHaveLength(4);
    expect(retired(seen({ nodes: nodes.slice(0, 2) }))).toEqual([]);
  });

  test("nodes with work and nodes that boot count, and those that leave, are cordoned or are silent do not", () => {
    const nodes = [idle(1), idle(2)];
    const others: readonly [Partial<Node>, readonly string[]][] = [
      [{ assignments: [anAssignment({ phase: "running" })] }, ["i-1"]],
      [{ state: "launching", readyAtMs: undefined, launchedAtMs: now - 1_000 }, ["i-1"]],
      [{ state: "draining", drain: { because: "old", untilMs: now + 600_000 }, assignments: [anAssignment()] }, []],
      [{ lastSeenMs: now - 300_000, assignments: [anAssignment({ phase: "running" })] }, []],
    ];
    for (const [other, ended] of others) expect(retired(seen({ nodes: [...nodes, idle(3, other)] }))).toEqual(ended);
    const overrides = orderedAs({ kind: "cordon", node: "i-3" });
    expect(retired(seen({ nodes: [...nodes, idle(3)], overrides }))).toEqual(["i-3"]);
  });

  test("a pool that is paused or drained, has used up its budget or was removed keeps no node", () => {
    const nodes = [idle(1), idle(2)];
    expect(retired(seen({ nodes, overrides: orderedAs({ kind: "pause" }) }))).toHaveLength(2);
    expect(retired(seen({ nodes, overrides: orderedAs({ kind: "drain-pool", untilMs: now + 1 }) }))).toHaveLength(2);
    expect(retired(seen({ nodes, pool: keeping(2, { budgets: { usdPerDay: 0 } }) }))).toHaveLength(2);
    expect(retired(seen({ nodes, pool: keeping(2, { closing: true }) }))).toHaveLength(2);
    expect(retired(seen({ nodes, pool: keeping(2, { shared: false }) }))).toHaveLength(2);
  });

  test("overrides that cannot be read end no node that the configuration keeps, and launch none", () => {
    expect(decide(seen({ nodes: [idle(1)], overrides: unknownOverrides })).steps).toEqual([]);
  });

  test("while a job waits for a limit, no node is kept for the minimum, because the job may need what it takes up", () => {
    const waits = { catalogue: withLarge, queue: [large], nodes: [idle(1)], reserved: { usdPerHour: 0.5, gpus: 1 } };
    expect(retired(seen(waits))).toEqual(["i-1"]);
    expect(launches(seen(waits))).toEqual([]);
    const never = {
      ...waits,
      wider: { limits: { deployment: { gpus: 4 }, teams: {} }, reserved: { deployment: waits.reserved, teams: {} } },
    };
    expect([retired(seen(never)), counts(seen(never))]).toEqual([[], [1]]);
  });

  test("no node is kept in the room of a job that waits for EC2, and none that is not in its way ends for it", () => {
    const nodes = [idle(1), idle(2)];
    const reserved = { usdPerHour: 1, gpus: 2 };
    expect(retired(seen({ ...dry, nodes, reserved }))).toEqual(["i-1", "i-2"]);
    const roomFor = (gpus: number) => retired(seen({ ...dry, nodes, reserved, pool: keeping(2, { limits: { usdPerHour: 20, gpus } }) }));
    expect([roomFor(9), roomFor(10)]).toEqual([["i-1"], []]);
    // Another node's end makes room already.
    const ending = idle(3, { state: "terminating" });
    expect(retired(seen({ ...dry, nodes: [...nodes, ending], reserved: { usdPerHour: 1.5, gpus: 3 } }))).toHaveLength(2);
    const released = { ...ending, released: true as const };
    const wide = keeping(2, { limits: { usdPerHour: 20, gpus: 10 } });
    expect(retired(seen({ ...dry, nodes: [...nodes, ending], reserved: { usdPerHour: 1.5, gpus: 3 }, pool: wide }))).toEqual([]);
    expect(retired(seen({ ...dry, nodes: [...nodes, released], reserved, pool: wide }))).toEqual([]);
    const overrides = orderedAs({ kind: "cordon", node: "i-1" });
    expect(retired(seen({ ...dry, nodes: [...nodes, idle(3)], reserved: { usdPerHour: 1.5, gpus: 3 }, overrides, pool: wide }))).toEqual([
      "i-1",
    ]);
    // A pause starts no job, and no node's end makes room in limits that cannot be read.
    const unknown = { limits: { teams: {}, isUnknown: true as const }, reserved: { deployment: reserved, teams: {} } };
    expect(retired(seen({ ...dry, nodes, reserved, wider: unknown }))).toEqual([]);
    expect(retired(seen({ ...dry, nodes, reserved, overrides: unknownOverrides }))).toEqual([]);
  });

  test("no node is emptied to save cost if the pool would then have fewer than it keeps", () => {
    const small = { needs: { vcpus: 1, memoryGiB: 1, gpus: 0 }, phase: "running" as const };
    const nodes = [1, 2].map((n) => idle(n, { assignments: [anAssignment({ job: `j${n}`, ...small })], lastBusyMs: monday + 60_000 }));
    const drained = (minNodes: number) => decide(seen({ nodes, pool: keeping(minNodes, { consolidateSeconds: 60 }) })).steps.length;
    expect([drained(1), drained(2)]).toEqual([1, 0]);
  });
});

describe("the nodes that are missing from a pool's minimum", () => {
  test("the missing nodes are launched at the cheapest price, for no job and no team, with the reason", () => {
    const types = [aType(), aType({ name: "g5.2xlarge" })];
    const offers = [
      anOffer({ usdPerHour: 0.6, zone: "us-east-1b" }),
      anOffer({ usdPerHour: 0.4 }),
      anOffer({ usdPerHour: 1, market: "on-demand" }),
      anOffer({ usdPerHour: 0.5, instanceType: "g5.2xlarge" }),
    ];
    const because = "the pool keeps at least 2 nodes; g5.xlarge spot at $0.40/h is the cheapest";
    expect(launches(seen({ catalogue: aCatalogue({ types, offers }) }))).toEqual([
      {
        pool: "gpu",
        market: "spot",
        offers: [offers[1], offers[0]],
        types: [types[0]],
        jobs: [],
        count: 2,
        whole: false,
        reserved: { usdPerHour: 1.2, gpus: 2 },
        because,
      },
    ]);
  });

  test("nodes that boot, are being launched, are silent, cannot be read or are launched for jobs count, so that no more are launched than are missing", () => {
    expect(counts(seen({ nodes: [idle(1, { state: "launching", readyAtMs: undefined, launchedAtMs: now })] }))).toEqual([1]);
    expect(counts(seen({ nodes: [idle(1, { lastSeenMs: now - 300_000 })] }))).toEqual([1]);
    expect(counts(seen({ openLaunches: [aLaunch({ team: undefined, jobs: [], count: 2 })] }))).toEqual([]);
    expect(counts(seen({ unreadable: [{ kind: "node", key: "N#gpu#0 i-1", why: "state" }] }))).toEqual([1]);
    const queue = [anEntry({ job: "a", needs: { vcpus: 1, memoryGiB: 1, gpus: 1 } })];
    expect(launches(seen({ queue })).map(({ jobs, count }) => [jobs.length, count])).toEqual([
      [1, 1],
      [0, 1],
    ]);
  });

  test("none is launched into the room of a job that waits for EC2, whose launch rests, or that rests itself", () => {
    expect(launches(seen(dry))).toEqual([]);
    const rests = (subject: string) => ({ ...dry, refusals: [], backOffs: [{ ...resting, subject }] });
    expect(launches(seen(rests("launch spot g5.48xlarge")))).toEqual([]);
    expect(launches(seen(rests(`place ${attemptName(large)}`)))).toEqual([]);
    expect(launches(seen({ ...dry, refusals: [], queue: [{ ...large, notBeforeMs: now + 5_000 }] }))).toEqual([]);
    expect(counts(seen({ ...dry, queue: [] }))).toEqual([2]);
    expect(counts(seen({ ...dry, pool: keeping(2, { limits: { usdPerHour: 20, gpus: 9 } }) }))).toEqual([1]);
    // A job that rests and then starts on a node that is there needs no room.
    const small = anEntry({ needs: { vcpus: 1, memoryGiB: 1, gpus: 1 }, notBeforeMs: now + 5_000 });
    const roomForTwo = keeping(2, { limits: { usdPerHour: 20, gpus: 2 } });
    expect(counts(seen({ queue: [small], nodes: [idle(1)], reserved: { usdPerHour: 0.5, gpus: 1 }, pool: roomForTwo }))).toEqual([1]);
  });

  test("none is launched into the room that a job needs if EC2 refuses its launch and only a more expensive offer is left", () => {
    const offers = [...withLarge.offers, anOffer({ instanceType: "g5.48xlarge", usdPerHour: 19.5, market: "on-demand" })];
    const two = { catalogue: { ...withLarge, offers }, queue: [large], pool: keeping(2, { limits: { usdPerHour: 20, gpus: 64 } }) };
    expect(launches(seen(two)).map(({ jobs, count }) => [jobs.length, count])).toEqual([
      [1, 1],
      [0, 1],
    ]);
    const open = aLaunch({
      team: undefined,
      jobs: [large],
      count: 1,
      offers: [offers[1] ?? anOffer()],
      reserved: { usdPerHour: 5, gpus: 8 },
    });
    expect(
      counts(seen({ ...two, openLaunches: [open], reserved: open.reserved, pool: keeping(4, { limits: { usdPerHour: 20, gpus: 64 } }) })),
    ).toEqual([1]);
  });

  test("none is launched while a launch cannot be read, because it may be of all of them", () => {
    expect(decide(seen({ ...unreadableLaunch, pool: keeping(5) })).steps).toEqual([]);
  });

  test("a node that leaves is replaced in the same plan", () => {
    const old = idle(1, { launchedAtMs: now - 7_200_000 });
    const { steps } = decide(seen({ nodes: [old, idle(2, { launchedAtMs: now })], pool: keeping(2, { maxLifetimeSeconds: 7_200 }) }));
    expect(steps.map(({ kind }) => kind)).toEqual(["retire", "launch"]);
    expect(steps[1]).toMatchObject({ launch: { count: 1 } });
  });

  test("no more are launched than limits and budgets leave, or than one launch can have", () => {
    const limited = (limits: Pool["limits"]) => counts(seen({ pool: keeping(5, { limits }) }));
    expect(limited({ usdPerHour: 1.2, gpus: 8 })).toEqual([2]);
    expect(limited({ usdPerHour: 10, gpus: 3 })).toEqual([3]);
    expect(limited({ usdPerHour: 0.4, gpus: 3 })).toEqual([]);
    expect(counts(seen({ pool: keeping(500, { limits: { usdPerHour: 1_000, gpus: 1_000 } }) }))).toEqual([40]);
    expect(counts(seen({ pool: keeping(5, { budgets: { usdPerDay: 0.5 } }) }))).toEqual([1]);
    const reserved = { deployment: { usdPerHour: 0, gpus: 0 }, teams: {} };
    expect(counts(seen({ wider: { limits: { deployment: { gpus: 1 }, teams: {} }, reserved } }))).toEqual([1]);
    expect(counts(seen({ wider: { limits: { teams: {}, isUnknown: true }, reserved } }))).toEqual([]);
  });

  test("an offer that EC2 refused is passed over while it rests, and nothing is launched if all rest or do not boot", () => {
    const types = [aType(), aType({ name: "g5.2xlarge" })];
    const catalogue = aCatalogue({ types, offers: [anOffer(), anOffer({ usdPerHour: 0.7, instanceType: "g5.2xlarge" })] });
    const refusals = [aRefusal({ untilMs: now + 60_000 })];
    expect(launches(seen({ catalogue, refusals })).map(({ types: [type] }) => type?.name)).toEqual(["g5.2xlarge"]);
    expect(launches(seen({ refusals }))).toEqual([]);
    const bootFailures = [1, 2, 3].map((n) => ({ node: `b-${n}`, instanceType: "g5.xlarge", zone: anOffer().zone, atMs: now - 60_000 }));
    expect(launches(seen({ catalogue, bootFailures })).map(({ types: [type] }) => type?.name)).toEqual(["g5.2xlarge"]);
  });

  test("a launch that failed a moment ago rests, and the decision wakes for it", () => {
    expect(decide(seen({ backOffs: [resting] }))).toMatchObject({ steps: [], wakeAtMs: now + 30_000 });
  });

  test("a pool that is paused, was removed or is not shared launches none, and neither does one without prices or minimum", () => {
    expect(launches(seen({ overrides: orderedAs({ kind: "pause" }) }))).toEqual([]);
    expect(launches(seen({ pool: keeping(2, { closing: true }) }))).toEqual([]);
    expect(launches(seen({ pool: keeping(2, { shared: false }) }))).toEqual([]);
    expect(launches(seen({ catalogue: undefined }))).toEqual([]);
    for (const pool of [keeping(0), aPool({ shared: true })]) expect(decide(seen({ pool }))).toEqual({ steps: [], wakeAtMs: undefined });
  });
});

describe("a minimum that an admin has set", () => {
  const set = (minNodes: number) => orderedAs({ kind: "set", values: { minNodes }, untilMs: now + 600_000 });

  test("it applies instead of the configured one until it expires, and the decision wakes for that, also in an empty pool", () => {
    const minimum = (nowMs: number) => minimumOf({ pool: inForce(keeping(1), set(3), nowMs), overrides: set(3) });
    expect([minimum(now), minimum(now + 600_000)]).toEqual([3, 1]);
    expect(decide(seen({ pool: keeping(0), overrides: set(0) })).wakeAtMs).toBe(now + 600_000);
  });

  test("how much of a minimum is there is shown with its cost, that of its cheapest nodes, and what those that are missing would add", () => {
    const nodes = [idle(1, at(0.9)), idle(2, at(0.4)), idle(3, at(0.6))];
    expect(minimumState(seen({ nodes }))).toEqual({ nodes: 2, there: 2, usdPerHour: 1 });
    expect(minimumState(seen({ nodes: nodes.slice(0, 1), pool: keeping(3) }))).toMatchObject({
      nodes: 3,
      there: 1,
      usdPerHour: 0.9,
      missingUsdPerHour: 1,
    });
    expect(minimumState(seen({ catalogue: undefined }))).toMatchObject({ there: 0, usdPerHour: 0, missingUsdPerHour: undefined });
    expect(minimumState(seen({ pool: keeping(0) }))).toBeUndefined();
    expect(beyondMinimum(seen({ nodes, pool: keeping(0) }), [])).toBe(Number.POSITIVE_INFINITY);
  });

  test("if nodes of a minimum are missing, it is shown why", () => {
    const why = (over: Partial<Snapshot>) => minimumState(seen(over))?.why;
    const reserved = { deployment: { usdPerHour: 0, gpus: 0 }, teams: {} };
    const reasons: readonly (readonly [Partial<Snapshot>, string])[] = [
      [{}, "the next decision launches more"],
      [{ overrides: orderedAs({ kind: "pause" }) }, "the pool is paused"],
      [{ overrides: unknownOverrides }, "what admins have ordered cannot be read"],
      [{ pool: keeping(2, { budgets: { usdPerDay: 0 } }) }, "the budget of $0 a day is used up"],
      [{ pool: keeping(2, { budgets: { usdPerDay: 0.1 } }) }, "the pool's budget does not pay for an hour of another node"],
      [{ pool: keeping(2, { limits: { usdPerHour: 9, gpus: 0 } }) }, "the limits of pool gpu leave no room for another node"],
      [
        { wider: { limits: { deployment: { gpus: 0 }, teams: {} }, reserved } },
        "the limits of the whole deployment leave no room for another node",
      ],
      [{ wider: { limits: { teams: {}, isUnknown: true }, reserved } }, "the limits across pools that admins have set cannot be read"],
      [{ catalogue: undefined }, "prices are not known yet"],
      [unreadableLaunch, "a launch cannot be read, and may be of these nodes"],
      [{ openLaunches: [aLaunch({ team: undefined, jobs: [], count: 2 })] }, "others are being launched"],
      [{ unreadable: [1, 2].map((n) => ({ kind: "node" as const, key: `N#gpu#0 i-${n}`, why: "state" })) }, "other nodes cannot be read"],
      [{ backOffs: [resting] }, "their launch failed and is tried again: no"],
      [
        { refusals: [aRefusal({ untilMs: now + 60_000 })] },
        "what there is room for was refused by EC2 or did not boot, and is tried again after a rest",
      ],
      [dry, "a job that waits goes first, and may need what limits and budgets leave"],
    ];
    for (const [over, reason] of reasons) expect(why(over)).toBe(reason);
  });
});
