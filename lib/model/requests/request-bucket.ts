/**
 * The arithmetic of a shared token bucket. It fills at `perSecond` times its pace, which adapts: if EC2 throttles nevertheless, because
 * others use the account or the limits were set too high, the bucket is emptied and its pace is reduced, and then the pace grows slowly.
 * So the rate oscillates around what EC2 really allows.
 */
import type { BucketLimits, KindLimits, RequestPriority } from "./request-limits.ts";

export type Bucket = {
  /** How many requests may be made. */
  readonly requests: number;
  /** How many instances requests may be about; below 0 after a request about more than the bucket ever holds. */
  readonly instances: number;
  /** The time of these levels, ms since the epoch. */
  readonly atMs: number;
  /** The fraction of the limits that is used, above 0 and at most 1. */
  readonly pace: number;
  /** When EC2 last throttled a request in a way that counted; undefined if it never did. */
  readonly throttledAtMs?: number | undefined;
};

export type TurnRequest = { readonly priority: RequestPriority; readonly instances: number; readonly nowMs: number };
export type Taken = { readonly kind: "granted"; readonly bucket: Bucket } | { readonly kind: "later"; readonly atMs: number };

/**
 * How much a request of one priority leaves to the priorities before it: a part of the bucket, but at most so many requests or the refill of so many seconds,
 * whichever is more. It is limited because the request has to wait for that refill after EC2 has throttled.
 */
const leaves: Readonly<Record<RequestPriority, { readonly part: number; readonly requests: number; readonly seconds: number }>> = {
  end: { part: 0, requests: 0, seconds: 0 },
  replace: { part: 0.1, requests: 1, seconds: 0.5 },
  grow: { part: 0.2, requests: 2, seconds: 1 },
};
/** The bucket fills a little more slowly than EC2's, because calls may reach EC2 closer together than they were sent. */
const behind = 0.95;
const minPace = 0.05;
const paceAfterThrottle = 0.7;
/** How much the pace grows per second. */
const pacePerSecond = 0.02;
/** Calls that were in flight at the same time are throttled together, which counts once. */
const togetherMs = 1_000;
/** A bucket that is further ahead of the clock than this was written by a wrong clock. */
const maxAheadMs = 5_000;

/** Returns the bucket before the first request. */
export const fullBucket = (limits: KindLimits, nowMs: number): Bucket => ({
  requests: limits.burst,
  instances: limits.instances?.burst ?? 0,
  atMs: nowMs,
  pace: 1,
});

/** Takes one request. `later`: nothing was taken; `atMs` is the earliest time at which trying again makes sense, always after `nowMs`. */
export function take(before: Bucket, limits: KindLimits, { priority, instances, nowMs }: TurnRequest): Taken {
  const bucket = filled(before, limits, nowMs);
  const waits = [waitMs({ have: bucket.requests, wanted: 1 }, limits, { priority, pace: bucket.pace })];
  if (limits.instances)
    waits.push(waitMs({ have: bucket.instances, wanted: instances }, limits.instances, { priority, pace: bucket.pace }));
  const longest = Math.max(...waits);
  if (longest > 0) return { kind: "later", atMs: nowMs + Math.ceil(longest) };
  return {
    kind: "granted",
    bucket: { ...bucket, requests: bucket.requests - 1, instances: limits.instances ? bucket.instances - instances : 0 },
  };
}

/** Returns the bucket after EC2 throttled a request. `withinMs`: the caller should try again at a random time within so many ms. */
export function throttled(before: Bucket, limits: KindLimits, nowMs: number): { readonly bucket: Bucket; readonly withinMs: number } {
  const bucket = filled(before, limits, nowMs);
  const counts = bucket.throttledAtMs === undefined || Math.abs(nowMs - bucket.throttledAtMs) >= togetherMs;
  const pace = counts ? Math.max(minPace, bucket.pace * paceAfterThrottle) : bucket.pace;
  return {
    bucket: {
      ...bucket,
      requests: Math.min(0, bucket.requests),
      instances: Math.min(0, bucket.instances),
      pace,
      ...(counts ? { throttledAtMs: nowMs } : {}),
    },
    withinMs: Math.ceil(2_000 / (limits.perSecond * pace)),
  };
}

/**
 * Returns the bucket at `nowMs`. A clock that is a little behind the bucket's adds nothing, so that no moment fills the bucket twice.
 * A clock that jumps ahead or far behind gets a full bucket and never more, so that no caller waits for the time of a wrong clock.
 */
function filled(bucket: Bucket, limits: KindLimits, nowMs: number): Bucket {
  const sinceMs = nowMs - bucket.atMs;
  if (sinceMs < -maxAheadMs) return { ...fullBucket(limits, nowMs), requests: holds(limits.burst, bucket.pace), pace: bucket.pace };
  if (sinceMs <= 0) return bucket;
  const pace = Math.min(1, bucket.pace + (pacePerSecond * sinceMs) / 1000);
  // The mean of the two paces approximates the pace in between, which grows by a fiftieth per second.
  const seconds = (((bucket.pace + pace) / 2) * behind * sinceMs) / 1000;
  const level = (have: number, { burst, perSecond }: BucketLimits): number =>
    Math.max(have, Math.min(holds(burst, pace), have + perSecond * seconds));
  return {
    ...bucket,
    requests: level(bucket.requests, limits),
    instances: limits.instances ? level(bucket.instances, limits.instances) : 0,
    atMs: nowMs,
    pace,
  };
}

const holds = (burst: number, pace: number): number => Math.max(1, burst * pace);

/** Returns how many ms it takes until the bucket has `wanted` beyond what the priority leaves. A full bucket grants more than it holds. */
function waitMs(
  { have, wanted }: { have: number; wanted: number },
  { burst, perSecond }: BucketLimits,
  { priority, pace }: { priority: RequestPriority; pace: number },
): number {
  const most = holds(burst, pace);
  const { part, requests, seconds } = leaves[priority];
  const left = Math.floor(pace * Math.min(burst * part, Math.max(requests, perSecond * seconds)));
  const missing = Math.min(wanted, most - left) + left - have;
  // Rounding makes sums of small parts a little too small.
  return missing > 1e-9 ? Math.max(1, (missing / (perSecond * pace * behind)) * 1000) : 0;
}
