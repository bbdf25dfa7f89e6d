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

/** What a list reads of a job: all but what it asked for and what it left, which may be large. */
export const jobFacts: readonly string[] = Object.keys(facts);

export const jobOf = (item: Item): JobRecord => stored(StoredJob, item);

export const jobItem = (job: JobRecord): Key & Item => ({
  ...jobKey(job),
  ...job,
  teamKey: job.team,
  submitted: submittedKey(job),
  ttl: isEnded(job.state) ? ttlAfter(job.endedAtMs ?? job.submittedAtMs, keptDays) : undefined,
});

/** The job as it is now. */
export async function readJob(access: TableAccess, ref: JobRef): Promise<JobRecord | undefined> {
  const item = await getItem(access, jobKey(ref));
  return item && jobOf(item);
}

/** Those of a hundred jobs at most that are there, as they are now. */
export async function readJobs(access: TableAccess, refs: readonly JobRef[]): Promise<readonly JobRecord[]> {
  return (await getItems(access, refs.map(jobKey))).map(jobOf);
}

/** What changes with the state: the reason for the last one goes, and an end is dated. */
export const newState = (state: JobState, reason: string | undefined, atMs: number): Change[] => [
  set("state", state),
  set("reason", reason),
  ...(isEnded(state) ? [set("endedAtMs", atMs), set("ttl", ttlAfter(atMs, keptDays))] : []),
];

/** Nothing of the job is on a node any more. */
export const offNodes: readonly Change[] = [set("node", undefined), set("gang", undefined)];

/** Where the job's queue entry is, or would be. Only a job that could be read has one. */
export const queueKeyOf = (job: Job): Key => queueKey({ ...job, priority: job.spec?.priority ?? 0 });

/** Puts a job into its pool's queue, as that attempt. */
export const enqueue = (job: Job, as: { attempt: number; reason: string | undefined }): Part[] =>
  job.spec ? [{ kind: "put", item: queueItem(job.pool, { ...waiting({ ...job, spec: job.spec }), ...as }) }] : [];
