import { describe, expect, it } from "vitest";
import { type Bucket, fullBucket, take, throttled } from "../../../lib/model/requests/request-bucket.ts";
import { documentedLimits, type RequestKind, requestKinds } from "../../../lib/model/requests/request-limits.ts";
import { Chance } from "../../../lib/sim/faults/chance.ts";

const minuteMs = 60_000;
const endMs = 10 * minuteMs;

/** EC2's own bucket, which knows nothing of the callers' buckets. */
function ec2Of(kind: RequestKind): (nowMs: number) => boolean {
  const { burst, perSecond } = documentedLimits[kind];
  let [level, atMs] = [burst, 0];
  return (nowMs) => {
    level = Math.min(burst, level + (perSecond * (nowMs - atMs)) / 1000);
    atMs = nowMs;
    if (level < 1) return false;
    level -= 1;
    return true;
  };
}

/** Deployments that know nothing of each other make as many requests as they may, each from its time on. Counts those of the second half. */
function compete(kind: RequestKind, startsMs: readonly number[]): { readonly carriedOut: readonly number[]; readonly refused: number } {
  const limits = documentedLimits[kind];
  const draw = new Chance(`${kind} ${startsMs.join()}`);
  const accepts = ec2Of(kind);
  const buckets: Bucket[] = startsMs.map((startMs) => fullBucket(limits, startMs));
  const nextMs = [...startsMs];
  const carriedOut = startsMs.map(() => 0);
  let refused = 0;
  for (let nowMs = Math.min(...nextMs); nowMs < endMs; nowMs = Math.min(...nextMs)) {
    const who = nextMs.indexOf(nowMs);
    const bucket = buckets[who] ?? fullBucket(limits, nowMs);
    const taken = take(bucket, limits, { priority: "grow", instances: 1, nowMs });
    if (taken.kind === "later") {
      nextMs[who] = taken.atMs + draw.between(0, 50);
      continue;
    }
    const counts = nowMs > endMs / 2 ? 1 : 0;
    if (accepts(nowMs)) {
      carriedOut[who] = (carriedOut[who] ?? 0) + counts;
      buckets[who] = taken.bucket;
      nextMs[who] = nowMs + 20;
    } else {
      const after = throttled(taken.bucket, limits, nowMs);
      refused += counts;
      buckets[who] = after.bucket;
      nextMs[who] = nowMs + draw.between(1, after.withinMs);
    }
  }
  return { carriedOut, refused };
}

describe("deployments that share an account's limits", () => {
  const starts: readonly (readonly number[])[] = [
    [0, 0],
    [0, minuteMs],
    [0, minuteMs / 2, 2 * minuteMs],
    [0, 0, 0, 0, 0],
  ];
  it.each(requestKinds.flatMap((kind) => starts.map((startsMs) => [kind, startsMs] as const)))(
    "each gets an equal share of requests of the kind %s, together they use what EC2 allows, and few are throttled (starts %j)",
    (kind, startsMs) => {
      const { carriedOut, refused } = compete(kind, startsMs);
      const total = carriedOut.reduce((sum, each) => sum + each, 0);
      const equal = total / startsMs.length;
      for (const each of carriedOut) expect(Math.abs(each - equal) / equal).toBeLessThan(0.2);
      expect(total).toBeGreaterThan(0.95 * documentedLimits[kind].perSecond * (endMs / 2 / 1000));
      expect(refused / (total + refused)).toBeLessThan(0.2);
    },
  );
});
