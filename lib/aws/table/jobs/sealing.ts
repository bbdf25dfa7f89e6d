import * as z from "zod";
import type { AttemptRef, JobState } from "../../../model/job.ts";
import type { FailureCode } from "../../../model/values/job-end.ts";
import type { Sealed, Sealing } from "../../../ports/jobs.ts";
import { getPartition, type TableAccess, tryUpdate } from "../access.ts";
import { either, is, isAbsent, isBelow, isThere, set } from "../expression.ts";
import { artifactsPart, offNodes, readJob, readWholeJob, stateParts } from "../items/job-item.ts";
import { jobKey, sealingKey, sealingPartition } from "../keys.ts";
import { separated, stored } from "../stored.ts";
import { type Part, transact } from "../transaction.ts";

const StoredWait = z.object({
  team: z.string(),
  job: z.string(),
  attempt: z.int().min(1),
  sinceMs: z.number(),
  lastAtMs: z.number().optional(),
});

/**
 * Returns the write that notes that an attempt waits to be sealed, so that a sweep finds it if its event is lost. Only sealing removes the
 * note: what an attempt uploaded is kept even if its job is queued again, fails or is cancelled before.
 */
export const beginSealing = ({ team, job, attempt }: AttemptRef, sinceMs: number): Part => ({
  kind: "put",
  item: { ...sealingKey({ team, job, attempt }), team, job, attempt, sinceMs },
});
const endSealing = (attempt: AttemptRef): Part => ({ kind: "delete", key: sealingKey(attempt) });

export const createSealing = (access: TableAccess): Sealing => {
  const end = async (
    attempt: AttemptRef,
    to: Sealed & { readonly state: JobState; readonly failure?: FailureCode },
    atMs: number,
  ): Promise<"done" | "stale"> => {
    const when = [is("state", "sealing"), is("attempt", attempt.attempt)];
    const written = await transact(access, [
      ...stateParts({ ...attempt, state: "sealing" }, to, { atMs, also: offNodes, when }),
      ...(to.artifacts ? [artifactsPart(attempt, to.artifacts, atMs)] : []),
      endSealing(attempt),
    ]);
    if (written === "done") return "done";
    const job = await readJob(access, attempt);
    return job?.attempt === attempt.attempt && job.state === to.state && job.reason === to.reason ? "done" : "stale";
  };

  return {
    get: (ref) => readWholeJob(access, ref),
    succeed: (attempt, to, atMs) => end(attempt, { ...to, state: "succeeded" }, atMs),
    fail: (attempt, to, atMs) => end(attempt, { ...to, state: "failed" }, atMs),
    async over(attempt) {
      await transact(access, [endSealing(attempt)]);
    },
    async waitingSince(beforeMs) {
      const waits = separated("upload", await getPartition(access, sealingPartition), (item) => stored(StoredWait, item)).read;
      return waits
        .filter(({ sinceMs, lastAtMs }) => Math.max(sinceMs, lastAtMs ?? 0) < beforeMs)
        .toSorted((a, b) => a.sinceMs - b.sinceMs)
        .map(({ team, job, attempt }) => ({ team, job, attempt }));
    },
    async claimAgain(attempt, { beforeMs, atMs }) {
      const when = [isBelow("sinceMs", beforeMs), either(isAbsent("lastAtMs"), isBelow("lastAtMs", beforeMs))];
      return (await tryUpdate(access, sealingKey(attempt), { changes: [set("lastAtMs", atMs)], when })) !== undefined;
    },
    async failedNow(attempt, { reason, atMs }) {
      await tryUpdate(access, sealingKey(attempt), { changes: [set("lastAtMs", atMs)], when: [isThere("sinceMs")] });
      const when = [is("state", "sealing"), is("attempt", attempt.attempt)];
      await tryUpdate(access, jobKey(attempt), { changes: [set("reason", reason)], when });
    },
  };
};
