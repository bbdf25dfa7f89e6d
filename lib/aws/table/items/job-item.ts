import * as z from "zod";
import { StoredSpec } from "../../../../events/stored-spec.ts";
import { FleetError } from "../../../model/fleet-error.ts";
import { attemptNews } from "../../../model/history/attempt.ts";
import { type ArtifactSummary, endCodeOf, isEnded, type Job, type JobRecord, type JobRef, jobStates, waiting } from "../../../model/job.ts";
import { endCodes, type FailureCode } from "../../../model/values/job-end.ts";
import { periodName } from "../../../model/values/period.ts";
import { getItems, type Item, maxKeys, type TableAccess } from "../access.ts";
import { type Change, type Condition, set } from "../expression.ts";
import { artifactsKey, dayInIndex, jobKey, queueKey, specKey, submittedKey } from "../keys.ts";
import { separated, stored } from "../stored.ts";
import type { Part } from "../transaction.ts";
import { expiresAfter, noteAttempt } from "./attempt-item.ts";
import { queueItem } from "./queue-item.ts";

/** The attributes that lists show. The index by team holds a copy of these, so they must be few and small. */
const listed = {
  team: z.string(),
  job: z.string(),
  pool: z.string(),
  state: z.enum(jobStates),
  attempt: z.int().min(1),
  failures: z.int().min(0),
  losses: z.int().min(0).optional(),
  submittedAtMs: z.number(),
  startedAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
  // A later release may write a code that this one does not know. The job's state and reason still say how it ended.
  endCode: z.enum(endCodes).optional().catch(undefined),
  node: z.string().optional(),
  gang: z.array(z.string()).optional(),
  exitCode: z.number().optional(),
  reason: z.string().optional(),
};
const ListedJob: z.ZodType<Job> = z.object(listed);
const StoredState = z.object({
  ...listed,
  unstarted: z.int().min(0).optional(),
  troubles: z.int().min(0).optional(),
  bodyHash: z.string(),
  hasSpec: z.boolean(),
});

const StoredSummary: z.ZodType<ArtifactSummary> = z.object({
  files: z.number(),
  bytes: z.number(),
  leftOut: z.number(),
  missing: z.array(z.string()),
  lost: z.number(),
});

export const listedAttributes: readonly string[] = Object.keys(listed);

/** Returns a job as lists show it, without its spec and its artifacts. */
export const listedJobOf = (item: Item): Job => stored(ListedJob, item);

/** Returns the job of its items. Throws if the state lacks its spec, because such a job could not be queued again. */
function jobOf(state: Item, spec: Item | undefined): JobRecord {
  const { hasSpec, ...job } = stored(StoredState, state);
  if (!hasSpec) return job;
  if (!spec) throw new FleetError("broken-item", `the item ${String(state["pk"])} SPEC is missing`);
  return { ...job, ...stored(z.object({ spec: StoredSpec }), spec) };
}

/** Returns the writes of a new job. The first is on the condition that its name is free. */
export function admitParts({ spec, artifacts: _none, ...job }: JobRecord, isFree: Condition): Part[] {
  const ttl = isEnded(job.state) ? expiresAfter(job.endedAtMs ?? job.submittedAtMs) : undefined;
  const index = { teamDay: dayInIndex(job.team, periodName("day", job.submittedAtMs)), submitted: submittedKey(job) };
  const state = { ...jobKey(job), ...job, ...index, hasSpec: spec !== undefined, ttl };
  return [{ kind: "put", item: state, when: [isFree] }, ...(spec ? [{ kind: "put" as const, item: { ...specKey(job), spec, ttl } }] : [])];
}

/** Returns a job without its artifacts, strongly consistent, or undefined if there is none. */
export async function readJob(access: TableAccess, ref: JobRef): Promise<JobRecord | undefined> {
  const [job] = await readJobs(access, [ref]);
  return job;
}

/** Returns the existing ones of these jobs without their artifacts, strongly consistent. Throws if one of them cannot be read. */
export async function readJobs(access: TableAccess, refs: readonly JobRef[]): Promise<readonly JobRecord[]> {
  const { states, specOf } = await itemsOf(access, refs);
  return states.map((state) => jobOf(state, specOf(state)));
}

/** Does the same, but sets those apart that cannot be read. */
export async function readSomeJobs(access: TableAccess, refs: readonly JobRef[]): Promise<ReturnType<typeof separated<JobRecord>>> {
  const { states, specOf } = await itemsOf(access, refs);
  return separated("job", states, (state) => jobOf(state, specOf(state)));
}

async function itemsOf(access: TableAccess, refs: readonly JobRef[]) {
  const keys = refs.flatMap((ref) => [jobKey(ref), specKey(ref)]);
  const items: Item[] = [];
  for (let from = 0; from < keys.length; from += maxKeys) items.push(...(await getItems(access, keys.slice(from, from + maxKeys))));
  const specs = new Map(items.filter(({ sk }) => sk === "SPEC").map((item) => [item["pk"], item]));
  return { states: items.filter(({ sk }) => sk === "STATE"), specOf: (state: Item): Item | undefined => specs.get(state["pk"]) };
}

/** A job's new state, and what its attempt reported with it. */
type NewState = Parameters<typeof attemptNews>[0] & { readonly failure?: FailureCode | undefined };

/**
 * Returns the writes that bring a job to a new state. The first is the state's, with these conditions. The previous state's reason is
 * replaced, an end gets its time and its code, and if the job is on nodes, its attempt's record gets what happened.
 */
export function stateParts(
  job: Pick<Job, "team" | "job" | "state" | "attempt">,
  to: NewState,
  { atMs, also = [], when }: { atMs: number; also?: readonly Change[]; when: readonly Condition[] },
): Part[] {
  const ttl = isEnded(to.state) ? expiresAfter(atMs) : undefined;
  const ending = ttl === undefined ? [] : [set("endedAtMs", atMs), set("endCode", endCodeOf(to.state, to.failure)), set("ttl", ttl)];
  return [
    { kind: "update", key: jobKey(job), changes: [set("state", to.state), set("reason", to.reason), ...ending, ...also], when },
    ...(ttl === undefined ? [] : [{ kind: "update" as const, key: specKey(job), changes: [set("ttl", ttl)], when: [] }]),
    ...(job.state === "queued" ? [] : noteAttempt(job, attemptNews(to, atMs))),
  ];
}

/** Returns the write that keeps what was sealed of a job, as long as the job is kept. */
export const artifactsPart = (ref: JobRef, artifacts: ArtifactSummary, atMs: number): Part => ({
  kind: "put",
  item: { ...artifactsKey(ref), artifacts, ttl: expiresAfter(atMs) },
});

/** Returns a job with its artifacts, or undefined if there is none. */
export async function readWholeJob(access: TableAccess, ref: JobRef): Promise<Job | undefined> {
  const items = await getItems(access, [jobKey(ref), specKey(ref), artifactsKey(ref)]);
  const of = (sk: string): Item | undefined => items.find((item) => item["sk"] === sk);
  const state = of("STATE");
  if (!state) return undefined;
  const kept = of("ARTIFACTS");
  return { ...jobOf(state, of("SPEC")), ...(kept && stored(z.object({ artifacts: StoredSummary }), kept)) };
}

/** Changes for a job that is on no node any more. */
export const offNodes: readonly Change[] = [set("node", undefined), set("gang", undefined)];

/** Returns the write that takes a waiting job out of its pool's queue. */
export const leaveQueue = (job: Job): Part[] =>
  job.spec ? [{ kind: "delete", key: queueKey({ ...waiting({ ...job, spec: job.spec }), pool: job.pool }) }] : [];

/** Puts a job into its pool's queue as the given attempt. */
export const enqueue = (job: Job, as: { attempt: number; reason: string | undefined; notBeforeMs?: number | undefined }): Part[] =>
  job.spec ? [{ kind: "put", item: queueItem(job.pool, { ...waiting({ ...job, spec: job.spec }), ...as }) }] : [];
