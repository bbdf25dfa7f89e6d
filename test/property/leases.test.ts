import fc from "fast-check";
import { expect, test } from "vitest";
import { deadNodes } from "../../lib/decide/health/dead-nodes.ts";
import { heartbeatEveryMs } from "../../lib/model/heartbeat/heartbeat.ts";
import type { Node } from "../../lib/model/node.ts";
import { graceMs, judgeLease, type Lease } from "../../lib/worker/attempt/lease.ts";
import { aNode, anAssignment, aSnapshot, monday } from "../fakes/builders.ts";
import { aWorld } from "../unit/flows/world.ts";

/**
 * Times are true ms since the first call was sent. No machine knows them: each has its own clock, and the node's is
 * a monotonic one that runs a little fast or slow.
 */
type Story = {
  /** How fast the node's monotonic clock runs. */
  readonly rate: number;
  /** How far the clocks are off that stamped the lease, per call, and that found the node dead, ms. */
  readonly stampOffMs: readonly number[];
  readonly judgeOffMs: number;
  /** The calls in order: how long each takes to the server, how long its response takes, and whether that ever arrives. */
  readonly calls: readonly { readonly gapMs: number; readonly toMs: number; readonly backMs: number; readonly lost: boolean }[];
  /** The worker's process freezes for this long just when it should give up its lease. */
  readonly freezeMs: number;
};

type Bounds = { readonly drift: number; readonly offMs: number; readonly freezeMs: number };
/** What the two sides withstand together: clocks of functions 20 s off, a worker's clock that gains or loses half a percent, and a stop of 30 s. */
const withstood: Bounds = { drift: 0.005, offMs: 20_000, freezeMs: 30_000 };

const stories = ({ drift, offMs, freezeMs }: Bounds): fc.Arbitrary<Story> => {
  const off = fc.integer({ min: -offMs, max: offMs });
  const call = fc.record({
    gapMs: fc.integer({ min: 50, max: 60_000 }),
    toMs: fc.integer({ min: 1, max: 20_000 }),
    backMs: fc.integer({ min: 1, max: 20_000 }),
    lost: fc.boolean(),
  });
  return fc.record({
    rate: fc.double({ min: 1 - drift, max: 1 + drift, noNaN: true }),
    stampOffMs: fc.array(off, { minLength: 12, maxLength: 12 }),
    judgeOffMs: off,
    calls: fc.array(call, { minLength: 1, maxLength: 12 }),
    freezeMs: fc.integer({ min: 0, max: freezeMs }),
  });
};

/** The lease in the server's response. */
async function lengthOfLease(): Promise<number> {
  const world = aWorld();
  await world.submit("a");
  await world.workOff();
  const response = await world.call(world.node.id);
  if (response.kind !== "orders") throw new Error(`the response is ${response.kind}`);
  expect(world.node.leaseUntilMs).toBe(world.nowMs + response.leaseMs + heartbeatEveryMs);
  return response.leaseMs;
}

/** What both sides know after the last call, when neither reaches the other any more. */
function partitioned(story: Story, lengthMs: number): { lease: Lease | undefined; leaseUntilMs: number } {
  let lease: Lease | undefined;
  let leaseUntilMs = 0;
  let atMs = 0;
  for (const [n, { gapMs, toMs, backMs, lost }] of story.calls.entries()) {
    atMs += gapMs;
    const sentMs = atMs;
    atMs += toMs;
    leaseUntilMs = Math.max(leaseUntilMs, monday + atMs + (story.stampOffMs[n] ?? 0) + lengthMs);
    atMs += backMs;
    if (!lost) lease = { fromMs: sentMs * story.rate, lengthMs };
  }
  return { lease, leaseUntilMs };
}

/** The latest true ms at which the last program of the node has ended. */
function lastProgramGoneMs({ rate, freezeMs }: Story, lease: Lease): number {
  const held = judgeLease({ nowMs: lease.fromMs, startedMs: 0, lease });
  if (held.kind !== "hold") throw new Error("a new lease is not held");
  const wokenMs = held.untilMs + freezeMs * rate;
  expect(judgeLease({ nowMs: wokenMs, startedMs: 0, lease }).kind).not.toBe("hold");
  return (wokenMs + graceMs(wokenMs, lease)) / rate;
}

const nodeWith = (leaseUntilMs: number): Node =>
  aNode({ lastSeenMs: monday, leaseUntilMs, assignments: [anAssignment({ phase: "running" })] });

const isGivenAway = (leaseUntilMs: number, nowMs: number): boolean =>
  deadNodes(aSnapshot({ nowMs, nodes: [nodeWith(leaseUntilMs)] })).some(({ kind }) => kind === "lose");

/** Reports whether the next attempt may have started before the last program ended. */
function overlaps(story: Story, lengthMs: number): boolean {
  const { lease, leaseUntilMs } = partitioned(story, lengthMs);
  if (!lease) return false;
  return isGivenAway(leaseUntilMs, monday + lastProgramGoneMs(story, lease) + story.judgeOffMs);
}

test("no attempt goes to another node before its last program has ended, whatever calls and responses are lost", async () => {
  const lengthMs = await lengthOfLease();
  fc.assert(
    fc.property(stories(withstood), (story) => {
      expect(overlaps(story, lengthMs)).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test.each<[string, Partial<Bounds>]>([
  ["clocks that are two minutes off", { offMs: 120_000 }],
  ["a clock that loses a tenth", { drift: 0.1 }],
  ["a worker that stands still for three minutes", { freezeMs: 180_000 }],
])("two attempts can run at once with %s, because that exceeds the margins", async (_what, beyond) => {
  const lengthMs = await lengthOfLease();
  const found = fc.check(
    fc.property(stories({ ...withstood, ...beyond }), (story) => !overlaps(story, lengthMs)),
    { numRuns: 20_000 },
  );
  expect(found.failed).toBe(true);
});

test("the attempts of a dead node return to the queue only if its lease has not been renewed since it was read", async () => {
  const world = aWorld();
  await world.submit("a");
  await world.workOff();
  await world.call(world.node.id);
  const found = world.node;
  const assignment = found.assignments[0] ?? anAssignment();
  const { fence } = await world.ledger.decisions.begin("gpu");
  world.nowMs = found.leaseUntilMs + 60_001;
  await world.call(found.id);
  const back = { node: found.id, assignment, reason: "lost", atMs: world.nowMs };
  expect(await world.ledger.placements.takeBack(fence, back)).toBe("stale");
  expect(world.job("a")).toMatchObject({ attempt: 1, node: found.id });
});
