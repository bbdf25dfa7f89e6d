import { describe, expect, test } from "vitest";
import { firstLeaseWithinMs, graceMs, judgeLease, longestGraceMs, marginMs } from "../../../lib/worker/attempt/lease.ts";
import { backoffMs } from "../../../lib/worker/runtime/backoff.ts";

const minute = 60_000;
const lease = { fromMs: 1_000, lengthMs: 15 * minute };

describe("a lease", () => {
  test("a lease has a margin of a minute, or of a quarter if it is short", () => {
    expect(marginMs(15 * minute)).toBe(minute);
    expect(marginMs(2_000)).toBe(500);
  });

  test("attempts are let go a margin before a lease ends, and the node ends with the lease", () => {
    const at = (nowMs: number) => judgeLease({ nowMs, startedMs: 0, lease });
    expect(at(1_000)).toEqual({ kind: "hold", untilMs: 1_000 + 14 * minute });
    expect(at(1_000 + 14 * minute - 1).kind).toBe("hold");
    expect(at(1_000 + 14 * minute)).toEqual({ kind: "let-go", untilMs: 1_000 + 15 * minute });
    expect(at(1_000 + 15 * minute).kind).toBe("shut-down");
  });

  test("a worker waits ten minutes for its first lease", () => {
    expect(judgeLease({ nowMs: 5, startedMs: 5 })).toEqual({ kind: "hold", untilMs: 5 + firstLeaseWithinMs });
    expect(judgeLease({ nowMs: 5 + 10 * minute, startedMs: 5 }).kind).toBe("shut-down");
  });

  test("programs get 30 s to end, or less so that they end half a margin before the lease", () => {
    expect(graceMs(0, undefined)).toBe(longestGraceMs);
    expect(graceMs(2_000, lease)).toBe(longestGraceMs);
    expect(graceMs(1_000 + 14 * minute, lease)).toBe(30_000);
    expect(graceMs(1_000 + 14 * minute + 20_000, lease)).toBe(10_000);
    expect(graceMs(1_000 + 15 * minute, lease)).toBe(0);
    expect(graceMs(1_500, { fromMs: 0, lengthMs: 2_000 })).toBe(250);
  });
});

describe("backoff", () => {
  test("backoff is full jitter between half a second and a ceiling that doubles up to five seconds", () => {
    expect([1, 2, 3, 4, 50].map((failures) => backoffMs(failures, 0))).toEqual([500, 500, 500, 500, 500]);
    expect([1, 2, 3, 4, 50].map((failures) => Math.round(backoffMs(failures, 1 - Number.EPSILON)))).toEqual([1000, 2000, 4000, 5000, 5000]);
  });
});
