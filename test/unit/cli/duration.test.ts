import { describe, expect, it } from "vitest";
import { duration, moment, past, secondsOf, when } from "../../../lib/cli/terminal/duration.ts";

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
    // The clock that recorded the time of submission may be ahead of ours.
    [-1_500, "0 ms"],
  ])("a duration of %d ms is printed as %s", (ms, words) => {
    expect(duration(ms)).toBe(words);
  });
});

it("a time is printed in UTC, with how far away it is", () => {
  expect(moment(Date.UTC(2026, 5, 1, 7, 8, 9, 999))).toBe("2026-06-01 07:08:09 UTC");
  expect(when(Date.UTC(2026, 5, 1), Date.UTC(2026, 5, 1, 2))).toBe("2026-06-01 00:00:00 UTC, 2 h ago");
  expect(when(Date.UTC(2026, 5, 1, 2), Date.UTC(2026, 5, 1))).toBe("2026-06-01 02:00:00 UTC, in 2 h");
  const agoMs = (ms: number) => past(Date.UTC(2026, 5, 1), Date.UTC(2026, 5, 1) + ms);
  expect(agoMs(1_000)).toBe("2026-06-01 00:00:00 UTC, 1 s ago");
  for (const ms of [999, 0, -119, -3_600_000]) expect(agoMs(ms)).toBe("2026-06-01 00:00:00 UTC, just now");
});

describe("a duration that the user typed", () => {
  it.each([
    ["90", 90],
    ["90s", 90],
    ["45m", 2_700],
    ["2h", 7_200],
    ["1h30m", 5_400],
    ["1.5h", 5_400],
    ["3d", 259_200],
    ["0s", 0],
  ])("the duration %s is %d seconds", (text, seconds) => {
    expect(secondsOf(text)).toBe(seconds);
  });
  it.each(["", "h", "2 h", "-5m", "1.5", "2weeks", "1h-3m", "1e3"])("the text %j is not a duration", (text) => {
    expect(secondsOf(text)).toBeUndefined();
  });
});
