import { type Asked, type Wants, wantsOfAsked } from "./wants.ts";

/**
 * What a team asks for. Every field is present: the job message's schema (events/job.ts) fills the defaults,
 * so that nothing behind it has to know them.
 */
export type JobSpec = Asked & {
  /** The program and its arguments; required unless `image` brings its own. */
  readonly command: readonly string[];
  readonly image?: string | undefined;
  /** An archive (.tar.gz) that is unpacked into the job's working directory. */
  readonly code?: { readonly s3: string; readonly sha256?: string | undefined } | undefined;
  /** Absent: the configuration's default pool. */
  readonly pool?: string | undefined;
  /** Higher goes first; 0 is ordinary. */
  readonly priority: number;
  readonly maxRuntimeSeconds: number;
  /** How often a failed run is tried again. Interruptions and lost nodes do not count. */
  readonly retries: number;
  readonly env: Readonly<Record<string, string>>;
  /** What is kept, sealed, of the working directory, however a run of the job ends. */
  readonly artifacts: readonly ArtifactRequest[];
};

/**
 * Files or folders below the working directory: a path, or a glob (`*`, `?`, `[...]`, `**`). Without a required one the
 * job fails, though it ended with 0; without another it only says so.
 */
export type ArtifactRequest = string | { readonly path: string; readonly required: true };

/** The path or glob of a request. */
export const artifactPath = (request: ArtifactRequest): string => (typeof request === "string" ? request : request.path);

/** A job is named by its team and its own id. The pair never changes; an id is free again 30 days after its job ended. */
export type JobRef = { readonly team: string; readonly job: string };

/** One run of a job. The number is the fence: a call that names an older one changes nothing. */
export type AttemptRef = JobRef & { readonly attempt: number };

/** One job or one attempt in a word: for maps that live as long as a call, for logs and messages. */
export const jobName = ({ team, job }: JobRef): string => `${team}/${job}`;
export const attemptName = (ref: AttemptRef): string => `${jobName(ref)}#${ref.attempt}`;

/** The stream of its team's log group that an attempt writes to, and is read from. A gang's members have one each; the first one's is the attempt's. */
export const logStream = ({ job, attempt }: AttemptRef, rank = 0): string => `${job}/${attempt}${rank === 0 ? "" : `/${rank}`}`;

/** One part of what a member of an attempt wrote. The rank of a plain job is 0; numbers begin at 0. */
export type SegmentRef = AttemptRef & { readonly rank: number; readonly number: number };

export type JobState = "rejected" | "queued" | "placed" | "running" | "sealing" | "succeeded" | "failed" | "cancelled";

/**
 * Which state may follow which. A worker's report of `running` can be lost, so what follows `running` may follow
 * `placed` too. A lost node leads back to `queued`, even from `sealing` when its upload never became whole.
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

/** A change of a job's state that a run of it brought about. */
export type JobChange = {
  readonly from: JobState;
  readonly to: JobState;
  readonly reason?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly startedAtMs?: number | undefined;
  /** The run counts against the job's retries. */
  readonly failed: boolean;
  /** What it comes to, of nodes or workers that were lost with the job; absent where this is none. */
  readonly losses?: number | undefined;
};

export type Job = JobRef & {
  readonly pool: string;
  readonly state: JobState;
  /** Absent only for a rejected message that could not be read. */
  readonly spec?: JobSpec | undefined;
  /** The run under way or the next one; starts at 1. */
  readonly attempt: number;
  /** Runs that ended by the job's own fault; `spec.retries` bounds them. */
  readonly failures: number;
  /** Nodes that were lost while it ran on them, and not by EC2's choice; absent for none. So many of them end it. */
  readonly losses?: number | undefined;
  /** When SQS took the message, ms since the epoch. */
  readonly submittedAtMs: number;
  /** The first CPU instruction of its first attempt, as the worker reported it. */
  readonly startedAtMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
  /** The node that holds the attempt, of a gang its first member's; present from `placed` until it leaves the node or fails there. */
  readonly node?: string | undefined;
  /** The nodes of a gang's attempt, by rank; as long as `node` is there. */
  readonly gang?: readonly string[] | undefined;
  readonly exitCode?: number | undefined;
  /** Why it is in this state, in words for the team: what it waits for, why it failed. */
  readonly reason?: string | undefined;
  /** What was kept of the attempt that ended it; absent before. The list itself rests sealed beside the files. */
  readonly artifacts?: ArtifactSummary | undefined;
};

/** A job as it is stored. */
export type JobRecord = Job & {
  /** Of what its message asked for: the same id with another body is another job, and is refused. */
  readonly bodyHash: string;
};

/** What becomes of a job whose node was lost: with so many lost while it ran it fails, for it may be the one that ends them. */
export function afterLoss(
  { losses = 0 }: Pick<Job, "losses">,
  { reason, mostLosses }: { reason: string; mostLosses?: number | undefined },
): { readonly state: "queued" | "failed"; readonly losses?: number; readonly reason: string } {
  if (mostLosses === undefined) return { state: "queued", reason };
  const counted = losses + 1;
  if (counted < mostLosses) return { state: "queued", losses: counted, reason };
  return { state: "failed", losses: counted, reason: `${counted} nodes were lost while it ran on them; the last: ${reason}` };
}

/** Whether that node is one that the job's attempt was given to. */
export const isOn = ({ node, gang }: Pick<Job, "node" | "gang">, id: string): boolean =>
  node !== undefined && (gang ?? [node]).includes(id);

/**
 * Whether the attempt ends when that node loses it: any member of a gang is missed until its first one has ended well.
 * From then on only the first one's upload counts. What a member uploads before, its log, nobody waits for.
 */
export const dependsOn = (job: Job, { attempt, node, uploads }: { attempt: number; node: string; uploads: boolean }): boolean =>
  job.attempt === attempt && !isEnded(job.state) && isOn(job, node) && (job.node === node || (job.state !== "sealing" && !uploads));

/** How much was kept of an attempt, and what was not. */
export type ArtifactSummary = {
  readonly files: number;
  /** Of the plaintext, all files together. */
  readonly bytes: number;
  /** Entries that cannot be kept, such as sockets, or that are over a limit. */
  readonly leftOut: number;
  /** Names of the spec's artifacts that matched nothing; the first 20. */
  readonly missing: readonly string[];
  /** Files that were uploaded and could not be sealed. */
  readonly lost: number;
};

/** A file of a job as it rests: encrypted under the team's key, bound to team, job, attempt and path. */
export type SealedArtifact = {
  /** Below the job's working directory, with `/`. */
  readonly path: string;
  /** The path has bytes in it as %XX that are not text, or that no path of ours may hold; its own % are %25. */
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

/** A job that waits, as the pool's queue keeps it: little enough to read ten thousand at a time. */
export type QueueEntry = AttemptRef &
  Wants & {
    readonly priority: number;
    readonly submittedAtMs: number;
    /** What the job was last told about why it waits. */
    readonly reason?: string | undefined;
  };

/** The queue's order: priority, then age, then name, so that it is total and shuffling changes nothing. */
export const byTurn = (a: QueueEntry, b: QueueEntry): number =>
  b.priority - a.priority || a.submittedAtMs - b.submittedAtMs || compare(a.team, b.team) || compare(a.job, b.job);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The queue entry of a job that (again) waits. */
export const waiting = (job: JobRef & { spec: JobSpec; attempt: number; submittedAtMs: number }): QueueEntry => ({
  team: job.team,
  job: job.job,
  attempt: job.attempt,
  priority: job.spec.priority,
  submittedAtMs: job.submittedAtMs,
  ...wantsOfAsked(job.spec),
});
