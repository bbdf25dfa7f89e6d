import { type AttemptRef, type JobChange, jobName, type QueueEntry } from "../../model/job.ts";
import type { Launch } from "../../model/launch.ts";
import type { Assignment } from "../../model/node.ts";
import { hasOnlyWaitedForUs, type Measure } from "../../model/objectives/objective.ts";

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

type Changed = {
  readonly pool: string;
  readonly attempt: AttemptRef;
  /** The assignment before the change; undefined if there was none. */
  readonly held: Pick<Assignment, "waitsSinceMs"> | undefined;
  readonly job: JobChange | undefined;
  readonly nowMs: number;
};

/** Returns what a recorded change of a job's state says about objectives. */
export function measuresOf({ pool, attempt, held, job, nowMs }: Changed): readonly Measure[] {
  if (!job) return [];
  const measures: Measure[] = [];
  // A program that ends soon may first be reported when it has ended.
  if (job.from === "placed" && job.startedAtMs !== undefined && held?.waitsSinceMs !== undefined) {
    const startedAtMs = Math.min(job.startedAtMs, nowMs);
    measures.push({ what: "start", pool, attempt, seconds: Math.max(0, startedAtMs - held.waitsSinceMs) / 1000 });
  }
  if (isLost(job)) measures.push({ what: "lost-work", pool, attempt, because: job.reason ?? "unknown" });
  return measures;
}

/** Reports whether a run ended by a fault that counts as a loss, or as trouble of its node or of its upload, and not by its own. */
const isLost = ({ losses, troubles, failed }: JobChange): boolean => !failed && (losses !== undefined || troubles !== undefined);
