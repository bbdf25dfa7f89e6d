import { Fault } from "../../model/fault.ts";
import { type AttemptRef, isEnded, type Job } from "../../model/job.ts";
import type { Admissions, Cancellations, JobReader, Sealing } from "../../ports/jobs.ts";
import type { Interruptions } from "./interruptions.ts";
import type { LedgerMethod } from "./ledger-ports.ts";
import { attemptName, jobKey, type MemoryTable, offNodes } from "./table.ts";

export const memoryAdmissions = (table: MemoryTable, wire: Interruptions<LedgerMethod>): Admissions => ({
  admit: (job) =>
    wire.call("admissions.admit", () => {
      const there = table.jobs.get(jobKey(job));
      if (there) return there.bodyHash === job.bodyHash ? { kind: "same", job: there } : { kind: "taken" };
      table.putJob(job);
      if (job.state === "queued") table.enqueue(job);
      return { kind: "created" };
    }),
});

export const memoryCancellations = (table: MemoryTable, wire: Interruptions<LedgerMethod>): Cancellations => ({
  cancel: (ref, { reason, atMs }) =>
    wire.call("cancellations.cancel", () => {
      const job = table.jobs.get(jobKey(ref));
      if (!job) return { kind: "unknown" };
      if (job.state === "cancelled") return { kind: "same", pool: job.pool };
      if (isEnded(job.state)) return { kind: "ended", state: job.state };
      table.moveJob(job, { state: "cancelled", reason }, atMs);
      return { kind: "cancelled", pool: job.pool };
    }),
});

/** `lag`: it does not see the newest write to any job, as an index may not for a moment. */
export const memoryJobReader = (table: MemoryTable, wire: Interruptions<LedgerMethod>, lag: () => boolean): JobReader => {
  const visible = (): ReadonlyMap<string, Job> => (lag() ? table.laggingJobs : table.jobs);
  return {
    get: (ref) => wire.call("jobReader.get", () => visible().get(jobKey(ref))),
    list: ({ team, state, limit, cursor }) =>
      wire.call("jobReader.list", () => {
        if (cursor !== undefined && !/^[0-9]{15}#.+$/.test(cursor)) throw new Fault("cursor", `no page begins at ${cursor}`);
        const found = [...visible().values()]
          .filter((job) => job.team === team && (state === undefined || job.state === state))
          .sort((a, b) => (place(a) < place(b) ? 1 : -1))
          .filter((job) => cursor === undefined || place(job) < cursor);
        const jobs = found.slice(0, limit);
        const last = jobs.at(-1);
        return found.length > limit && last ? { jobs, cursor: place(last) } : { jobs };
      }),
  };
};

export const memorySealing = (table: MemoryTable, wire: Interruptions<LedgerMethod>): Sealing => {
  const end = (attempt: AttemptRef, to: Partial<Job> & Pick<Job, "state">, atMs: number): "done" | "stale" => {
    const job = table.jobs.get(jobKey(attempt));
    if (job?.attempt !== attempt.attempt) return "stale";
    if (isEnded(job.state) && job.state === to.state && job.reason === to.reason) return "done";
    if (job.state !== "sealing") return "stale";
    table.moveJob(job, { ...to, ...offNodes }, atMs);
    return "done";
  };
  return {
    get: (ref) => wire.call("sealing.get", () => table.jobs.get(jobKey(ref))),
    succeed: (attempt, to, atMs) => wire.call("sealing.succeed", () => end(attempt, { ...structuredClone(to), state: "succeeded" }, atMs)),
    fail: (attempt, to, atMs) => wire.call("sealing.fail", () => end(attempt, { ...structuredClone(to), state: "failed" }, atMs)),
    over: (attempt) =>
      wire.call("sealing.over", () => {
        table.sealingSince.delete(attemptName(attempt));
      }),
    waitingSince: (beforeMs) =>
      wire.call("sealing.waitingSince", () =>
        [...table.sealingSince.values()].filter((one) => one.sinceMs < beforeMs).map((one) => one.attempt),
      ),
  };
};

const place = (job: Job): string => `${String(job.submittedAtMs).padStart(15, "0")}#${job.job}`;
