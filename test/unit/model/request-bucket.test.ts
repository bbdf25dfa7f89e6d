import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Bucket, fullBucket, take, throttled } from "../../../lib/model/requests/request-bucket.ts";
import type { KindLimits, RequestPriority } from "../../../lib/model/requests/request-limits.ts";

const limits: KindLimits = { burst: 5, perSecond: 2 };
const at = 1_000_000;

/** Takes requests until one is not granted at once. */
function drained(
  bucket: Bucket,
  priority: RequestPriority,
  of: KindLimits = limits,
  nowMs = at,
): { bucket: Bucket; granted: number; atMs: number } {
  for (let granted = 0, left = bucket; ; granted += 1) {
    const taken = take(left, of, { priority, instances: 1, nowMs });
    if (taken.kind === "later") return { bucket: left, granted, atMs: taken.atMs };
    left = taken.bucket;
  }
}

describe("a bucket of requests", () => {
  test("a bucket gives a burst at once, then as many requests as it is refilled with", () => {
    const first = drained(fullBucket(limits, at), "end");
    expect(first.granted).toBe(5);
    expect(first.atMs - at).toBeGreaterThanOrEqual(500);
    expect(first.atMs - at).toBeLessThan(550);
    expect(drained(first.bucket, "end", limits, first.atMs).granted).toBe(1);
    expect(drained(first.bucket, "end", limits, at + 2_000).granted).toBe(3);
    expect(drained(first.bucket, "end", limits, at + 3_600_000).granted).toBe(5);
  });

  test("a priority leaves a part of the bucket to the priorities before it: growth a fifth, replacement a tenth", () => {
    const wide: KindLimits = { burst: 50, perSecond: 10 };
    const grown = drained(fullBucket(wide, at), "grow", wide);
    const replaced = drained(grown.bucket, "replace", wide);
    const ended = drained(replaced.bucket, "end", wide);
    expect([grown.granted, replaced.granted, ended.granted]).toEqual([40, 5, 5]);
    // A lower priority waits longer, because it needs more refill.
    expect(grown.atMs).toBeLessThan(drained(replaced.bucket, "grow", wide).atMs);
  });

  test("a priority leaves no more to the priorities before it than two requests or the refill of a second", () => {
    const slow: KindLimits = { burst: 50, perSecond: 5 };
    expect(drained(fullBucket(slow, at), "grow", slow).granted).toBe(45);
    expect(drained(fullBucket(slow, at), "replace", slow).granted).toBe(48);
    const slowest: KindLimits = { burst: 50, perSecond: 0.1 };
    expect(drained(fullBucket(slowest, at), "grow", slowest).granted).toBe(48);
  });

  test("no priority leaves anything of a bucket that holds one request", () => {
    const narrow: KindLimits = { burst: 1, perSecond: 1 };
    expect(drained(fullBucket(narrow, at), "grow", narrow).granted).toBe(1);
  });

  test("a bucket counts instances if EC2 does, and grants more than it ever holds when it is full", () => {
    const both: KindLimits = { burst: 100, perSecond: 5, instances: { burst: 1000, perSecond: 20 } };
    const first = take(fullBucket(both, at), both, { priority: "end", instances: 1500, nowMs: at });
    if (first.kind !== "granted") throw new Error("not granted");
    const second = take(first.bucket, both, { priority: "end", instances: 1, nowMs: at });
    if (second.kind !== "later") throw new Error("granted");
    // 501 instances are missing, which are refilled at a little less than 20 per second.
    expect((second.atMs - at) / 1000).toBeCloseTo(501 / 19, 1);
    expect(take(first.bucket, both, { priority: "end", instances: 1, nowMs: second.atMs }).kind).toBe("granted");
  });

  test("a bucket is emptied and slowed down once for all requests that EC2 throttles together, and recovers", () => {
    const wide: KindLimits = { burst: 50, perSecond: 5 };
    const once = throttled(fullBucket(wide, at), wide, at);
    const twice = throttled(once.bucket, wide, at + 300);
    const later = throttled(once.bucket, wide, at + 1_500);
    expect(once.bucket).toMatchObject({ requests: 0, pace: 0.7 });
    expect(twice.bucket.pace).toBeCloseTo(0.7, 1);
    expect(later.bucket.pace).toBeCloseTo(0.511, 3);
    expect(later.withinMs).toBeGreaterThan(once.withinMs);
    expect(drained(once.bucket, "end", wide, at + 10_000).granted).toBeLessThan(40);
    expect(drained(once.bucket, "end", wide, at + 60_000).granted).toBe(50);
  });

  test("a bucket lets some requests through however often EC2 throttles", () => {
    let bucket = fullBucket(limits, at);
    for (let n = 0; n < 50; n += 1) bucket = throttled(bucket, limits, at + n * 1_000).bucket;
    const { atMs } = drained(bucket, "grow", limits, at + 50_000);
    expect(atMs - (at + 50_000)).toBeLessThan(11_000);
    expect(drained(bucket, "grow", limits, atMs).granted).toBe(1);
  });

  const clock = fc.array(fc.integer({ min: -3_600_000, max: 3_600_000 }), { minLength: 1, maxLength: 40 });

  test("a bucket never gives more than its burst at one moment and never makes a caller wait forever, whatever the clocks say", () => {
    fc.assert(
      fc.property(clock, fc.constantFrom<RequestPriority>("end", "replace", "grow"), (jumps, priority) => {
        let bucket = fullBucket(limits, at);
        for (const jump of jumps) {
          const nowMs = at + jump;
          const tried = drained(bucket, priority, limits, nowMs);
          expect(tried.granted).toBeLessThanOrEqual(limits.burst);
          expect(tried.atMs).toBeGreaterThan(nowMs);
          expect(tried.atMs - nowMs).toBeLessThan(3_000);
          bucket = tried.bucket;
        }
      }),
    );
  });

  test("a request bucket grants a delayed request at the time that it named, if no other request was made meanwhile", () => {
    const someSteps = fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 2_000 }), throttled: fc.boolean() }), { maxLength: 30 });
    fc.assert(
      fc.property(someSteps, fc.constantFrom<RequestPriority>("end", "replace", "grow"), (steps, priority) => {
        let bucket = fullBucket(limits, at);
        let nowMs = at;
        for (const step of steps) {
          nowMs += step.afterMs;
          if (step.throttled) bucket = throttled(bucket, limits, nowMs).bucket;
          const taken = take(bucket, limits, { priority, instances: 1, nowMs });
          if (taken.kind === "granted") bucket = taken.bucket;
          else expect(take(bucket, limits, { priority, instances: 1, nowMs: taken.atMs }).kind).toBe("granted");
        }
      }),
    );
  });

  test("a bucket never grants more than its burst and its refill, over any time", () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 1_500 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(gaps, (waits) => {
        let bucket = fullBucket(limits, at);
        let [nowMs, granted] = [at, 0];
        for (const wait of waits) {
          nowMs += wait;
          const tried = drained(bucket, "end", limits, nowMs);
          granted += tried.granted;
          bucket = tried.bucket;
        }
        expect(granted).toBeLessThanOrEqual(5 + (2 * (nowMs - at)) / 1000);
      }),
    );
  });
});
