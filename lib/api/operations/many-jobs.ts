import * as z from "zod";
import { JobId } from "../../../events/names.ts";
import { cancelJobs } from "../../flows/cancel-job.ts";
import { checkJobs } from "../../flows/check-jobs.ts";
import { inWords } from "../../model/errors/in-words.ts";
import { jobStates } from "../../model/job.ts";
import { type Operation, operation } from "../http/operation.ts";
import { success } from "../http/response.ts";
import { CancelledJobs, CheckedJobs } from "../views/jobs.ts";
import { Reason } from "./jobs.ts";
import { noQuery, ofTeam } from "./path.ts";

const Messages = z
  .strictObject({
    jobs: z.array(z.unknown()).min(1).max(100).describe("Job messages in the form that submitJob accepts; each is checked separately"),
  })
  .meta({ id: "JobMessages" });

const check = operation({
  id: "checkJobs",
  method: "post",
  path: "/teams/{team}/jobs/check",
  summary: "Checks whether each of up to 100 jobs would be accepted, with the reason if not; nothing is submitted",
  params: ofTeam,
  query: noQuery,
  body: { schema: Messages, maxBytes: 2_000_000, optional: false },
  responses: { schema: CheckedJobs, statuses: { 200: "One verdict per job, in the same order" } },
  problems: ["not-found", "too-large", "media-type"],
  async handle(deps, { params, body }) {
    const verdicts = await checkJobs(deps, params.team, body.jobs);
    return success({
      items: verdicts.map((verdict) =>
        verdict.kind === "accepted" ? { accepted: true, pool: verdict.pool } : { accepted: false, because: verdict.because },
      ),
    });
  },
});

const Many = z
  .strictObject({
    jobs: z.array(JobId).min(1).max(100),
    reason: Reason.optional(),
    states: z
      .array(z.enum(jobStates))
      .min(1)
      .max(jobStates.length)
      .optional()
      .describe("Cancel only jobs that are in one of these states; jobs in any state if omitted"),
  })
  .meta({ id: "Cancellations" });

const cancelMany = operation({
  id: "cancelJobs",
  method: "post",
  path: "/teams/{team}/jobs/cancel",
  summary: "Cancels up to 100 jobs. One that cannot be cancelled does not affect the others; repeating the call is harmless",
  params: ofTeam,
  query: noQuery,
  body: { schema: Many, maxBytes: 32_768, optional: false },
  responses: { schema: CancelledJobs, statuses: { 200: "One outcome per job, in the same order" } },
  problems: ["not-found", "too-large", "media-type"],
  async handle(deps, { params: { team }, body }) {
    const { jobs, reason = "cancelled by its team", states } = body;
    const refs = jobs.map((job) => ({ team, job }));
    const outcomes = await cancelJobs(deps, refs, { reason, states });
    return success({
      items: outcomes.map((outcome, index) => ({
        job: jobs[index] ?? "",
        outcome: outcome.kind,
        ...("state" in outcome && { state: outcome.state }),
        ...("error" in outcome && { because: inWords(outcome.error) }),
      })),
    });
  },
});

export const manyJobOperations: readonly Operation[] = [check, cancelMany];
