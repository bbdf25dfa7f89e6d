import { describe, expect, it } from "vitest";
import { duration, moment } from "../../../lib/cli/duration.ts";

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000];

describe("a duration", () => {
  it.each([
    [0, "0 ms"],
    [849.6, "850 ms"],
    [999.4, "999 ms"],
    [999.6, "1 s"],
    [second, "1 s"],
    [59_999, "59 s"],
    [minute, "1 min"],
    [3 * minute + 5 * second, "3 min 5 s"],
    [hour - 1, "59 min 59 s"],
    [hour, "1 h"],
    [2 * hour + 4 * minute + 59 * second, "2 h 4 min"],
    [day - 1, "23 h 59 min"],
    [day, "1 d"],
    [3 * day + 2 * hour, "3 d 2 h"],
    [400 * day, "400 d"],
    // The clock that took the time of submission may be ahead of ours.
    [-1_500, "0 ms"],
  ])("of %d ms is %s", (ms, words) => {
    expect(duration(ms)).toBe(words);
  });
});

it("a moment names its time zone", () => {
  expect(moment(Date.UTC(2026, 5, 1))).toMatch(/^2026-0[56]-\d\d \d\d:\d\d:\d\d \S+$/);
});
