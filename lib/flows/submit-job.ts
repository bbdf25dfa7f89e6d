import type { Job, JobRecord } from "../model/job.ts";
import type { Pool } from "../model/pool.ts";
import type { Ports } from "../ports/ports.ts";
import { bodyHash } from "./job/body-hash.ts";
import { type JudgeDeps, judgeJob, whyTaken } from "./job/judge-job.ts";
import { readJob, type Unfit } from "./job/read-job.ts";
import { type Ringing, ring } from "./pool/ring.ts";

export type SubmitDeps = Ringing & JudgeDeps & Pick<Ports, "admissions">;

/** A message as it arrived from a team's queue. The team is the owner of the queue, never a value in the message. */
export type Submission = { readonly team: string; readonly messageId: string; readonly body: string; readonly sentAtMs: number };

/** What happened to a message. `same`: it was already known. `taken`: it was rejected because its id names another job. */
export type Submitted = { readonly kind: "queued" | "same" | "rejected"; readonly job: Job; readonly taken?: true };

/**
 * Turns a message into a job, once: repeated deliveries and repeated messages with one body result in the same job.
 * A job that cannot run is recorded as `rejected` with the reason, under its own id if that is free.
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
  const admitted = await deps.admissions.admit(queued, { maxQueued: pool.maxQueuedJobs });
  // Its own id stays free, so that it can be submitted later.
  if (admitted.kind === "full") return reject(deps, submission, { reason: whyFull(team, pool), body: spec });
  if (admitted.kind === "taken") return { ...(await reject(deps, submission, { reason: whyTaken(queued), body: spec })), taken: true };
  if (admitted.kind === "same") {
    await wakeAgain(deps, admitted.job);
    return { kind: "same", job: queued };
  }
  await ring(deps, queued.pool, "job");
  return { kind: "queued", job: queued };
}

const whyFull = (team: string, { name, maxQueuedJobs }: Pool): string =>
  `${maxQueuedJobs} jobs of team ${team} wait in pool ${name} already, which is the most that it takes (maxQueuedJobs); submit the job when some have begun, or end some with fleet purge`;

/**
 * Wakes the pool of a job that was already known, because an earlier delivery may have crashed before its ring, or between its ring and
 * its lane message. The tick sends such a message again, but not if the pool was idle and has been removed from the configuration since.
 */
async function wakeAgain({ bell, lane, fleet }: SubmitDeps, { state, pool }: Job): Promise<void> {
  if (state !== "queued") return;
  const { wasQuiet } = await bell.ring(pool, "job");
  if (wasQuiet || !fleet.pools.some(({ name }) => name === pool)) await lane.send(pool);
}

/** Records the rejection; under the message's own id if the job's is missing or in use. */
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
    endCode: "rejected",
    reason: refused.reason,
  };
  const admitted = await deps.admissions.admit(job);
  // It may have been accepted earlier, when less was known or the configuration was different. Then it waits, and only its pool can end it.
  if (admitted.kind === "same") await wakeAgain(deps, admitted.job);
  if (admitted.kind !== "taken") return { kind: "rejected", job };
  const underMessageId = { ...job, job: submission.messageId };
  await deps.admissions.admit(underMessageId);
  return { kind: "rejected", job: underMessageId };
}
