import type { ArtifactSummary, AttemptRef, Job, JobRecord, JobRef, JobState } from "../model/job.ts";

/** Takes what teams submit. */
export interface Admissions {
  /**
   * Writes the job, and its queue entry when it is `queued`, unless the name is in use.
   * `same`: it was written before with the same body hash, and is `job` by now. `taken`: another body has this name.
   */
  admit(job: JobRecord): Promise<Admitted>;
}

export type Admitted = { readonly kind: "created" | "taken" } | { readonly kind: "same"; readonly job: Job };

/** Finds jobs by their names. */
export interface JobLookup {
  /** Those that are there, as they are now, by `jobName`; a hundred at most. */
  find(refs: readonly JobRef[]): Promise<ReadonlyMap<string, JobRecord>>;
}

/** Ends jobs that their teams want no more. */
export interface Cancellations {
  /**
   * Whatever is not ended yet → `cancelled`; a queued one leaves the queue, one that waits to be sealed still is, and stays
   * cancelled. The node that holds it, if any, keeps it until its worker has stopped. `same`: it was cancelled before; nothing was written.
   */
  cancel(ref: JobRef, by: { reason: string; atMs: number }): Promise<Cancelled>;
  /**
   * The same for several, a hundred at most; the outcomes are in the order of the names, and a job that cannot be cancelled
   * keeps no other from it. `states`: a job in another state than these is left alone.
   */
  cancelAll(
    refs: readonly JobRef[],
    by: { reason: string; atMs: number; states?: readonly JobState[] | undefined },
  ): Promise<readonly CancelledOfMany[]>;
}

/** `spared`: it is in a state that was not asked for. `failed`: the table did not answer; the same again may do. */
export type CancelledOfMany =
  | Cancelled
  | { readonly kind: "spared"; readonly state: JobState }
  | { readonly kind: "failed"; readonly error: unknown };

export type Cancelled =
  | { readonly kind: "cancelled" | "same"; readonly pool: string }
  | { readonly kind: "ended"; readonly state: JobState }
  | { readonly kind: "unknown" };

/** Reads jobs for people. May lag behind by a moment; decisions never use it. */
export interface JobReader {
  get(ref: JobRef): Promise<Job | undefined>;
  /**
   * Newest first. `cursor` comes from the page before; an unknown one throws. A page may be short, even empty, and still have a
   * next one: few jobs may pass the filters. Spec and artifacts may be left out.
   */
  list(of: { team: string; limit: number; cursor?: string | undefined } & JobFilter): Promise<{
    readonly jobs: readonly Job[];
    readonly cursor?: string | undefined;
  }>;
}

/** What becomes of a job when its attempt's files are sealed, as far as they can be. */
export type Sealed = { readonly artifacts?: ArtifactSummary | undefined; readonly reason?: string | undefined };

/** Which jobs are listed; what is absent does not matter. */
export type JobFilter = {
  readonly states?: readonly JobState[] | undefined;
  /** A pattern of their ids, with `*` and `?`. */
  readonly name?: string | undefined;
  readonly pool?: string | undefined;
  /** Submitted then or later. */
  readonly sinceMs?: number | undefined;
  /** Submitted before then. */
  readonly beforeMs?: number | undefined;
};

/** Ends jobs whose artifacts rest sealed, and keeps what waits to be sealed. */
export interface Sealing {
  /** As it is now; never a stale copy. */
  get(ref: JobRef): Promise<Job | undefined>;
  /** `sealing` → `succeeded`, if this is still the attempt that counts. It waits no more. */
  succeed(attempt: AttemptRef, to: Sealed, atMs: number): Promise<"done" | "stale">;
  /** `sealing` → `failed`, if this is still the attempt that counts. It waits no more. */
  fail(attempt: AttemptRef, to: Sealed & { readonly reason: string }, atMs: number): Promise<"done" | "stale">;
  /** An attempt that changes no job waits no more. Only for one that the job cannot seal (again): it is another one's turn, or the job has ended. */
  over(attempt: AttemptRef): Promise<void>;
  /** Attempts that have been waiting to be sealed since before then. */
  waitingSince(beforeMs: number): Promise<readonly AttemptRef[]>;
}
