import { jobName, type QueueEntry } from "../../model/job.ts";
import type { Launch } from "../../model/launch.ts";

/** Whether a launch makes up for capacity that is lost or will be: one of its jobs has had a node before. Those come before what only grows. */
export function isReplacement({ jobs, replaces }: Pick<Launch, "jobs" | "replaces">, queue: readonly QueueEntry[]): boolean {
  if (replaces !== undefined) return true;
  const lost = new Set(queue.filter(({ attempt }) => attempt > 1).map(jobName));
  return jobs.some((job) => lost.has(jobName(job)));
}
