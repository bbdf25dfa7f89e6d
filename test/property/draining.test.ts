import fc from "fast-check";
import { expect, test } from "vitest";
import { whyTooLarge, whyUnsold } from "../../lib/decide/placement/impossible.ts";
import type { QueueEntry } from "../../lib/model/job.ts";
import type { Offer } from "../../lib/model/offer.ts";
import type { Snapshot } from "../../lib/model/plan.ts";
import { type Choose, settle, whenWorkEnds } from "./simulation.ts";
import { stormRuns } from "./storm-runs.ts";
import { snapshot } from "./worlds.ts";

/** A pool with only waiting jobs, and no budget that could be used up. */
const fresh: fc.Arbitrary<Snapshot> = snapshot
  .filter((seen) => seen.catalogue !== undefined)
  .map((seen) => ({
    ...seen,
    pool: { ...seen.pool, budgets: undefined, maxLifetimeSeconds: undefined },
    reserved: { usdPerHour: 0, gpus: 0 },
    nodes: [],
    openLaunches: [],
    refusals: [],
  }));

/** EC2 gives the cheapest, the most expensive, or varying offers. */
const choices: fc.Arbitrary<Choose> = fc.oneof(
  fc.constantFrom<Choose>(
    (offers) => offers[0],
    (offers) => offers.at(-1),
  ),
  fc
    .infiniteStream(fc.nat(23))
    .map<Choose>((numbers) => (offers: readonly Offer[]) => offers[(numbers.next().value ?? 0) % Math.max(1, offers.length)]),
);
const runs = { numRuns: stormRuns(1_000) };

const why = ({ pool, catalogue }: Snapshot, entry: QueueEntry): string | undefined => catalogue && whyUnsold(entry, pool, catalogue);
/** Repeatedly ends running work and buys what may be bought, so that every waiting job has its turn. */
function drained(start: Snapshot, choose: Choose): Snapshot {
  const most = 2 * start.queue.length + 2;
  let world = start;
  const isAtRest = () => world.nodes.length === 0 && world.queue.every((entry) => why(world, entry) !== undefined);
  for (let turn = 0; turn <= 3 * start.queue.length + 3 && (turn === 0 || !isAtRest()); turn += 1) {
    world = whenWorkEnds(settle(world, choose, most).world);
  }
  return world;
}

test("a pool settles with every job on a node, failed, or waiting with a reason", () => {
  fc.assert(
    fc.property(fresh, choices, (start, choose) => {
      const { world, failed } = settle(start, choose, 2 * start.queue.length + 2);
      const held = world.nodes.flatMap((node) => node.assignments);
      const placed = held.filter(({ rank }) => !rank).map(({ team, job }) => `${team}/${job}`);
      for (const { nodes, job } of start.queue) expect([0, nodes]).toContain(held.filter((each) => each.job === job).length);
      const waiting = world.queue.map(({ team, job }) => `${team}/${job}`);
      const ended = failed.map(({ team, job }) => `${team}/${job}`);
      expect([...placed, ...waiting, ...ended].sort()).toEqual(start.queue.map(({ team, job }) => `${team}/${job}`).sort());
      for (const entry of world.queue)
        expect(entry.reason).toEqual(why(world, entry) ?? expect.stringMatching(/^the job needs .* reserved; it starts when /));
      for (const entry of failed) expect(whyTooLarge(entry, world.pool, world.catalogue?.types ?? [])).toBeDefined();
    }),
    runs,
  );
});

test("the reservation equals the cost of the nodes, and never exceeds the limits", () => {
  fc.assert(
    fc.property(fresh, choices, (start, choose) => {
      const { world } = settle(start, choose, 2 * start.queue.length + 2);
      const usd = world.nodes.reduce((total, node) => total + node.offer.usdPerHour, 0);
      expect(world.reserved.usdPerHour).toBeCloseTo(usd, 6);
      expect(world.reserved.usdPerHour).toBeLessThanOrEqual(world.pool.limits.usdPerHour);
      expect(world.reserved.gpus).toBeLessThanOrEqual(world.pool.limits.gpus);
    }),
    runs,
  );
});

test("after running work ends, every waiting job that can be bought for runs, and the pool ends without nodes", () => {
  fc.assert(
    fc.property(fresh, choices, (start, choose) => {
      const world = drained(start, choose);
      for (const entry of world.queue) expect(entry.reason).toBe(why(world, entry) ?? "nothing, it may be bought for");
      expect(world.nodes).toEqual([]);
      expect(world.reserved).toEqual({ usdPerHour: 0, gpus: 0 });
    }),
    runs,
  );
});

test("no job waits in the end after offers are back and limits are raised", () => {
  let waited = 0;
  fc.assert(
    fc.property(fresh, choices, (start, choose) => {
      const before = drained(start, choose);
      waited += before.queue.length;
      const types = start.catalogue?.types ?? [];
      const offers = types.map(({ name }): Offer => ({ instanceType: name, zone: "a", market: "on-demand", usdPerHour: 1 }));
      const pool = { ...start.pool, limits: { usdPerHour: 10, gpus: 24 } };
      const after = drained({ ...before, pool, catalogue: { types, offers, refreshedAtMs: before.nowMs } }, choose);
      expect(after.queue).toEqual([]);
      expect(after.nodes).toEqual([]);
      expect(after.reserved).toEqual({ usdPerHour: 0, gpus: 0 });
    }),
    runs,
  );
  expect(waited).toBeGreaterThan(2 * runs.numRuns);
});
