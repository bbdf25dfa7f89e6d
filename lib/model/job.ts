import type { EndCode, FailureCode } from "./values/job-end.ts";
import { type MessageWants, type Wants, wantsOfMessage } from "./wants.ts";

/**
 * What a team asks for. The job message's schema (events/job.ts) fills in the defaults, so that no other code has to know them.
 */
export type JobSpec = MessageWants & {
  /** The program and its arguments; required unless `image` brings its own. */
  readonly command: readonly string[];
  readonly image?: string | undefined;
  /** An archive (.tar.gz) that is unpacked into the job's working directory. */
  readonly code?: { readonly s3: string; readonly sha256?: string | undefined } | undefined;
  /** Undefined for the configuration's default pool. */
  readonly pool?: string | undefined;
  /** Jobs of higher priority go first; the default is 0. */
  readonly priority: number;
  /** A run that takes longer is stopped and fails. */
  readonly maxRuntimeSeconds: number;
  /** How often a failed run is retried. Interruptions and lost nodes do not count. */
  readonly retries: number;
  readonly env: Readonly<Record<string, string>>;
  /** The files and folders of the working directory that are kept, sealed, however a run of the job ends. */
  readonly artifacts: readonly ArtifactRequest[];
};

/**
 * Files or folders below the working directory: a path, or a glob (`*`, `?`, `[...]`, `**`). If a required artifact is missing, the job
 * fails even if its exit code is 0. If another one is missing, the job only reports it.
 */
export type ArtifactRequest = string | { readonly path: string; readonly required: true };

/** The path or glob of a request. */
export const artifactPath = (request: ArtifactRequest): string => (typeof request === "string" ? request : request.path);

/** A job is identified by its team and its own id. The pair never changes. An id is free again 30 days after its job ended. */
export type JobRef = { readonly team: string; readonly job: string };

/** One run of a job. The attempt's number is a fence: a call with an older number changes nothing. */
export type AttemptRef = JobRef & { readonly attempt: number };
/** The largest number of an attempt. In a table that was restored from a backup, attempt numbers have many digits. */
export const maxAttempt = 999_999_999_999_999;
/** After a restore from a backup, numbers go on at a multiple of this plus 1, so that none is given twice. */
export const attemptsPerRestore = 100_000;
/** Returns how many attempts the job had by then since the table was last restored, with this one. */
export const ordinalOf = (attempt: number): number => ((attempt - 1) % attemptsPerRestore) + 1;

/** The names of a job and of an attempt, for keys of maps in memory, logs and messages. */
export const jobName = ({ team, job }: JobRef): string => `${team}/${job}`;
export const attemptName = (ref: AttemptRef): string => `${jobName(ref)}#${ref.attempt}`;

/** The log stream of an attempt in its team's log group. Each member of a gang has its own; that of rank 0 is the attempt's. */
export const logStream = ({ job, attempt }: AttemptRef, rank = 0): string => `${job}/${attempt}${rank === 0 ? "" : `/${rank}`}`;

/** One segment of the log of an attempt's member. The rank is 0 for a job of one node. Numbers begin at 0. */
export type SegmentRef = AttemptRef & { readonly rank: number; readonly number: number };

/** What a node left of an attempt because its calls got no response. `role`: the unique id of the role of the instance that wrote it. */
export type OutboxRef = AttemptRef & { readonly role: string; readonly node: string };

export type JobState = "rejected" | "queued" | "placed" | "running" | "sealing" | "succeeded" | "failed" | "cancelled";

/**
 * The states that may follow each state. A worker's report of `running` can be lost, so every state that may follow `running` may also
 * follow `placed`. A job whose node is lost goes back to `queued`, even from `sealing` if its upload was not complete.
 */
const next: Readonly<Record<JobState, readonly JobState[]>> = {
  rejected: [],
  queued: ["placed", "failed", "cancelled"],
  placed: ["running", "sealing", "queued", "failed", "cancelled"],
  running: ["sealing", "queued", "failed", "cancelled"],
  sealing: ["succeeded", "queued", "failed", "cancelled"],
  succeeded: [],
  failed: [],
  cancelled: [],
};

export const jobStates = Object.keys(next) as readonly JobState[];
export const mayFollow = (from: JobState, to: JobState): boolean => next[from].includes(to);
export const isEnded = (state: JobState): boolean => next[state].length === 0;

/** Returns the code of a job's end; undefined if the state is not an end. `failure` is required if the job has failed. */
export const endCodeOf = (state: JobState, failure: FailureCode | undefined): EndCode | undefined => {
  if (state === "failed") return failure;
  return state === "succeeded" || state === "rejected" || state === "cancelled" ? state : undefined;
};

/** A change of a job's state that one of its runs caused. */
export type JobChange = {
  readonly from: JobState;
  readonly to: JobState;
  readonly reason?: string | undefined;
  /** Set if `to` is `failed`. */
  readonly failure?: FailureCode | undefined;
  readonly exitCode?: number | undefined;
  readonly startedAtMs?: number | undefined;
  /** Whether the run counts against the job's retries. */
  readonly failed: boolean;
  /** The job's new count of losses; undefined if this change is not a loss. */
  readonly losses?: number | undefined;
  /** The job's new counts of `unstarted` and `troubles`; undefined for one that stays. */
  readonly unstarted?: number | undefined;
  readonly troubles?: number | undefined;
  /** How long the job rests before its next run, ms; undefined for not at all. */
  readonly pauseMs?: number | undefined;
};

export type Job = JobRef & {
  readonly pool: string;
  readonly state: JobState;
  /** Undefined only for a rejected message that could not be read. */
  readonly spec?: JobSpec | undefined;
  /** The number of the present run or, while the job waits, of the next one; starts at 1. */
  readonly attempt: number;
  /** How many runs failed by the job's own fault; `spec.retries` limits them. */
  readonly failures: number;
  /** How many nodes were lost, other than by EC2's interruptions, while the job ran on them; undefined for none. The pool limits them. */
  readonly losses?: number | undefined;
  /** How many runs in a row could not be started, through no fault of the job; undefined for none. */
  readonly unstarted?: number | undefined;
  /** How many runs ended because of a problem of the node, or could not upload their results; undefined for none. */
  readonly troubles?: number | undefined;
  /** When SQS received the message, ms since the epoch. */
  readonly submittedAtMs: number;
  /** When the program of the first attempt that ran was started, as its worker reported it; ms since the epoch. */
  readonly startedAtMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
  /** Why it ended; undefined until then, and for jobs that ended before codes were recorded. */
  readonly endCode?: EndCode | undefined;
  /** The node that holds the attempt, or its member of rank 0; set from `placed` until the attempt leaves the node or fails there. */
  readonly node?: string | undefined;
  /** The nodes of a gang's attempt, by rank; set as long as `node` is set. Undefined for a job of one node. */
  readonly gang?: readonly string[] | undefined;
  readonly exitCode?: number | undefined;
  /** Why the job is in this state, in words for the team: what it waits for, or why it failed. */
  readonly reason?: string | undefined;
  /** What was kept of the attempt that ended the job; undefined until then. The full list is stored sealed, next to the files. */
  readonly artifacts?: ArtifactSummary | undefined;
};

/** A job as it is stored. */
export type JobRecord = Job & {
  /** Hash of what the message asked for. A message with the same id and another hash is another job and is refused. */
  readonly bodyHash: string;
};

/**
 * Returns the next state of a job whose node was lost. The job fails after `maxLosses` lost nodes, because it may be what ends them.
 * `maxLosses` is undefined if this loss does not count. `overdue`: the attempt's time was over, which is a failure of the job itself.
 */
export function afterLoss(
  { losses = 0, failures, spec }: Pick<Job, "losses" | "failures" | "spec">,
  { reason, maxLosses, overdue }: { reason: string; maxLosses?: number | undefined; overdue?: true | undefined },
): {
  readonly state: "queued" | "failed";
  readonly failure?: FailureCode;
  readonly losses?: number;
  readonly failures?: number;
  readonly reason: string;
} {
  if (overdue) {
    const counted = { failures: failures + 1, reason };
    return failures < (spec?.retries ?? 0) ? { state: "queued", ...counted } : { state: "failed", failure: "runs-failed", ...counted };
  }
  if (maxLosses === undefined) return { state: "queued", reason };
  const counted = losses + 1;
  if (counted < maxLosses) return { state: "queued", losses: counted, reason };
  return {
    state: "failed",
    failure: "nodes-lost",
    losses: counted,
    reason: `${counted} nodes were lost while it ran on them; the last: ${reason}`,
  };
}

/** Returns the nodes that a job is on, by rank; none for a job that is on no node, or that does not exist. */
export const nodesOf = (job: Pick<Job, "node" | "gang"> | undefined): readonly string[] =>
  job?.gang ?? (job?.node === undefined ? [] : [job.node]);

/** Whether the job's present attempt is on that node. */
export const isOn = ({ node, gang }: Pick<Job, "node" | "gang">, id: string): boolean =>
  node !== undefined && (gang ?? [node]).includes(id);

/**
 * Whether the attempt ends if that node loses it. A gang depends on every member until the member of rank 0 has exited successfully; from
 * then on, only that member's upload counts. A member that has exited and still uploads its log is not needed.
 */
export const dependsOn = (job: Job, { attempt, node, uploads }: { attempt: number; node: string; uploads: boolean }): boolean =>
  job.attempt === attempt && !isEnded(job.state) && isOn(job, node) && (job.node === node || (job.state !== "sealing" && !uploads));

/** How much was kept of an attempt, and what was not. */
export type ArtifactSummary = {
  readonly files: number;
  /** Size of the plaintext of all files together. */
  readonly bytes: number;
  /** How many entries were left out because they cannot be kept, such as sockets, or exceed a limit. */
  readonly leftOut: number;
  /** The artifact requests of the spec that matched nothing; the first 20. */
  readonly missing: readonly string[];
  /** How many files were uploaded but could not be sealed. */
  readonly lost: number;
};

/** A sealed file of a job: encrypted under the team's key, bound to team, job, attempt and path. */
export type SealedArtifact = {
  /** The path below the job's working directory, with `/`. */
  readonly path: string;
  /** Set if the path contains bytes as %XX because they are not text or not allowed in a path; each % of the name itself is %25. */
  readonly escaped?: true | undefined;
  /** Permission bits, at most 0o777. */
  readonly mode: number;
  /** Size of the plaintext. */
  readonly bytes: number;
  /** SHA-256 (hex) of the plaintext. */
  readonly sha256: string;
  /** Key in the artifacts bucket. */
  readonly key: string;
};

/** A waiting job as the pool's queue stores it. It is small, so that a decision can read ten thousand of them. */
export type QueueEntry = AttemptRef &
  Wants & {
    readonly priority: number;
    readonly submittedAtMs: number;
    /** The job is not placed before this, ms since the epoch; undefined if it may be placed at once. */
    readonly notBeforeMs?: number | undefined;
    /** Why the job waits, as last written to its record; undefined until then. */
    readonly reason?: string | undefined;
  };

/** Compares entries by priority, then age, then name. The order is total, so that it does not depend on the order of the input. */
export const byTurn = (a: QueueEntry, b: QueueEntry): number =>
  b.priority - a.priority || a.submittedAtMs - b.submittedAtMs || compare(a.team, b.team) || compare(a.job, b.job);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Returns the queue entry of a job that waits (again). */
export const waiting = (job: JobRef & { spec: JobSpec; attempt: number; submittedAtMs: number }): QueueEntry => ({
  team: job.team,
  job: job.job,
  attempt: job.attempt,
  priority: job.spec.priority,
  submittedAtMs: job.submittedAtMs,
  ...wantsOfMessage(job.spec),
});
