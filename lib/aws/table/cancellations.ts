import { isEnded, type Job, jobName } from "../../model/job.ts";
import type { Cancellations } from "../../ports/jobs.ts";
import type { TableAccess } from "./access.ts";
import { asRead } from "./as-read.ts";
import { is } from "./expression.ts";
import { newState, queueKeyOf, readJob } from "./job-item.ts";
import { jobKey } from "./keys.ts";
import { type Part, transact } from "./transaction.ts";

type By = Parameters<Cancellations["cancel"]>[1];

export const createCancellations = (access: TableAccess): Cancellations => ({
  cancel: (ref, by) =>
    asRead(jobName(ref), async () => {
      const job = await readJob(access, ref);
      if (!job) return { kind: "unknown" };
      if (job.state === "cancelled") return { kind: "same", pool: job.pool };
      if (isEnded(job.state)) return { kind: "ended", state: job.state };
      const written = await transact(access, cancelParts(job, by));
      return written === "done" ? { kind: "cancelled", pool: job.pool } : "changed";
    }),
});

/** Nothing else may have moved the job since it was read. What of it waits to be sealed goes on waiting. */
const cancelParts = (job: Job, { reason, atMs }: By): Part[] => [
  {
    kind: "update",
    key: jobKey(job),
    changes: newState("cancelled", reason, atMs),
    when: [is("state", job.state), is("attempt", job.attempt), is("pool", job.pool)],
  },
  ...(job.state === "queued" ? [{ kind: "delete", key: queueKeyOf(job) } as const] : []),
];
