import * as z from "zod";
import { type Attempt, type AttemptNews, attemptEnds } from "../../../model/history/attempt.ts";
import type { AttemptRef } from "../../../model/job.ts";
import { keptMs } from "../../../model/values/kept.ts";
import type { Item } from "../access.ts";
import { set, setOnce } from "../expression.ts";
import { attemptKey } from "../keys.ts";
import { stored, ttlAfter } from "../stored.ts";
import type { Part } from "../transaction.ts";

/** Returns when a job or an attempt that has ended may be deleted. */
export const expiresAfter = (endedAtMs: number): number => ttlAfter(endedAtMs, keptMs.job);

const StoredAttempt: z.ZodType<Attempt> = z.object({
  attempt: z.int().min(1),
  pool: z.string(),
  nodes: z.array(z.string()),
  instanceType: z.string(),
  zone: z.string(),
  market: z.enum(["spot", "on-demand"]),
  usdPerHour: z.number(),
  placedAtMs: z.number(),
  startedAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
  end: z.enum(attemptEnds).optional(),
  exitCode: z.number().optional(),
  reason: z.string().optional(),
});

export const attemptOf = (item: Item): Attempt => stored(StoredAttempt, item);

/** Returns the write of a new attempt's record. It replaces one that remains of an earlier job with the same id. */
export const beginAttempt = (ref: AttemptRef, attempt: Attempt): Part => ({ kind: "put", item: { ...attemptKey(ref), ...attempt } });

/** Returns the write that adds to an attempt's record what happened to it; none if there is nothing to add. */
export function noteAttempt(ref: AttemptRef, { startedAtMs, endedAtMs, end, exitCode, reason }: AttemptNews): Part[] {
  const changes = [
    ...(startedAtMs === undefined ? [] : [setOnce("startedAtMs", startedAtMs)]),
    ...(endedAtMs === undefined ? [] : [setOnce("endedAtMs", endedAtMs), set("ttl", expiresAfter(endedAtMs))]),
    ...(end === undefined ? [] : [set("end", end)]),
    ...(exitCode === undefined ? [] : [set("exitCode", exitCode)]),
    ...(reason === undefined ? [] : [set("reason", reason)]),
  ];
  return changes.length > 0 ? [{ kind: "update", key: attemptKey(ref), changes, when: [] }] : [];
}
