import { jobName } from "../../../model/job.ts";
import type { JobLookup } from "../../../ports/jobs.ts";
import type { TableAccess } from "../access.ts";
import { readJobs } from "../items/job-item.ts";

export const createJobLookup = (access: TableAccess): JobLookup => ({
  find: async (refs) => new Map((await readJobs(access, refs)).map((job) => [jobName(job), job])),
});
