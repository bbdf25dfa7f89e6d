import pMap from "p-map";
import { FleetError } from "../../../model/fleet-error.ts";
import { isEnded, type Job, type JobRef, jobName } from "../../../model/job.ts";
import type { Cancellations, CancelledOfMany } from "../../../ports/jobs.ts";
import { type TableAccess, tryUpdate } from "../access.ts";
import { asRead } from "../as-read.ts";
import { is, isOneOf, setOnce } from "../expression.ts";
import { leaveQueue, readJob, readJobs, stateParts } from "../items/job-item.ts";
import { assignmentName } from "../items/node-item.ts";
import { nodeKey } from "../keys.ts";
import { type Part, transact } from "../transaction.ts";

type By = Parameters<Cancellations["cancel"]>[1];
type ByAll = Parameters<Cancellations["cancelAll"]>[1];

/** Number of jobs that one transaction cancels. A larger one would conflict with other writes more often. */
const atOnce = 20;
const concurrency = 2;
/** Tries per transaction. If it keeps conflicting with other writes, its jobs are cancelled one by one. */
const triesTogether = 2;

export const createCancellations = (access: TableAccess): Cancellations => {
  const cancel = (ref: JobRef, by: ByAll): Promise<Exclude<CancelledOfMany, { kind: "failed" }>> =>
    asRead(jobName(ref), async () => {
      const job = await readJob(access, ref);
      const settled = settledBy(job, by);
      if (settled || !job) return settled ?? { kind: "unknown" };
      const written = await transact(access, cancelParts(job, by));
      return written === "done" ? { kind: "cancelled", pool: job.pool } : "changed";
    });
  const oneOfMany = (ref: JobRef, by: ByAll): Promise<CancelledOfMany> => cancel(ref, by).catch(asFailed);
  const together = async (jobs: readonly Job[], by: ByAll): Promise<readonly CancelledOfMany[]> => {
    const parts = jobs.flatMap((job) => cancelParts(job, by));
    const written = await transact(access, parts, triesTogether).catch((error: unknown) => {
      if (error instanceof FleetError && error.retry) return undefined;
      throw error;
    });
    if (written === "done") return jobs.map(({ pool }) => ({ kind: "cancelled", pool }));
    return pMap(jobs, (job) => oneOfMany(job, by), { concurrency });
  };
  return {
    async cancel(ref, by) {
      const outcome = await cancel(ref, by);
      if (outcome.kind === "spared") throw new FleetError("table", `${jobName(ref)} was spared although no states were given`);
      return outcome;
    },
    evict: (ref, by) =>
      asRead(jobName(ref), async () => {
        const job = await readJob(access, ref);
        if (!job) return { kind: "unknown" };
        if (job.attempt !== (ref.attempt ?? job.attempt)) return { kind: "passed", attempt: job.attempt };
        if (job.node === undefined || (job.state !== "placed" && job.state !== "running")) return { kind: "off", state: job.state };
        const held = ["assignments", assignmentName(job)];
        const marked = await tryUpdate(access, nodeKey(job.pool, job.node), {
          changes: [setOnce([...held, "evict"], { ...by })],
          when: [isOneOf([...held, "phase"], ["placed", "running"])],
        });
        return marked ? { kind: "evicting" } : "changed";
      }),

    async cancelAll(refs, by) {
      const there = new Map((await readJobs(access, refs)).map((job) => [jobName(job), job]));
      const outcomes = new Map<string, CancelledOfMany>();
      const open: Job[] = [];
      for (const ref of refs) {
        const job = there.get(jobName(ref));
        const settled = settledBy(job, by);
        if (settled) outcomes.set(jobName(ref), settled);
        else if (job && !outcomes.has(jobName(ref)) && !open.includes(job)) open.push(job);
      }
      const groups = Array.from({ length: Math.ceil(open.length / atOnce) }, (_, n) => open.slice(n * atOnce, (n + 1) * atOnce));
      await pMap(
        groups,
        async (jobs) => {
          const those = await together(jobs, by);
          for (const [index, job] of jobs.entries()) outcomes.set(jobName(job), those[index] ?? { kind: "unknown" });
        },
        { concurrency },
      );
      return refs.map((ref) => outcomes.get(jobName(ref)) ?? { kind: "unknown" });
    },
  };
};

/** Returns the outcome for a job that needs no write, or undefined if it must be cancelled. */
function settledBy(job: Job | undefined, { states }: ByAll): Exclude<CancelledOfMany, { kind: "failed" | "cancelled" }> | undefined {
  if (!job) return { kind: "unknown" };
  if (job.state === "cancelled") return { kind: "same", pool: job.pool };
  if (isEnded(job.state)) return { kind: "ended", state: job.state };
  return states === undefined || states.includes(job.state) ? undefined : { kind: "spared", state: job.state };
}

function asFailed(error: unknown): CancelledOfMany {
  if (error instanceof FleetError && error.retry) return { kind: "failed", error };
  throw error;
}

/** Returns the writes that cancel a job, if nothing has moved it since it was read. An attempt that waits to be sealed keeps waiting. */
const cancelParts = (job: Job, { reason, atMs }: By): Part[] => [
  ...stateParts(
    job,
    { state: "cancelled", reason },
    { atMs, when: [is("state", job.state), is("attempt", job.attempt), is("pool", job.pool)] },
  ),
  ...(job.state === "queued" ? leaveQueue(job) : []),
];
