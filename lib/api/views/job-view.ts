import type { Job as Known } from "../../model/job.ts";
import { iso, isoIf } from "./times.ts";
import type { Job, JobSummary } from "./views.ts";

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
