import { describe, expect, test } from "vitest";
import { firstLeaseWithinMs, graceMs, judgeLease, longestGraceMs, marginMs } from "../../../lib/worker/attempt/lease.ts";
import { backoffMs } from "../../../lib/worker/runtime/backoff.ts";

const minute = 60_000;
const lease = { fromMs: 1_000, lengthMs: 15 * minute };

describe("a lease", () => {
  test("leaves a margin of a minute, or a quarter of a short lease", () => {
    expect(marginMs(15 * minute)).toBe(minute);
    expect(marginMs(2_000)).toBe(500);
  });

  test("is let go a margin before its end, and ends the node at its end", () => {
    const at = (nowMs: number) => judgeLease({ nowMs, startedMs: 0, lease });
    expect(at(1_000)).toEqual({ kind: "hold", untilMs: 1_000 + 14 * minute });
    expect(at(1_000 + 14 * minute - 1).kind).toBe("hold");
    expect(at(1_000 + 14 * minute)).toEqual({ kind: "let-go", untilMs: 1_000 + 15 * minute });
    expect(at(1_000 + 15 * minute).kind).toBe("shut-down");
  });

  test("is waited for ten minutes", () => {
    expect(judgeLease({ nowMs: 5, startedMs: 5 })).toEqual({ kind: "hold", untilMs: 5 + firstLeaseWithinMs });
    expect(judgeLease({ nowMs: 5 + 10 * minute, startedMs: 5 }).kind).toBe("shut-down");
  });

  test("programs get 30 s to end, or less so that they are gone half a margin before the end", () => {
    expect(graceMs(0, undefined)).toBe(longestGraceMs);
    expect(graceMs(2_000, lease)).toBe(longestGraceMs);
    expect(graceMs(1_000 + 14 * minute, lease)).toBe(30_000);
    expect(graceMs(1_000 + 14 * minute + 20_000, lease)).toBe(10_000);
    expect(graceMs(1_000 + 15 * minute, lease)).toBe(0);
    expect(graceMs(1_500, { fromMs: 0, lengthMs: 2_000 })).toBe(250);
  });
});

describe("back-off", () => {
  test("is full jitter between half a second and a ceiling that doubles up to five", () => {
    expect([1, 2, 3, 4, 50].map((failures) => backoffMs(failures, 0))).toEqual([500, 500, 500, 500, 500]);
    expect([1, 2, 3, 4, 50].map((failures) => Math.round(backoffMs(failures, 1 - Number.EPSILON)))).toEqual([1000, 2000, 4000, 5000, 5000]);
  });
});
