import type { AttemptPage, AttemptQuery } from "../model/history/attempt.ts";
import type { ArtifactSummary, AttemptRef, Job, JobRecord, JobRef, JobState } from "../model/job.ts";
import type { Eviction } from "../model/node.ts";
import type { FailureCode } from "../model/values/job-end.ts";

/** Stores the jobs that teams submit. */
export interface Admissions {
  /**
   * Writes the job unless its name is in use, and its queue entry if the job is `queued`.
   * `same`: the job was written before with the same body hash; `job` is its present record. `taken`: a job with another body has the name.
   * `full`: `maxQueued` jobs of the team wait in the pool, as of the last count and with those admitted since; nothing was written.
   */
  admit(job: JobRecord, limits?: { readonly maxQueued?: number | undefined }): Promise<Admitted>;
}

export type Admitted = { readonly kind: "created" | "taken" | "full" } | { readonly kind: "same"; readonly job: Job };

/** Finds jobs by name. */
export interface JobLookup {
  /** Returns those of the jobs that exist, as they are now, by `jobName`. `refs` must have at most 100 entries. */
  find(refs: readonly JobRef[]): Promise<ReadonlyMap<string, JobRecord>>;
}

/** Stops jobs, or runs of them, that their teams do not want any more. */
export interface Cancellations {
  /**
   * Any state that is not final → `cancelled`. A queued job leaves the queue. The files of a job in `sealing` are still sealed, and the
   * job stays cancelled. A node that holds the attempt keeps it until its worker has stopped it.
   * `same`: the job was cancelled before, and nothing was written. `unknown`: there is no such job.
   */
  cancel(ref: JobRef, by: { reason: string; atMs: number }): Promise<Cancelled>;
  /**
   * Cancels at most 100 jobs. The outcomes are in the order of `refs`. A job that cannot be cancelled does not keep the others from
   * being cancelled. `states`: a job in any other state is left alone; undefined for all states.
   */
  cancelAll(
    refs: readonly JobRef[],
    by: { reason: string; atMs: number; states?: readonly JobState[] | undefined },
  ): Promise<readonly CancelledOfMany[]>;
  /**
   * Marks the job's run as one that must leave its node. The job goes on as it is until its worker has stopped the run. A gang's run leaves
   * all its nodes. `evicting`: it is marked, by this call or an earlier one, whose reason stays. `off`: the job is not running.
   * `passed`: the job is not on the given attempt any more; undefined for whichever it is on.
   */
  evict(ref: JobRef & { readonly attempt?: number | undefined }, by: Eviction): Promise<Evicted>;
}

export type Evicted =
  | { readonly kind: "evicting" | "unknown" }
  | { readonly kind: "off"; readonly state: JobState }
  | { readonly kind: "passed"; readonly attempt: number };

/** `spared`: the job is in a state that was not asked for. `failed`: the table did not respond; the same call may succeed later. */
export type CancelledOfMany =
  | Cancelled
  | { readonly kind: "spared"; readonly state: JobState }
  | { readonly kind: "failed"; readonly error: unknown };

export type Cancelled =
  | { readonly kind: "cancelled" | "same"; readonly pool: string }
  | { readonly kind: "ended"; readonly state: JobState }
  | { readonly kind: "unknown" };

/** Reads jobs for people. Results may be a moment old, so decisions must not use them. */
export interface JobReader {
  get(ref: JobRef): Promise<Job | undefined>;
  /**
   * Returns a page of a job's attempts, newest first: those with a number below `before`, or all. `before` of the page is set if there are
   * more. No attempts are returned for a job that does not exist, and none for an attempt that was never bound to a node.
   */
  attempts(of: AttemptQuery): Promise<AttemptPage>;
  /**
   * Returns a page of a team's jobs, newest first. `cursor` is that of the page before; throws if it is not one. A page may be short,
   * even empty, and still have a cursor, because few jobs may match the filter. The jobs may lack `spec` and `artifacts`.
   */
  list(of: { team: string; limit: number; cursor?: string | undefined } & JobFilter): Promise<{
    readonly jobs: readonly Job[];
    readonly cursor?: string | undefined;
  }>;
}

/** What a job's record gets when the files of its attempt are sealed, as far as they can be. */
export type Sealed = { readonly artifacts?: ArtifactSummary | undefined; readonly reason?: string | undefined };

/** Which jobs are listed. A field that is undefined does not filter. */
export type JobFilter = {
  readonly states?: readonly JobState[] | undefined;
  /** A pattern of job ids, with `*` and `?`. */
  readonly name?: string | undefined;
  readonly pool?: string | undefined;
  /** Only jobs that were submitted at this time or later, ms since the epoch. */
  readonly sinceMs?: number | undefined;
  /** Only jobs that were submitted before this time, ms since the epoch. */
  readonly beforeMs?: number | undefined;
};

/** Ends jobs whose artifacts are sealed, and lists the attempts that wait to be sealed. */
export interface Sealing {
  /** Returns the job as it is now (a consistent read), or undefined if there is none. */
  get(ref: JobRef): Promise<Job | undefined>;
  /** `sealing` → `succeeded`. The attempt is removed from those that wait. `stale`: the job is not in `sealing`, or has another attempt. */
  succeed(attempt: AttemptRef, to: Sealed, atMs: number): Promise<"done" | "stale">;
  /** `sealing` → `failed`. The attempt is removed from those that wait. `stale`: the job is not in `sealing`, or has another attempt. */
  fail(
    attempt: AttemptRef,
    to: Sealed & { readonly failure: FailureCode; readonly reason: string },
    atMs: number,
  ): Promise<"done" | "stale">;
  /**
   * Removes an attempt from those that wait, without a change to its job. Callers must do so only for an attempt whose sealing can no
   * longer end its job, because the job has ended or is on another attempt.
   */
  over(attempt: AttemptRef): Promise<void>;
  /**
   * Returns the attempts that wait to be sealed and for which nothing has happened since before this time, ms since the epoch: they have
   * waited since then, and no message about them was claimed or failed later. In the order in which they began to wait.
   */
  waitingSince(beforeMs: number): Promise<readonly AttemptRef[]>;
  /** Notes that a message about a waiting attempt is sent again. False if it does not wait, or if anything has happened since `beforeMs`. */
  claimAgain(attempt: AttemptRef, at: { readonly beforeMs: number; readonly atMs: number }): Promise<boolean>;
  /** Notes that a waiting attempt could not be sealed now. A job in `sealing` gets the reason. */
  failedNow(attempt: AttemptRef, failure: { readonly reason: string; readonly atMs: number }): Promise<void>;
}
