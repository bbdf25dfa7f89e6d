import type { JobRef } from "../model/job.ts";
import type { Cancellations, Cancelled } from "../ports/jobs.ts";
import { type Ringing, ring } from "./ring.ts";

export type CancelDeps = Ringing & { readonly cancellations: Cancellations; readonly now: () => number };

/**
 * Cancels a job, wherever it is. One that runs is stopped by its node's worker with its next call, ten seconds later at
 * most, and its place is free when the worker says that it has. Doing it twice is harmless.
 */
export async function cancelJob(deps: CancelDeps, ref: JobRef, reason: string): Promise<Cancelled> {
  const outcome = await deps.cancellations.cancel(ref, { reason, atMs: deps.now() });
  // The second time too: whoever cancelled it first may have died before the ring.
  if (outcome.kind === "cancelled" || outcome.kind === "same") await ring(deps, outcome.pool, "cancel");
  return outcome;
}
