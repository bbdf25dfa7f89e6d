import { isEnded, jobName } from "../../model/job.ts";
import type { Cancellations } from "../../ports/jobs.ts";
import type { TableAccess } from "./access.ts";
import { asRead } from "./as-read.ts";
import { is } from "./expression.ts";
import { newState, queueKeyOf, readJob } from "./job-item.ts";
import { jobKey } from "./keys.ts";
import { endSealing } from "./sealing.ts";
import { transact } from "./transaction.ts";

export const createCancellations = (access: TableAccess): Cancellations => ({
  cancel: (ref, { reason, atMs }) =>
    asRead(jobName(ref), async () => {
      const job = await readJob(access, ref);
      if (!job) return { kind: "unknown" };
      if (job.state === "cancelled") return { kind: "same", pool: job.pool };
      if (isEnded(job.state)) return { kind: "ended", state: job.state };
      const written = await transact(access, [
        {
          kind: "update",
          key: jobKey(job),
          changes: newState("cancelled", reason, atMs),
          when: [is("state", job.state), is("attempt", job.attempt)],
        },
        ...(job.state === "queued" ? [{ kind: "delete", key: queueKeyOf(job) } as const] : []),
        ...(job.state === "sealing" ? [endSealing(job)] : []),
      ]);
      return written === "done" ? { kind: "cancelled", pool: job.pool } : "changed";
    }),
});
