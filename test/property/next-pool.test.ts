import fc from "fast-check";
import { expect, test } from "vitest";
import { capacityView } from "../../lib/decide/capacity/capacity-view.ts";
import { decide } from "../../lib/decide/decide.ts";
import { whyTooLarge, whyUnsold } from "../../lib/decide/placement/impossible.ts";
import { jobName, type QueueEntry } from "../../lib/model/job.ts";
import type { Catalogue } from "../../lib/model/offer.ts";
import type { Snapshot } from "../../lib/model/plan.ts";
import type { Pool } from "../../lib/model/pool.ts";
import type { Refusal } from "../../lib/model/refusal.ts";
import { isWithin, less, times } from "../../lib/model/reservations.ts";
import { allows, holds } from "../../lib/model/wants.ts";
import { stormRuns } from "./storm-runs.ts";
import { catalogue, pool, snapshot } from "./worlds.ts";

/** Most of what the pool could buy is refused, since different times, and so is some of what the next pools sell. */
const dry: fc.Arbitrary<Snapshot> = fc
  .record({
    seen: snapshot,
    next: fc.array(fc.record({ pool, catalogue: fc.option(catalogue, { nil: undefined, freq: 8 }) }), { minLength: 1, maxLength: 2 }),
    fallbackSeconds: fc.constantFrom(0, 120, 300),
    spared: fc.constantFrom(undefined, undefined, undefined, 0),
    ages: fc.array(fc.constantFrom(60, 200, 400), { minLength: 12, maxLength: 12 }),
  })
  .map(({ seen, next, fallbackSeconds, spared, ages }) => ({
    ...seen,
    pool: { ...seen.pool, limits: { usdPerHour: 1000, gpus: 64 }, budgets: undefined, fallback: "next-0", fallbackSeconds },
    next: next.map((each, n) => ({ ...each, pool: { ...each.pool, name: `next-${n}` } })),
    refusals: (seen.catalogue?.offers ?? []).flatMap(({ instanceType, zone, market }, n): Refusal[] => {
      const sinceMs = seen.nowMs - (ages[n % ages.length] ?? 0) * 1000;
      const known = { code: "InsufficientInstanceCapacity", least: 1, evidence: 2, launch: "before", untilMs: seen.nowMs + 60_000 };
      return n === spared ? [] : [{ why: "capacity", instanceType, zone, market, ...known, sinceMs, atMs: seen.nowMs - 1000 }];
    }),
  }));

const offersFor = (entry: QueueEntry, on: { pool: Pool; catalogue: Catalogue }, room: Pool["limits"]) =>
  on.catalogue.offers.flatMap((offer) => {
    const type = on.catalogue.types.find(({ name }) => name === offer.instanceType);
    if (!type || !allows(entry, offer, type) || !holds(type, type.resources, entry)) return [];
    const reservation = times(entry.nodes, { usdPerHour: offer.usdPerHour, gpus: type.resources.gpus });
    return isWithin(reservation, room) ? [{ offer, type, count: entry.nodes }] : [];
  });

test("a job moves only to a pool where it could run, if EC2 has long refused it everything here, and then gets no other step", () => {
  let moves = 0;
  let stays = 0;
  fc.assert(
    fc.property(dry, (seen) => {
      const known = capacityView(seen.refusals, seen.nowMs);
      const { steps } = decide(seen);
      const fates = steps.flatMap((step) => {
        if (step.kind === "launch") return step.launch.jobs.map(jobName);
        return "entry" in step ? [jobName(step.entry)] : [];
      });
      expect(new Set(fates).size).toBe(fates.length);
      stays += steps.filter((step) => step.kind === "hold" && step.because.includes("the job stays here")).length;
      for (const step of steps) {
        if (step.kind !== "move") continue;
        moves += 1;
        const { entry, to } = step;
        const there = seen.next?.find((each) => each.pool.name === to);
        if (!there?.catalogue || !seen.catalogue) throw new Error(`nobody knows what pool ${to} sells`);
        const on = { pool: there.pool, catalogue: there.catalogue };
        expect(whyTooLarge(entry, on.pool, on.catalogue.types) ?? whyUnsold(entry, on.pool, on.catalogue)).toBeUndefined();
        expect(offersFor(entry, on, on.pool.limits).some((request) => known.status(request) !== "cooling-down")).toBe(true);
        // This decision's launches for other jobs may leave no room for the most expensive offer.
        const launched = steps.flatMap((each) => (each.kind === "launch" ? [each.launch.reserved] : []));
        const room = launched.reduce(less, less(seen.pool.limits, seen.reserved));
        for (const request of offersFor(entry, { pool: seen.pool, catalogue: seen.catalogue }, room)) {
          const since = known.against(request).map(({ sinceMs }) => sinceMs);
          expect(since).not.toEqual([]);
          expect(Math.min(...since)).toBeLessThanOrEqual(seen.nowMs - seen.pool.fallbackSeconds * 1000);
        }
        expect(seen.openLaunches.flatMap(({ jobs }) => jobs.map(jobName))).not.toContain(jobName(entry));
      }
    }),
    { numRuns: stormRuns(10_000) },
  );
  expect(moves).toBeGreaterThan(50);
  expect(stays).toBeGreaterThan(50);
});
