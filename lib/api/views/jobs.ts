import * as z from "zod";
import { JobId, PoolName, TeamName } from "../../../events/names.ts";
import { StoredSpec } from "../../../events/stored-spec.ts";
import { type Job, jobStates } from "../../model/job.ts";
import { endCodes } from "../../model/values/job-end.ts";
import { Count, Cursor, Time } from "./fields.ts";
import { iso, isoIf } from "./times.ts";

const jobFacts = {
  team: TeamName,
  job: JobId,
  pool: PoolName,
  state: z.enum(jobStates),
  attempt: z.int().min(1).describe("The number of the current attempt, or of the next one if none runs"),
  failures: Count.describe("Attempts that failed by the job's own fault"),
  submittedAt: Time,
  startedAt: Time.optional().describe("When the job's first attempt started its program"),
  endedAt: Time.optional(),
  endCode: z.enum(endCodes).optional().describe("Why it ended; omitted until then"),
  node: z.string().optional().describe("The node that holds the job, or a gang's first member"),
  gang: z.array(z.string()).optional().describe("The nodes of a gang, by rank"),
  exitCode: z.int().optional(),
  reason: z.string().optional().describe("Why it is in this state"),
};

/** A job in a list, without its spec and its artifacts. */
export const JobSummary = z.object(jobFacts).meta({ id: "JobSummary" });
export type JobSummary = z.infer<typeof JobSummary>;

const Artifacts = z
  .object({
    files: Count,
    bytes: Count.describe("Total size of the files' plaintext"),
    leftOut: Count.describe("Entries that cannot be kept, such as sockets, or that are over a limit"),
    missing: z.array(z.string()).describe("The first 20 of the job's artifact names that matched nothing"),
    lost: Count.describe("Files that were uploaded and could not be sealed"),
  })
  .meta({ id: "Artifacts" });

export const JobView = z
  .object({
    ...jobFacts,
    spec: StoredSpec.optional().describe("Omitted if the job's message could not be read"),
    artifacts: Artifacts.optional().describe("The artifacts of the attempt that ended the job; omitted until then"),
  })
  .meta({ id: "Job" });
export type JobView = z.infer<typeof JobView>;

/** Newest first. */
export const JobPage = z.object({ items: z.array(JobSummary), cursor: Cursor.optional() }).meta({ id: "JobPage" });
export type JobPage = z.infer<typeof JobPage>;

/** Whether jobs would be accepted, in the order of the request. */
export const CheckedJobs = z
  .object({
    items: z.array(
      z.object({
        accepted: z.boolean(),
        pool: PoolName.optional().describe("The pool that the job would wait in"),
        because: z.string().optional().describe("Why the job would be refused"),
      }),
    ),
  })
  .meta({ id: "CheckedJobs" });
export type CheckedJobs = z.infer<typeof CheckedJobs>;

/** The outcomes of cancelling jobs, in the order of the request. */
export const CancelledJobs = z
  .object({
    items: z.array(
      z.object({
        job: JobId,
        outcome: z
          .enum(["cancelled", "same", "ended", "spared", "unknown", "failed"])
          .describe(
            "same: it was cancelled before; ended: it had already ended otherwise; spared: it is in a state that was not named; " +
              "unknown: there is no such job; failed: it could not be cancelled, and trying again may help",
          ),
        state: z.enum(jobStates).optional().describe("The state of a job that had ended or was spared"),
        because: z.string().optional().describe("Why cancelling failed"),
      }),
    ),
  })
  .meta({ id: "CancelledJobs" });
export type CancelledJobs = z.infer<typeof CancelledJobs>;

export const jobSummary = (job: Job): JobSummary => ({
  team: job.team,
  job: job.job,
  pool: job.pool,
  state: job.state,
  attempt: job.attempt,
  failures: job.failures,
  submittedAt: iso(job.submittedAtMs),
  startedAt: isoIf(job.startedAtMs),
  endedAt: isoIf(job.endedAtMs),
  endCode: job.endCode,
  node: job.node,
  gang: job.gang && [...job.gang],
  exitCode: job.exitCode,
  reason: job.reason,
});

export const jobView = (job: Job): JobView => ({
  ...jobSummary(job),
  spec: job.spec,
  artifacts: job.artifacts && { ...job.artifacts, missing: [...job.artifacts.missing] },
});
