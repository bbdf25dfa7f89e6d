import { describe, expect, test } from "vitest";
import { costByDay, costIn, nextStart, periodName, startOf } from "../../../lib/model/values/period.ts";

const at = (iso: string): number => Date.parse(iso);

test.each([
  ["2026-11-23T00:00:00.000Z", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"],
  ["2026-11-23T23:59:59.999Z", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"],
  ["2026-12-31T12:00:00.000Z", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"],
  ["2028-02-29T12:00:00.000Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"],
  // Daylight saving time begins in Europe on this day, but not in UTC.
  ["2026-03-29T01:30:00.000Z", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"],
])("%s belongs to one UTC day and one UTC month", (moment, day, nextDay, month, nextMonth) => {
  const ms = at(moment);
  expect([startOf("day", ms), nextStart("day", ms)]).toEqual([at(day), at(nextDay)]);
  expect([startOf("month", ms), nextStart("month", ms)]).toEqual([at(month), at(nextMonth)]);
  expect([periodName("day", ms), periodName("month", ms)]).toEqual([day.slice(0, 10), month.slice(0, 7)]);
});

describe("the cost of an instance", () => {
  const from = at("2026-11-30T23:00:00Z");

  test("the cost of an instance is split at midnight UTC", () => {
    const life = { usdPerHour: 0.5, fromMs: from, toMs: from + 3 * 3_600_000 };
    expect([...costByDay(life)]).toEqual([
      ["2026-11-30", 500_000],
      ["2026-12-01", 1_000_000],
    ]);
    expect(costIn(life, "month", from)).toBe(500_000);
    expect(costIn(life, "month", life.toMs)).toBe(1_000_000);
    expect(costIn(life, "day", at("2026-12-02T00:00:00Z"))).toBe(0);
  });

  test("an instance costs at least a minute, and a second that has begun counts", () => {
    const cost = (ms: number) => costIn({ usdPerHour: 3.6, fromMs: from, toMs: from + ms }, "day", from);
    expect([cost(-5_000), cost(0), cost(1), cost(60_000), cost(60_001), cost(61_000)]).toEqual([
      60_000, 60_000, 60_000, 60_000, 61_000, 61_000,
    ]);
  });
});
