/**
 * The arithmetic of a shared token bucket. It fills at `perSecond` times its pace, and the pace is how it learns: EC2
 * throttles all the same when others use the account or the limits were set too high; then the bucket is emptied and
 * its pace is cut, and the pace grows back slowly. So the rate swings about what EC2 really gives.
 */
import type { BucketLimits, KindLimits, RequestLane } from "./request-limits.ts";

export type Bucket = {
  /** Requests that may be made. */
  readonly requests: number;
  /** Instances that requests may be about; below zero after one that was about more than the bucket ever holds. */
  readonly instances: number;
  /** As of when. */
  readonly atMs: number;
  /** Which part of the limits is used, above 0 and at most 1. */
  readonly pace: number;
  /** When EC2 last throttled so that it counted. */
  readonly throttledAtMs?: number | undefined;
};

export type Ask = { readonly lane: RequestLane; readonly instances: number; readonly nowMs: number };
export type Taken = { readonly kind: "granted"; readonly bucket: Bucket } | { readonly kind: "later"; readonly atMs: number };

/**
 * What a lane leaves to those before it: a part of the bucket, but no more than some requests, or what comes in within some
 * seconds, for after EC2 has throttled the lane has to wait for that.
 */
const leaves: Readonly<Record<RequestLane, { readonly part: number; readonly requests: number; readonly seconds: number }>> = {
  end: { part: 0, requests: 0, seconds: 0 },
  replace: { part: 0.1, requests: 1, seconds: 0.5 },
  grow: { part: 0.2, requests: 2, seconds: 1 },
};
/** Calls reach EC2 closer together than they were sent: running a little behind its bucket makes up for that. */
const behind = 0.95;
const leastPace = 0.05;
const paceAfterThrottle = 0.7;
/** How much of its pace comes back in a second. */
const pacePerSecond = 0.02;
/** Calls that were under way together are throttled together, and that counts once. */
const togetherMs = 1_000;
/** A bucket that is further ahead of the clock than this was written by a clock that was wrong. */
const mostAheadMs = 5_000;

/** Before the first request everything is there. */
export const fullBucket = (limits: KindLimits, nowMs: number): Bucket => ({
  requests: limits.burst,
  instances: limits.instances?.burst ?? 0,
  atMs: nowMs,
  pace: 1,
});

/** Takes one request. `later`: the earliest time at which trying again makes sense, always after now. */
export function take(before: Bucket, limits: KindLimits, { lane, instances, nowMs }: Ask): Taken {
  const bucket = filled(before, limits, nowMs);
  const waits = [waitMs({ have: bucket.requests, wanted: 1 }, limits, { lane, pace: bucket.pace })];
  if (limits.instances) waits.push(waitMs({ have: bucket.instances, wanted: instances }, limits.instances, { lane, pace: bucket.pace }));
  const longest = Math.max(...waits);
  if (longest > 0) return { kind: "later", atMs: nowMs + Math.ceil(longest) };
  return {
    kind: "granted",
    bucket: { ...bucket, requests: bucket.requests - 1, instances: limits.instances ? bucket.instances - instances : 0 },
  };
}

/** After EC2 throttled a request. `withinMs`: those it refused come back at random within this time. */
export function throttled(before: Bucket, limits: KindLimits, nowMs: number): { readonly bucket: Bucket; readonly withinMs: number } {
  const bucket = filled(before, limits, nowMs);
  const counts = bucket.throttledAtMs === undefined || Math.abs(nowMs - bucket.throttledAtMs) >= togetherMs;
  const pace = counts ? Math.max(leastPace, bucket.pace * paceAfterThrottle) : bucket.pace;
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
 * The bucket at this moment. A clock that is a little behind the bucket's adds nothing, so that no moment fills it twice.
 * One that jumps, ahead or far behind, finds the bucket full and never more than that: nobody waits for a wrong clock's time.
 */
function filled(bucket: Bucket, limits: KindLimits, nowMs: number): Bucket {
  const sinceMs = nowMs - bucket.atMs;
  if (sinceMs < -mostAheadMs) return { ...fullBucket(limits, nowMs), requests: holds(limits.burst, bucket.pace), pace: bucket.pace };
  if (sinceMs <= 0) return bucket;
  const pace = Math.min(1, bucket.pace + (pacePerSecond * sinceMs) / 1000);
  // What the pace was on the way, near enough: it grows by a fiftieth in a second.
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

/** How long until this much is there beyond what the lane leaves. More than the bucket holds is granted when it is full. */
function waitMs(
  { have, wanted }: { have: number; wanted: number },
  { burst, perSecond }: BucketLimits,
  { lane, pace }: { lane: RequestLane; pace: number },
): number {
  const most = holds(burst, pace);
  const { part, requests, seconds } = leaves[lane];
  const left = Math.floor(pace * Math.min(burst * part, Math.max(requests, perSecond * seconds)));
  const missing = Math.min(wanted, most - left) + left - have;
  // Sums of small parts come out a hair short.
  return missing > 1e-9 ? Math.max(1, (missing / (perSecond * pace * behind)) * 1000) : 0;
}
