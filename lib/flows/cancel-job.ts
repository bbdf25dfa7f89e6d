import type { JobRef, JobState } from "../model/job.ts";
import type { Cancelled, CancelledOfMany, Evicted } from "../ports/jobs.ts";
import type { Log } from "../ports/log.ts";
import type { Ports } from "../ports/ports.ts";
import { type Ringing, ring } from "./pool/ring.ts";

export type CancelDeps = Ringing & Pick<Ports, "cancellations"> & { readonly now: () => number };
export type CancelManyDeps = CancelDeps & { readonly log: Log };

/**
 * Cancels a job, wherever it is. If it runs, its node's worker stops it after its next call, at most ten seconds later, and the place is
 * free when the worker reports that. Cancelling it twice is harmless.
 */
export async function cancelJob(deps: CancelDeps, ref: JobRef, reason: string): Promise<Cancelled> {
  const outcome = await deps.cancellations.cancel(ref, { reason, atMs: deps.now() });
  // Rings the second time too, because the first caller may have crashed before the ring.
  if (outcome.kind === "cancelled" || outcome.kind === "same") await ring(deps, outcome.pool, "cancel");
  return outcome;
}

/**
 * Stops a job's run and queues the job again, without counting a failure. The worker stops the run after its next call, and its report
 * makes the job wait. `attempt`: only this one is stopped.
 */
export const requeueJob = (
  deps: Pick<CancelDeps, "cancellations" | "now">,
  of: JobRef & { readonly attempt?: number | undefined },
  reason: string,
): Promise<Evicted> => deps.cancellations.evict(of, { because: reason, atMs: deps.now() });

/** Cancels at most a hundred jobs. Rings each pool once, however many of its jobs are among them. */
export async function cancelJobs(
  deps: CancelManyDeps,
  refs: readonly JobRef[],
  by: { readonly reason: string; readonly states?: readonly JobState[] | undefined },
): Promise<readonly CancelledOfMany[]> {
  const outcomes = await deps.cancellations.cancelAll(refs, { ...by, atMs: deps.now() });
  const pools = outcomes.flatMap((outcome) => (outcome.kind === "cancelled" || outcome.kind === "same" ? [outcome.pool] : []));
  for (const [index, outcome] of outcomes.entries())
    if (outcome.kind === "failed")
      deps.log({
        level: "error",
        message: "job not cancelled",
        team: refs[index]?.team,
        job: refs[index]?.job,
        error: outcome.error,
      });
  for (const pool of new Set(pools)) await ring(deps, pool, "cancel");
  return outcomes;
}
