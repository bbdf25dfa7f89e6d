import * as z from "zod";
import { JobId, JobMessage, maxJobBytes, specOf } from "../../events/job.ts";
import { choosePool, whyRejected } from "../decide/admission/admit.ts";
import { type Found, whyNoData } from "../decide/shards/usable.ts";
import type { DatasetUse } from "../model/dataset.ts";
import type { Job, JobSpec } from "../model/job.ts";
import { type ConfiguredLimits, widerLimits } from "../model/limits.ts";
import type { Pool } from "../model/pool.ts";
import type { DatasetReader } from "../ports/datasets.ts";
import type { Admissions } from "../ports/jobs.ts";
import type { CatalogueStore } from "../ports/pool-ledger.ts";
import { bodyHash } from "./body-hash.ts";
import { type Ringing, ring } from "./ring.ts";

export type SubmitDeps = Ringing & {
  readonly admissions: Admissions;
  readonly catalogues: CatalogueStore;
  readonly datasets: DatasetReader;
  readonly fleet: { readonly pools: readonly Pool[]; readonly defaultPool: string } & ConfiguredLimits;
};

/** A message as it came from a team's queue. The team is the queue's, never the message's word. */
export type Submission = { readonly team: string; readonly messageId: string; readonly body: string; readonly sentAtMs: number };

/** What became of a message; `same`: it was known already. `taken`: it was rejected because its id names another job. */
export type Submitted = { readonly kind: "queued" | "same" | "rejected"; readonly job: Job; readonly taken?: true };

/**
 * Turns a message into a job, once: repeated delivery and repeated sending of one body end in the same job.
 * What cannot run is recorded as `rejected` with the reason, under its own name if that is free.
 */
export async function submitJob(deps: SubmitDeps, submission: Submission): Promise<Submitted> {
  const read = readMessage(submission.body);
  if ("rejected" in read) return reject(deps, submission, read);
  const { message } = read;
  const spec = specOf(message);
  const job = message.id ?? submission.messageId;
  const chosen = choosePool({ team: submission.team, spec }, deps.fleet);
  if ("rejected" in chosen) return reject(deps, submission, { rejected: chosen.rejected, id: job, value: spec });
  const beyond = { team: submission.team, limits: widerLimits(deps.fleet) };
  const why = whyRejected(spec, chosen.pool, await deps.catalogues.get(chosen.pool.name), beyond);
  if (why) return reject(deps, submission, { rejected: why, id: job, value: spec });
  const noData = await whyNoDataFor(deps, submission.team, spec);
  if (noData !== undefined) return reject(deps, submission, { rejected: noData, id: job, value: spec });

  const queued: Job = {
    team: submission.team,
    job,
    pool: chosen.pool.name,
    state: "queued",
    spec,
    bodyHash: bodyHash(spec),
    attempt: 1,
    failures: 0,
    submittedAtMs: submission.sentAtMs,
  };
  const admitted = await deps.admissions.admit(queued);
  if (admitted.kind === "taken") {
    const rejected = `the id ${job} already names another job of team ${submission.team} with a different body; choose a new id`;
    return { ...(await reject(deps, submission, { rejected, value: spec })), taken: true };
  }
  if (admitted.kind === "same") {
    await wakeAgain(deps, admitted.job);
    return { kind: "same", job: queued };
  }
  await ring(deps, queued.pool, "job");
  return { kind: "queued", job: queued };
}

/**
 * Whoever wrote the job may have died before its ring, or between its ring and its lane message. The tick sends that again, but
 * not where the pool has been taken out of the configuration since and was at rest: nobody else looks after it.
 */
async function wakeAgain({ bell, lane, fleet }: SubmitDeps, { state, pool }: Job): Promise<void> {
  if (state !== "queued") return;
  const { wasQuiet } = await bell.ring(pool, "job");
  if (wasQuiet || !fleet.pools.some(({ name }) => name === pool)) await lane.send(pool);
}

async function whyNoDataFor({ datasets }: SubmitDeps, team: string, spec: JobSpec): Promise<string | undefined> {
  const look = async (use: DatasetUse): Promise<Found> => ({ use, dataset: await datasets.get({ team, dataset: use.name }) });
  return whyNoData(team, await Promise.all(spec.datasets.map(look)));
}

/** `value`: what the refused body's hash is taken of; a spec where there is one, as for a job that is taken, so that both are the same body. */
type Unreadable = { readonly rejected: string; readonly id?: string | undefined; readonly value: unknown };

function readMessage(body: string): { readonly message: JobMessage } | Unreadable {
  const bytes = Buffer.byteLength(body);
  if (bytes > maxJobBytes)
    return {
      rejected: `the message has ${bytes} bytes and ${maxJobBytes} are allowed; put data on S3 and name it in "code" or "env"`,
      value: body,
    };
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    return { rejected: `the message is not JSON: ${error instanceof Error ? error.message : String(error)}`, value: body };
  }
  const parsed = JobMessage.safeParse(value);
  if (parsed.success) return { message: parsed.data };
  const id = z.object({ id: JobId }).safeParse(value);
  // The body as it came: a value that nobody has checked may be nested deeper than a walk through it can go.
  return { rejected: inShort(parsed.error.issues.map(inWords)), id: id.success ? id.data.id : undefined, value: body };
}

const inShort = (reasons: readonly string[]): string =>
  reasons.length <= 10 ? reasons.join("; ") : `${reasons.slice(0, 10).join("; ")}; and ${reasons.length - 10} more`;
const inWords = (issue: z.core.$ZodIssue): string => (issue.path.length > 0 ? `${issue.path.join(".")}: ${issue.message}` : issue.message);

/** Records the refusal under the message's own id where the job's is missing or in use. */
async function reject(deps: SubmitDeps, submission: Submission, refused: Unreadable): Promise<Submitted> {
  const job: Job = {
    team: submission.team,
    job: refused.id ?? submission.messageId,
    pool: deps.fleet.defaultPool,
    state: "rejected",
    bodyHash: bodyHash(refused.value),
    attempt: 1,
    failures: 0,
    submittedAtMs: submission.sentAtMs,
    endedAtMs: submission.sentAtMs,
    reason: refused.rejected,
  };
  const admitted = await deps.admissions.admit(job);
  // It may have been taken when less was known, or the configuration was another: then it waits, and only its pool can end it.
  if (admitted.kind === "same") await wakeAgain(deps, admitted.job);
  if (admitted.kind !== "taken") return { kind: "rejected", job };
  const underMessageId = { ...job, job: submission.messageId };
  await deps.admissions.admit(underMessageId);
  return { kind: "rejected", job: underMessageId };
}
