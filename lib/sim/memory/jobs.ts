import { matchesGlob } from "../../model/files/glob.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { type AttemptRef, isEnded, type Job, type JobRef, jobName } from "../../model/job.ts";
import type { Admissions, Cancellations, Cancelled, CancelledOfMany, JobFilter, JobLookup, JobReader, Sealing } from "../../ports/jobs.ts";
import type { Interruptions } from "./interruptions.ts";
import type { LedgerMethod } from "./ledger-ports.ts";
import { attemptName, type JobMove, jobKey, type MemoryTable, nodeKey, offNodes, sameAttempt } from "./table.ts";

export const memoryAdmissions = (table: MemoryTable, wire: Interruptions<LedgerMethod>): Admissions => ({
  admit: (job, { maxQueued = Number.POSITIVE_INFINITY } = {}) =>
    wire.call("admissions.admit", () => {
      const there = table.jobs.get(jobKey(job));
      if (there) return there.bodyHash === job.bodyHash ? { kind: "same", job: there } : { kind: "taken" };
      const isFull = table.queue.countOf(job.pool, job.team) >= maxQueued;
      if (job.state === "queued" && isFull) return { kind: "full" };
      table.putJob(job);
      if (job.state === "queued") table.enqueue(job);
      return { kind: "created" };
    }),
});

export const memoryLookup = (table: MemoryTable, wire: Interruptions<LedgerMethod>): JobLookup => ({
  find: (refs) =>
    wire.call("jobLookup.find", () => new Map(refs.flatMap((ref) => table.jobs.get(jobKey(ref)) ?? []).map((job) => [jobName(job), job]))),
});

export const memoryCancellations = (table: MemoryTable, wire: Interruptions<LedgerMethod>): Cancellations => {
  const cancel = (ref: JobRef, { reason, atMs }: { reason: string; atMs: number }): Cancelled => {
    const job = table.jobs.get(jobKey(ref));
    if (!job) return { kind: "unknown" };
    if (job.state === "cancelled") return { kind: "same", pool: job.pool };
    if (isEnded(job.state)) return { kind: "ended", state: job.state };
    table.moveJob(job, { state: "cancelled", reason }, { atMs });
    return { kind: "cancelled", pool: job.pool };
  };
  return {
    cancel: (ref, by) => wire.call("cancellations.cancel", () => cancel(ref, by)),
    evict: (ref, by) =>
      wire.call("cancellations.evict", () => {
        const job = table.jobs.get(jobKey(ref));
        if (!job) return { kind: "unknown" };
        if (job.attempt !== (ref.attempt ?? job.attempt)) return { kind: "passed", attempt: job.attempt };
        const node = job.node === undefined ? undefined : table.nodes.get(nodeKey(job.pool, job.node))?.node;
        if (!node || (job.state !== "placed" && job.state !== "running")) return { kind: "off", state: job.state };
        const assignments = node.assignments.map((held) => (sameAttempt(held, job) ? { ...held, evict: held.evict ?? { ...by } } : held));
        table.changeNode(node.pool, node.id, { assignments });
        return { kind: "evicting" };
      }),
    cancelAll: (refs, { states, ...by }) =>
      wire.call("cancellations.cancelAll", () =>
        refs.map((ref): CancelledOfMany => {
          const state = table.jobs.get(jobKey(ref))?.state;
          const isSpared = state !== undefined && !isEnded(state) && states !== undefined && !states.includes(state);
          return isSpared ? { kind: "spared", state } : cancel(ref, by);
        }),
      ),
  };
};

/** A reader of jobs. While `lag` returns true, it does not see the newest write to any job, because an index may lag behind. */
export const memoryJobReader = (table: MemoryTable, wire: Interruptions<LedgerMethod>, lag: () => boolean): JobReader => {
  const visible = (): ReadonlyMap<string, Job> => (lag() ? table.laggingJobs : table.jobs);
  return {
    get: (ref) => wire.call("jobReader.get", () => visible().get(jobKey(ref))),
    attempts: ({ limit, before = Number.POSITIVE_INFINITY, ...ref }) =>
      wire.call("jobReader.attempts", () => {
        const found = [...(table.attempts.get(jobKey(ref)) ?? [])].reverse().filter(({ attempt }) => attempt < before);
        const attempts = found.slice(0, limit);
        const last = attempts.at(-1);
        return found.length > limit && last ? { attempts, before: last.attempt } : { attempts };
      }),
    list: ({ team, limit, cursor, ...filter }) =>
      wire.call("jobReader.list", () => {
        const { sinceMs = 0, beforeMs = Number.POSITIVE_INFINITY } = filter;
        if (sinceMs >= beforeMs) return { jobs: [] };
        const from = Number(/^([0-9]{15})#.+$/.exec(cursor ?? `${"0".repeat(15)}#x`)?.[1]);
        if (!(cursor === undefined || (from >= sinceMs && from < beforeMs))) throw new FleetError("cursor", `no page begins at ${cursor}`);
        const found = [...visible().values()]
          .filter((job) => job.team === team && passes(job, filter))
          .sort((a, b) => (place(a) < place(b) ? 1 : -1))
          .filter((job) => cursor === undefined || place(job) < cursor);
        const jobs = found.slice(0, limit);
        const last = jobs.at(-1);
        return found.length > limit && last ? { jobs, cursor: place(last) } : { jobs };
      }),
  };
};

export const memorySealing = (table: MemoryTable, wire: Interruptions<LedgerMethod>): Sealing => {
  const end = (attempt: AttemptRef, to: JobMove, atMs: number): "done" | "stale" => {
    const job = table.jobs.get(jobKey(attempt));
    if (job?.attempt !== attempt.attempt) return "stale";
    if (isEnded(job.state) && job.state === to.state && job.reason === to.reason) return "done";
    if (job.state !== "sealing") return "stale";
    table.moveJob(job, { ...to, ...offNodes }, { atMs });
    table.sealingSince.delete(attemptName(attempt));
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
        [...table.sealingSince.values()]
          .filter(({ sinceMs, lastAtMs }) => Math.max(sinceMs, lastAtMs ?? 0) < beforeMs)
          .sort((a, b) => a.sinceMs - b.sinceMs)
          .map((one) => one.attempt),
      ),
    claimAgain: (attempt, { beforeMs, atMs }) =>
      wire.call("sealing.claimAgain", () => {
        const waits = table.sealingSince.get(attemptName(attempt));
        if (!waits || Math.max(waits.sinceMs, waits.lastAtMs ?? 0) >= beforeMs) return false;
        table.sealingSince.set(attemptName(attempt), { ...waits, lastAtMs: atMs });
        return true;
      }),
    failedNow: (attempt, { reason, atMs }) =>
      wire.call("sealing.failedNow", () => {
        const waits = table.sealingSince.get(attemptName(attempt));
        if (waits) table.sealingSince.set(attemptName(attempt), { ...waits, lastAtMs: atMs });
        const job = table.jobs.get(jobKey(attempt));
        if (job?.state === "sealing" && job.attempt === attempt.attempt) table.putJob({ ...job, reason });
      }),
  };
};

const passes = (job: Job, { states, name, pool, sinceMs = 0, beforeMs = Number.POSITIVE_INFINITY }: JobFilter): boolean =>
  (states === undefined || states.length === 0 || states.includes(job.state)) &&
  (name === undefined || matchesGlob(name, job.job)) &&
  (pool === undefined || job.pool === pool) &&
  job.submittedAtMs >= sinceMs &&
  job.submittedAtMs < beforeMs;

const place = (job: Job): string => `${String(job.submittedAtMs).padStart(15, "0")}#${job.job}`;
