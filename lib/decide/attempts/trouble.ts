import type { Job, JobChange } from "../../model/job.ts";

/** The most runs in a row that cannot be started through no fault of their job. With the pauses between them, they take about two hours. */
const maxUnstarted = 12;
/** The most runs of a job that end because of a problem of the node, or whose results cannot be uploaded. */
const maxTroubles = 3;
const firstPauseMs = 30_000;
const longestPauseMs = 15 * 60_000;

type Trouble = Pick<JobChange, "to" | "unstarted" | "troubles" | "pauseMs">;

/**
 * Returns what follows for a job from a run that failed through no fault of its own, for example because S3 did not respond. It does not count
 * against the job's retries, and the job rests before its next run. The first kind of trouble may last as long as an outage; the second
 * costs the time that the run has taken, so the job fails sooner.
 */
export function afterTrouble({
  state,
  unstarted = 0,
  troubles = 0,
  spec,
}: Pick<Job, "state" | "unstarted" | "troubles" | "spec">): Trouble {
  const isUnstarted = state === "placed";
  const count = (isUnstarted ? unstarted : troubles) + 1;
  const most = Math.max(isUnstarted ? maxUnstarted : maxTroubles, (spec?.retries ?? 0) + 1);
  const counted = isUnstarted ? { unstarted: count } : { troubles: count };
  if (count >= most) return { to: "failed", ...counted };
  return { to: "queued", ...counted, pauseMs: Math.min(longestPauseMs, firstPauseMs * 2 ** (count - 1)) };
}

/** Reports whether a change is what `afterTrouble` returned. */
export const isTrouble = ({ to, unstarted, troubles }: Pick<JobChange, "to" | "unstarted" | "troubles">): boolean =>
  to !== "running" && (unstarted !== undefined || troubles !== undefined);
