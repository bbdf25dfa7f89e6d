import { FleetError } from "../../../model/fleet-error.ts";
import type { Admissions } from "../../../ports/jobs.ts";
import type { TableAccess } from "../access.ts";
import { isAbsent } from "../expression.ts";
import { admitParts, enqueue, readJob } from "../items/job-item.ts";
import { transact } from "../transaction.ts";

export const createAdmissions = (access: TableAccess): Admissions => ({
  async admit(job) {
    const entry = job.state === "queued" ? enqueue(job, { attempt: job.attempt, reason: job.reason }) : [];
    const written = await transact(access, [...admitParts(job, isAbsent("pk")), ...entry]);
    if (written === "done") return { kind: "created" };
    const there = await readJob(access, job);
    if (!there) throw new FleetError("table", `${job.team}/${job.job} disappeared while it was admitted`, { retry: true });
    return there.bodyHash === job.bodyHash ? { kind: "same", job: there } : { kind: "taken" };
  },
});
