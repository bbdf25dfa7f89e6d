import fc from "fast-check";
import { expect, test } from "vitest";
import { costByDay, costIn, type Life, nextStart, type Period, periodName, startOf } from "../../lib/model/values/period.ts";

const dayMs = 86_400_000;
/** 2020 to 2040, including leap years. */
const moment = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2040, 0, 1) });
const life: fc.Arbitrary<Life> = fc
  .record({
    usdPerHour: fc.oneof(
      fc.constantFrom(0, 0.1, 0.526),
      fc.integer({ min: 1, max: 100_000_000 }).map((micro) => micro / 1e6),
    ),
    fromMs: moment,
    ms: fc.oneof(fc.integer({ min: -1000, max: 120_000 }), fc.integer({ min: 0, max: 100 * dayMs })),
  })
  .map(({ usdPerHour, fromMs, ms }) => ({ usdPerHour, fromMs, toMs: fromMs + ms }));
const periods: readonly Period[] = ["day", "month"];
/** By the second, and at least a minute. */
const billedMs = ({ fromMs, toMs }: Life): number => Math.max(60_000, Math.ceil((toMs - fromMs) / 1000) * 1000);
const sum = (all: Iterable<number>): number => [...all].reduce((total, each) => total + each, 0);

test("every moment is within its period, and periods follow each other without a gap", () => {
  fc.assert(
    fc.property(moment, (atMs) => {
      for (const period of periods) {
        const start = startOf(period, atMs);
        const next = nextStart(period, atMs);
        expect(start <= atMs && atMs < next).toBe(true);
        expect([startOf(period, next), startOf(period, next - 1)]).toEqual([next, start]);
        expect(periodName(period, start)).toBe(periodName(period, next - 1));
        expect(periodName(period, next)).not.toBe(periodName(period, atMs));
        expect(new Date(start).toISOString()).toMatch(period === "day" ? /T00:00:00.000Z$/ : /-01T00:00:00.000Z$/);
      }
      // No day is an hour longer or shorter than another.
      expect(nextStart("day", atMs) - startOf("day", atMs)).toBe(dayMs);
    }),
  );
});

test("the days of a life add up to the whole life, and none is outside it", () => {
  fc.assert(
    fc.property(life, (each) => {
      const days = costByDay(each);
      expect(sum(days.values())).toBe(Math.round((each.usdPerHour * 1e6 * billedMs(each)) / 3_600_000));
      for (const [day, microUsd] of days) {
        expect(Number.isSafeInteger(microUsd) && microUsd > 0).toBe(true);
        expect(day >= periodName("day", each.fromMs) && day <= periodName("day", each.fromMs + billedMs(each))).toBe(true);
      }
    }),
  );
});

test("the cost of a month is the sum of its days, and there is none before the first day or after the last", () => {
  fc.assert(
    fc.property(life, (each) => {
      const days = [...costByDay(each)];
      for (const month of new Set(days.map(([day]) => day.slice(0, 7)))) {
        const its = days.filter(([day]) => day.startsWith(month));
        expect(costIn(each, "month", Date.parse(`${month}-01T00:00:00Z`))).toBe(sum(its.map(([, cost]) => cost)));
      }
      for (const [day, cost] of days) expect(costIn(each, "day", Date.parse(`${day}T00:00:00Z`))).toBe(cost);
      for (const period of periods) {
        expect(costIn(each, period, startOf(period, each.fromMs) - 1)).toBe(0);
        expect(costIn(each, period, nextStart(period, each.fromMs + billedMs(each)))).toBe(0);
      }
    }),
  );
});
