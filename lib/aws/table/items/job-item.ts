import * as z from "zod";
import { StoredSpec } from "../../../../events/job.ts";
import { isEnded, type Job, type JobRecord, type JobRef, type JobState, jobStates, waiting } from "../../../model/job.ts";
import { getItem, getItems, type Item, type TableAccess } from "../access.ts";
import { type Change, set } from "../expression.ts";
import { jobKey, type Key, queueKey, submittedKey } from "../keys.ts";
import { stored, ttlAfter } from "../stored.ts";
import type { Part } from "../transaction.ts";
import { queueItem } from "./queue-item.ts";

const keptDays = 30;

const StoredSummary = z.object({
  files: z.number(),
  bytes: z.number(),
  leftOut: z.number(),
  missing: z.array(z.string()),
  lost: z.number(),
});

const facts = {
  team: z.string(),
  job: z.string(),
  pool: z.string(),
  state: z.enum(jobStates),
  bodyHash: z.string(),
  attempt: z.int().min(1),
  failures: z.int().min(0),
  losses: z.int().min(0).optional(),
  submittedAtMs: z.number(),
  startedAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
  node: z.string().optional(),
  gang: z.array(z.string()).optional(),
  exitCode: z.number().optional(),
  reason: z.string().optional(),
};

const StoredJob: z.ZodType<JobRecord> = z.object({
  ...facts,
  spec: StoredSpec.optional(),
  artifacts: StoredSummary.optional(),
});

/** The attributes of a job that lists read: all except its spec and its artifacts, which may be large. */
export const jobFacts: readonly string[] = Object.keys(facts);

export const jobOf = (item: Item): JobRecord => stored(StoredJob, item);

export const jobItem = (job: JobRecord): Key & Item => ({
  ...jobKey(job),
  ...job,
  teamKey: job.team,
  submitted: submittedKey(job),
  ttl: isEnded(job.state) ? ttlAfter(job.endedAtMs ?? job.submittedAtMs, keptDays) : undefined,
});

/** Returns a job, strongly consistent, or undefined if there is none. */
export async function readJob(access: TableAccess, ref: JobRef): Promise<JobRecord | undefined> {
  const item = await getItem(access, jobKey(ref));
  return item && jobOf(item);
}

/** Returns the existing ones of at most a hundred jobs, strongly consistent. */
export async function readJobs(access: TableAccess, refs: readonly JobRef[]): Promise<readonly JobRecord[]> {
  return (await getItems(access, refs.map(jobKey))).map(jobOf);
}

/** Returns the changes for a new state: the previous state's reason is replaced, and an end gets its time. */
export const newState = (state: JobState, reason: string | undefined, atMs: number): Change[] => [
  set("state", state),
  set("reason", reason),
  ...(isEnded(state) ? [set("endedAtMs", atMs), set("ttl", ttlAfter(atMs, keptDays))] : []),
];

/** Changes for a job that is on no node any more. */
export const offNodes: readonly Change[] = [set("node", undefined), set("gang", undefined)];

/** Returns the key of the job's queue entry, whether it exists or not. Only jobs with a valid spec have one. */
export const queueKeyOf = (job: Job): Key => queueKey({ ...job, priority: job.spec?.priority ?? 0 });

/** Puts a job into its pool's queue as the given attempt. */
export const enqueue = (job: Job, as: { attempt: number; reason: string | undefined }): Part[] =>
  job.spec ? [{ kind: "put", item: queueItem(job.pool, { ...waiting({ ...job, spec: job.spec }), ...as }) }] : [];
