import { FleetError } from "../../../model/fleet-error.ts";
import type { Admissions, Admitted } from "../../../ports/jobs.ts";
import type { TableAccess } from "../access.ts";
import { isAbsent } from "../expression.ts";
import { admitParts, enqueue, readJob } from "../items/job-item.ts";
import { countQueued } from "../items/queues-item.ts";
import { transact } from "../transaction.ts";
import { createDayNotes } from "./days.ts";

export const createAdmissions = (access: TableAccess): Admissions => {
  const noteDay = createDayNotes(access);
  return {
    async admit(job, { maxQueued } = {}) {
      const known = async (): Promise<Admitted | undefined> => {
        const there = await readJob(access, job);
        return there && (there.bodyHash === job.bodyHash ? { kind: "same", job: there } : { kind: "taken" });
      };
      const waits = job.state === "queued";
      // The queue must be known to decisions before the job is in it.
      if (waits && !(await countQueued(access, { ...job, most: maxQueued }))) return (await known()) ?? { kind: "full" };
      // Lists must know the day before the job is in the index.
      await noteDay(job);
      const entry = waits ? enqueue(job, { attempt: job.attempt, reason: job.reason }) : [];
      const written = await transact(access, [...admitParts(job, isAbsent("pk")), ...entry]);
      if (written === "done") return { kind: "created" };
      const there = await known();
      if (!there) throw new FleetError("table", `${job.team}/${job.job} disappeared while it was admitted`, { retry: true });
      return there;
    },
  };
};
