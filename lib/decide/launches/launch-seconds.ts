import { jobName, type QueueEntry } from "../../model/job.ts";
import type { Launch } from "../../model/launch.ts";
import { hasOnlyWaitedForUs } from "../../model/objective.ts";

/**
 * Returns how long the jobs of a launch have waited for it, s: that of them which has waited longest since SQS received its message, among those
 * that nothing but the fleet has kept. Undefined if there is none, as for a launch that replaces a node.
 */
export function launchSeconds({ jobs }: Pick<Launch, "jobs">, queue: readonly QueueEntry[], nowMs: number): number | undefined {
  const names = new Set(jobs.map(jobName));
  const sinceMs = queue
    .filter((entry) => names.has(jobName(entry)) && hasOnlyWaitedForUs(entry))
    .reduce((oldest, { submittedAtMs }) => Math.min(oldest, submittedAtMs), Number.POSITIVE_INFINITY);
  return sinceMs === Number.POSITIVE_INFINITY ? undefined : Math.max(0, nowMs - sinceMs) / 1000;
}
