import type { Job, JobRecord } from "../model/job.ts";
import type { Admissions } from "../ports/jobs.ts";
import { bodyHash } from "./job/body-hash.ts";
import { type JudgeDeps, judgeJob, whyTaken } from "./job/judge-job.ts";
import { readJob, type Unfit } from "./job/read-job.ts";
import { type Ringing, ring } from "./pool/ring.ts";

export type SubmitDeps = Ringing & JudgeDeps & { readonly admissions: Admissions };

/** A message as it came from a team's queue. The team is the queue's, never the message's word. */
export type Submission = { readonly team: string; readonly messageId: string; readonly body: string; readonly sentAtMs: number };

/** What became of a message; `same`: it was known already. `taken`: it was rejected because its id names another job. */
export type Submitted = { readonly kind: "queued" | "same" | "rejected"; readonly job: Job; readonly taken?: true };

/**
 * Turns a message into a job, once: repeated delivery and repeated sending of one body end in the same job.
 * What cannot run is recorded as `rejected` with the reason, under its own name if that is free.
 */
export async function submitJob(deps: SubmitDeps, submission: Submission): Promise<Submitted> {
  const { team, messageId, body, sentAtMs } = submission;
  const judged = await judgeJob(deps, team, readJob(body));
  if (judged.kind === "unfit") return reject(deps, submission, judged);
  const { spec, pool, id: job = messageId } = judged;
  const queued: JobRecord = {
    team,
    job,
    pool: pool.name,
    state: "queued",
    spec,
    bodyHash: bodyHash(spec),
    attempt: 1,
    failures: 0,
    submittedAtMs: sentAtMs,
  };
  const admitted = await deps.admissions.admit(queued);
  if (admitted.kind === "taken") return { ...(await reject(deps, submission, { because: whyTaken(queued), body: spec })), taken: true };
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

/** Records the refusal under the message's own id where the job's is missing or in use. */
async function reject(deps: SubmitDeps, submission: Submission, refused: Omit<Unfit, "kind">): Promise<Submitted> {
  const job: JobRecord = {
    team: submission.team,
    job: refused.id ?? submission.messageId,
    pool: deps.fleet.defaultPool,
    state: "rejected",
    bodyHash: bodyHash(refused.body),
    attempt: 1,
    failures: 0,
    submittedAtMs: submission.sentAtMs,
    endedAtMs: submission.sentAtMs,
    reason: refused.because,
  };
  const admitted = await deps.admissions.admit(job);
  // It may have been taken when less was known, or the configuration was another: then it waits, and only its pool can end it.
  if (admitted.kind === "same") await wakeAgain(deps, admitted.job);
  if (admitted.kind !== "taken") return { kind: "rejected", job };
  const underMessageId = { ...job, job: submission.messageId };
  await deps.admissions.admit(underMessageId);
  return { kind: "rejected", job: underMessageId };
}
