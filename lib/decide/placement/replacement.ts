import { jobName, type QueueEntry } from "../../model/job.ts";
import type { Launch } from "../../model/launch.ts";

/**
 * Reports whether a launch makes up for capacity that is lost or soon will be: it replaces a node, or one of its jobs has had a node
 * before. Such launches take precedence over those that only grow the pool.
 */
export function isReplacement({ jobs, replaces }: Pick<Launch, "jobs" | "replaces">, queue: readonly QueueEntry[]): boolean {
  if (replaces !== undefined) return true;
  const lost = new Set(queue.filter(({ attempt }) => attempt > 1).map(jobName));
  return jobs.some((job) => lost.has(jobName(job)));
}
