import pMap from "p-map";
import * as z from "zod";
import { JobMessage, maxJobBytes } from "../../../events/job.ts";
import { PoolName } from "../../../events/names.ts";
import { holdersOf, reasonOf } from "../../decide/health/waits-for-proof.ts";
import { cancelJob, requeueJob } from "../../flows/cancel-job.ts";
import { submitJob } from "../../flows/submit-job.ts";
import { type JobRef, jobStates, maxAttempt } from "../../model/job.ts";
import { deadQueues } from "../../model/letters/dead-letter.ts";
import type { ApiDeps } from "../http/deps.ts";
import { noBody, type Operation, operation } from "../http/operation.ts";
import { type ApiResponse, type ProblemResponse, problem, success } from "../http/response.ts";
import { AttemptPageView, attemptView } from "../views/attempts.ts";
import { JobPage, JobView, jobSummary, jobView } from "../views/jobs.ts";
import { cursor, limitOf, noQuery, ofJob, ofTeam } from "./path.ts";

const submit = operation({
  id: "submitJob",
  method: "post",
  path: "/teams/{team}/jobs",
  summary: "Submits a job; the same body with the same id is the same job, so a call without a response can be repeated",
  params: ofTeam,
  query: noQuery,
  body: { schema: JobMessage.meta({ id: "JobMessage" }), maxBytes: maxJobBytes, optional: false },
  responses: { schema: JobView, statuses: { 200: "The job was submitted before", 201: "The job is queued" } },
  problems: ["not-found", "conflict", "too-large", "media-type", "rejected"],
  async handle(deps, { params, text, requestId }) {
    const submission = { team: params.team, messageId: requestId, body: text, sentAtMs: deps.now() };
    const { kind, job, taken } = await submitJob(deps, submission);
    switch (kind) {
      case "queued":
        return success(jobView(job), 201);
      case "same":
        return success(jobView((await deps.sealing.get(job)) ?? job));
      case "rejected":
        return problem(taken ? "conflict" : "rejected", job.reason ?? "The job cannot run here.", { job: job.job });
    }
  },
});

const States = z
  .string()
  .max(200)
  .transform((text) => text.split(","))
  .pipe(z.array(z.enum(jobStates)).min(1));
const NamePattern = z.string().regex(/^[A-Za-z0-9._*?-]{1,100}$/, "must be 1 to 100 of A-Z, a-z, 0-9, ., _, -, * and ?");
const Time = z.iso.datetime({ offset: true });

const msOf = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time));

const list = operation({
  id: "listJobs",
  method: "get",
  path: "/teams/{team}/jobs",
  summary: "Lists a team's jobs, newest first; a filtered page may be short or empty and still have a next page",
  params: ofTeam,
  query: z.strictObject({
    state: States.optional().describe("Only jobs in one of these states, separated by commas"),
    name: NamePattern.optional().describe("Only jobs whose id matches this pattern: * matches any characters, ? matches one"),
    pool: PoolName.optional(),
    since: Time.optional().describe("Only jobs submitted at this time or later"),
    before: Time.optional().describe("Only jobs submitted before this time"),
    limit: limitOf(1000, 20),
    cursor,
  }),
  body: noBody,
  responses: { schema: JobPage, statuses: { 200: "A page of jobs" } },
  problems: ["not-found", "cursor"],
  async handle(deps, { params, query: { state: states, since, before, ...query } }) {
    const times = { sinceMs: msOf(since), beforeMs: msOf(before) };
    const page = await deps.jobReader.list({ team: params.team, ...query, ...times, states });
    return success({ items: page.jobs.map(jobSummary), cursor: page.cursor });
  },
});

const get = operation({
  id: "getJob",
  method: "get",
  path: "/teams/{team}/jobs/{job}",
  summary: "Returns a job's current state",
  params: ofJob,
  query: noQuery,
  body: noBody,
  responses: { schema: JobView, statuses: { 200: "The job" } },
  problems: ["not-found"],
  handle: (deps, { params }) => asItIs(deps, params),
});

const attempts = operation({
  id: "listAttempts",
  method: "get",
  path: "/teams/{team}/jobs/{job}/attempts",
  summary: "Lists a job's attempts, newest first: where each ran, why it ended and what it cost; kept for 30 days after its end",
  params: ofJob,
  query: z.strictObject({ limit: limitOf(100, 20), cursor }),
  body: noBody,
  responses: { schema: AttemptPageView, statuses: { 200: "A page of attempts" } },
  problems: ["not-found", "cursor"],
  async handle(deps, { params, query }) {
    if (query.cursor !== undefined && !/^[1-9][0-9]{0,14}$/.test(query.cursor)) return problem("cursor", "The cursor is invalid.");
    const from = query.cursor === undefined ? undefined : Number(query.cursor);
    const page = await deps.jobReader.attempts({ ...params, limit: query.limit, before: from });
    if (page.attempts.length === 0 && !(await deps.sealing.get(params))) return noJob(params);
    const nowMs = deps.now();
    return success({ items: page.attempts.map((attempt) => attemptView(attempt, nowMs)), cursor: page.before?.toString() });
  },
});

/** The reason for a cancellation, as the caller gives it. */
export const Reason = z.string().trim().min(1).max(500);

const cancel = operation({
  id: "cancelJob",
  method: "post",
  path: "/teams/{team}/jobs/{job}/cancel",
  summary: "Cancels a job in any state before its end; repeating the call is harmless",
  params: ofJob,
  query: noQuery,
  body: { schema: z.strictObject({ reason: Reason.optional() }).meta({ id: "Cancellation" }), maxBytes: 4096, optional: true },
  responses: { schema: JobView, statuses: { 200: "The job is cancelled; its running attempt is being stopped" } },
  problems: ["not-found", "conflict", "too-large", "media-type"],
  async handle(deps, { params, body }) {
    const outcome = await cancelJob(deps, params, body.reason ?? "cancelled by its team");
    switch (outcome.kind) {
      case "cancelled":
      case "same":
        return asItIs(deps, params);
      case "ended":
        return problem("conflict", `The job has already ended: it is ${outcome.state}.`);
      case "unknown":
        return noJob(params);
    }
  },
});

const requeue = operation({
  id: "requeueJob",
  method: "post",
  path: "/teams/{team}/jobs/{job}/requeue",
  summary:
    "Stops a job's run and queues the job again; the run counts as interrupted, not as failed; name the attempt to be able to repeat the call",
  params: ofJob,
  query: noQuery,
  body: {
    schema: z.strictObject({
      reason: Reason.optional(),
      attempt: z.int().min(1).max(maxAttempt).optional().describe("Stop only this attempt; whichever runs if omitted"),
    }),
    maxBytes: 4096,
    optional: true,
  },
  responses: { schema: JobView, statuses: { 200: "The run is being stopped; the job waits again when its worker has reported that" } },
  problems: ["not-found", "conflict", "too-large", "media-type"],
  async handle(deps, { params, body }) {
    const outcome = await requeueJob(deps, { ...params, attempt: body.attempt }, body.reason ?? "queued again by its team");
    switch (outcome.kind) {
      case "evicting":
        return asItIs(deps, params);
      case "off":
        return problem("conflict", `The job is not running: it is ${outcome.state}.`);
      case "passed":
        return problem("conflict", `Attempt ${body.attempt} is over; the job is on attempt ${outcome.attempt}.`);
      case "unknown":
        return noJob(params);
    }
  },
});

async function asItIs(deps: ApiDeps, ref: JobRef): Promise<ApiResponse<JobView>> {
  const job = await deps.sealing.get(ref);
  if (!job) return noJob(ref, await lettersOf(deps, ref.team));
  const holders = await pMap(holdersOf(job), (id) => deps.nodeReader.find(id), { concurrency: 8 });
  const known = holders.flatMap((node) => node ?? []);
  return success(jobView({ ...job, reason: reasonOf(job, known, deps.now()) }));
}

/** Returns how many messages of a team could not be handled, so that their jobs do not exist; 0 if that cannot be found out. */
async function lettersOf({ deadLetters, log }: ApiDeps, team: string): Promise<number> {
  const [queue] = deadQueues([team]);
  if (queue?.team !== team) return 0;
  try {
    return (await deadLetters.count(queue)) ?? 0;
  } catch (error) {
    log({ level: "error", message: "dead letters not counted", team, error });
    return 0;
  }
}

export function noJob({ team, job }: JobRef, letters = 0): ProblemResponse {
  const unhandled = ` ${letters} of its messages could not be handled, and one may be about it; an admin can look at the dead letters.`;
  return problem("not-found", `The team ${team} has no job ${job}.${letters > 0 ? unhandled : ""}`);
}

export const jobOperations: readonly Operation[] = [submit, list, get, attempts, cancel, requeue];
