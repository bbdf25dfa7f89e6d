import * as z from "zod";
import { JobId, PoolName, StoredSpec, TeamName } from "../../../events/job.ts";
import { jobStates, type Job as Known } from "../../model/job.ts";
import { Count, Cursor, Time } from "./fields.ts";
import { iso, isoIf } from "./times.ts";

const jobFacts = {
  team: TeamName,
  job: JobId,
  pool: PoolName,
  state: z.enum(jobStates),
  attempt: z.int().min(1).describe("The run under way, or the next one"),
  failures: Count.describe("Runs that ended by the job's own fault"),
  submittedAt: Time,
  startedAt: Time.optional().describe("When the first program of its first run started"),
  endedAt: Time.optional(),
  node: z.string().optional().describe("The node that holds it, of a gang the first member's"),
  gang: z.array(z.string()).optional().describe("The nodes of a gang, by rank"),
  exitCode: z.int().optional(),
  reason: z.string().optional().describe("Why it is in this state"),
};

/** A job in a list: without what it asked for and what it left. */
export const JobSummary = z.object(jobFacts).meta({ id: "JobSummary" });
export type JobSummary = z.infer<typeof JobSummary>;

const Artifacts = z
  .object({
    files: Count,
    bytes: Count.describe("Of the plaintext, all files together"),
    leftOut: Count.describe("Entries that cannot be kept, such as sockets, or that are over a limit"),
    missing: z.array(z.string()).describe("Names of the job's artifacts that matched nothing; the first 20"),
    lost: Count.describe("Files that were uploaded and could not be sealed"),
  })
  .meta({ id: "Artifacts" });

export const Job = z
  .object({
    ...jobFacts,
    spec: StoredSpec.optional().describe("Absent for a message that could not be read"),
    artifacts: Artifacts.optional().describe("What was kept of the attempt that ended it; absent before"),
  })
  .meta({ id: "Job" });
export type Job = z.infer<typeof Job>;

/** Newest first. */
export const JobPage = z.object({ items: z.array(JobSummary), cursor: Cursor.optional() }).meta({ id: "JobPage" });
export type JobPage = z.infer<typeof JobPage>;

/** Whether jobs would be taken, in the order in which they were given. */
export const CheckedJobs = z
  .object({
    items: z.array(
      z.object({
        accepted: z.boolean(),
        pool: PoolName.optional().describe("Where it would go"),
        because: z.string().optional().describe("Why it would be refused"),
      }),
    ),
  })
  .meta({ id: "CheckedJobs" });
export type CheckedJobs = z.infer<typeof CheckedJobs>;

/** What became of jobs that were to be cancelled, in the order in which they were named. */
export const CancelledJobs = z
  .object({
    items: z.array(
      z.object({
        job: JobId,
        outcome: z
          .enum(["cancelled", "same", "ended", "spared", "unknown", "failed"])
          .describe(
            "same: it was cancelled before; ended: it had ended otherwise; spared: it is in a state that was not asked for; " +
              "unknown: there is no such job; failed: it could not be done just now, and trying again may do",
          ),
        state: z.enum(jobStates).optional().describe("Of a job that ended or was spared"),
        because: z.string().optional().describe("Why it failed"),
      }),
    ),
  })
  .meta({ id: "CancelledJobs" });
export type CancelledJobs = z.infer<typeof CancelledJobs>;

export const jobSummary = (job: Known): JobSummary => ({
  team: job.team,
  job: job.job,
  pool: job.pool,
  state: job.state,
  attempt: job.attempt,
  failures: job.failures,
  submittedAt: iso(job.submittedAtMs),
  startedAt: isoIf(job.startedAtMs),
  endedAt: isoIf(job.endedAtMs),
  node: job.node,
  gang: job.gang && [...job.gang],
  exitCode: job.exitCode,
  reason: job.reason,
});

export const jobView = (job: Known): Job => ({
  ...jobSummary(job),
  spec: job.spec,
  artifacts: job.artifacts && { ...job.artifacts, missing: [...job.artifacts.missing] },
});
