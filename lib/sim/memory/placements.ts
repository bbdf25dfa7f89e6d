import { isDeepStrictEqual } from "node:util";
import { newAttempt } from "../../model/history/attempt.ts";
import { type AttemptRef, afterLoss, dependsOn, type JobRecord, type QueueEntry } from "../../model/job.ts";
import type { LimitScope, Limits } from "../../model/limits.ts";
import { type Assignment, type BootFailure, isFirstMember, isLive, type Node, type SilentEnd, wasNeverOrdered } from "../../model/node.ts";
import { waitsSince } from "../../model/objectives/objective.ts";
import { micro } from "../../model/reservations.ts";
import { phaseEndsAtMs } from "../../model/values/attempt-times.ts";
import { wantsOf } from "../../model/wants.ts";
import type { Fence, Placements, Written } from "../../ports/pool-ledger.ts";
import type { Interruptions } from "./interruptions.ts";
import type { LedgerMethod } from "./ledger-ports.ts";
import { attemptRef, jobKey, type MemoryTable, nodeKey, offNodes, present, type ReservedAmount, sameAttempt } from "./table.ts";

/** The writes of `place`, with the same conditions as in the real table, but without its network. */
export const memoryPlacements = (table: MemoryTable, wire: Interruptions<LedgerMethod>): Placements => {
  const write = <T>(method: keyof Placements, fence: Fence, work: () => T): Promise<T | "fenced"> =>
    wire.call(`placements.${method}` as const, () => (table.isFenced(fence) ? "fenced" : work()));
  const nodeOf = (fence: Fence, id: string): Node | undefined => table.nodes.get(nodeKey(fence.pool, id))?.node;

  const waits = ({ pool }: Fence, entry: QueueEntry): boolean => table.queue.get(jobKey(entry))?.pool === pool;

  return {
    learn: (fence, learned) =>
      write("learn", fence, (): Written => {
        table.learned.set(fence.pool, structuredClone(learned));
        return "done";
      }),

    backOff: (fence, backOffs) =>
      write("backOff", fence, (): Written => {
        table.backOffs.set(fence.pool, structuredClone(backOffs));
        return "done";
      }),

    bind: (fence, { entry, node: to, atMs }) =>
      write("bind", fence, (): Written => {
        const job = table.jobs.get(jobKey(entry));
        const node = nodeOf(fence, to.id);
        if (job?.attempt === entry.attempt && job.node === to.id) return "done";
        if (!isFree(node, entry)) return "stale";
        if (job?.state !== "queued" || job.attempt !== entry.attempt || !waits(fence, entry)) return "stale";
        table.moveJob(job, { state: "placed", node: to.id, exitCode: undefined }, { atMs });
        table.beginAttempt(entry, newAttempt(entry, { pool: fence.pool, nodes: [to], atMs }));
        table.setAssignments(node, [...node.assignments, placedOf(entry, atMs)], atMs);
        return "done";
      }),

    bindGang: (fence, { entry, nodes: to, atMs }) =>
      write("bindGang", fence, (): Written => {
        const ids = to.map(({ id }) => id);
        const job = table.jobs.get(jobKey(entry));
        const nodes = ids.map((id) => nodeOf(fence, id)).filter((node) => isFree(node, entry));
        if (job?.attempt === entry.attempt && job.gang?.join() === ids.join()) return "done";
        if (nodes.length < ids.length) return "stale";
        if (job?.state !== "queued" || job.attempt !== entry.attempt || !waits(fence, entry)) return "stale";
        table.moveJob(job, { state: "placed", node: ids[0], gang: ids, exitCode: undefined }, { atMs });
        table.beginAttempt(entry, newAttempt(entry, { pool: fence.pool, nodes: to, atMs }));
        for (const [rank, node] of nodes.entries())
          table.setAssignments(node, [...node.assignments, { ...placedOf(entry, atMs), rank }], atMs);
        return "done";
      }),

    rebind: (fence, { attempt, from, node: to, atMs }) =>
      write("rebind", fence, (): Written => {
        const job = table.jobs.get(jobKey(attempt));
        const [before, node] = [nodeOf(fence, from), nodeOf(fence, to.id)];
        if (job?.attempt === attempt.attempt && job.node === to.id) return "done";
        if (job?.state !== "placed" || job.attempt !== attempt.attempt || job.node !== from || job.gang) return "stale";
        if (before?.state !== "launching" || !isFree(node, attempt)) return "stale";
        const held = before.assignments.find((one) => sameAttempt(one, attempt) && one.phase === "placed" && !one.evict);
        if (!held) return "stale";
        table.putJob({ ...job, node: to.id });
        table.beginAttempt(attempt, newAttempt(attempt, { pool: fence.pool, nodes: [to], atMs }));
        table.setAssignments(
          before,
          before.assignments.filter((one) => one !== held),
          atMs,
        );
        table.setAssignments(node, [...node.assignments, placedOf(attempt, atMs)], atMs);
        return "done";
      }),

    intend: (fence, launch, limits) =>
      write("intend", fence, (): Written | { limit: LimitScope } => {
        const there = table.openLaunches.get(launch.id);
        if (there) return there.clientToken === launch.clientToken ? "done" : "stale";
        const mine = { microUsd: micro(launch.reserved.usdPerHour), gpus: launch.reserved.gpus };
        const full = table.counters(fence.pool, launch.team).find(({ scope, amount }) => !hasRoom(amount, mine, limits[scope]));
        if (full) return { limit: full.scope };
        table.reserve({ pool: fence.pool, team: launch.team }, mine);
        table.openLaunches.set(launch.id, present(structuredClone(launch)));
        return "done";
      }),

    recordSearch: (fence, { launch: id, search }) =>
      write("recordSearch", fence, (): Written => {
        const launch = table.openLaunches.get(id);
        if (!launch) return "stale";
        table.openLaunches.set(id, { ...launch, search });
        return "done";
      }),

    settle: (fence, settled) => write("settle", fence, () => settle(table, fence, settled)),

    fenceIdle: (fence, id, atMs) =>
      write("fenceIdle", fence, (): Written => {
        const node = nodeOf(fence, id);
        if (!node || node.assignments.length > 0) return "stale";
        if (node.state === "draining") return "done";
        if (node.state !== "launching" && node.state !== "ready") return "stale";
        table.changeNode(fence.pool, id, { state: "draining", stateSinceMs: atMs });
        return "done";
      }),

    withdraw: (fence, id, atMs) =>
      write("withdraw", fence, (): Written => {
        const node = nodeOf(fence, id);
        if (!node) return "stale";
        if (isLive(node)) table.changeNode(fence.pool, id, { state: "draining", stateSinceMs: atMs });
        return "done";
      }),

    endedSilent: (fence, end) =>
      write("endedSilent", fence, (): Written => {
        const known = table.silentEnds.get(fence.pool) ?? new Map<string, SilentEnd>();
        table.silentEnds.set(fence.pool, known.set(end.node, { ...end }));
        return "done";
      }),

    missing: (fence, id, missingSinceMs) =>
      write("missing", fence, (): Written => (table.changeNode(fence.pool, id, { missingSinceMs }) ? "done" : "stale")),

    impaired: (fence, id, impairedSinceMs) =>
      write("impaired", fence, (): Written => (table.changeNode(fence.pool, id, { impairedSinceMs }) ? "done" : "stale")),

    gone: (fence, id, { atMs, stoppedAtMs = Number.POSITIVE_INFINITY }) =>
      write("gone", fence, (): Written => {
        const node = nodeOf(fence, id);
        if (node && node.state !== "gone" && (node.begunAtMs ?? 0) >= stoppedAtMs) return "stale";
        if (node && node.state !== "gone") table.changeNode(fence.pool, id, { state: "gone", stateSinceMs: atMs });
        return node ? "done" : "stale";
      }),

    drain: (fence, { node: id, drain, atMs }) =>
      write("drain", fence, (): Written => {
        const node = nodeOf(fence, id);
        if (node?.state === "draining" && node.drain) return "done";
        if (!node || (!isLive(node) && node.state !== "draining")) return "stale";
        table.changeNode(fence.pool, id, { state: "draining", stateSinceMs: atMs, drain: { ...drain } });
        return "done";
      }),

    undrain: (fence, { node: id, drain, atMs }) =>
      write("undrain", fence, (): Written => {
        const node = nodeOf(fence, id);
        if (node?.state === "ready" && !node.drain) return "done";
        const isSame = node?.state === "draining" && isDeepStrictEqual(present(node.drain ?? {}), present(drain));
        if (!isSame || node.notice || node.readyAtMs === undefined) return "stale";
        table.changeNode(fence.pool, id, { state: "ready", stateSinceMs: atMs, drain: undefined });
        return "done";
      }),

    bootFailed: (fence, failure) =>
      write("bootFailed", fence, (): Written => {
        const known = table.bootFailures.get(fence.pool) ?? new Map<string, BootFailure>();
        table.bootFailures.set(fence.pool, known.set(failure.node, { ...failure }));
        return "done";
      }),

    healed: (fence, nodes) =>
      write("healed", fence, (): Written => {
        for (const node of nodes) table.bootFailures.get(fence.pool)?.delete(node);
        return "done";
      }),

    terminating: (fence, id, atMs) =>
      write("terminating", fence, (): Written => {
        const node = nodeOf(fence, id);
        if (!node) return "stale";
        table.release(fence.pool, id, atMs);
        if (node.state !== "gone" && node.state !== "terminating") {
          table.changeNode(fence.pool, id, { state: "terminating", stateSinceMs: atMs });
        }
        return "done";
      }),

    removeNode: (fence, id, atMs) =>
      write("removeNode", fence, (): Written => {
        const node = nodeOf(fence, id);
        if (!node) return table.forgotten.has(nodeKey(fence.pool, id)) ? "done" : "stale";
        if (node.assignments.length > 0) return "stale";
        table.release(fence.pool, id, atMs);
        table.nodes.delete(nodeKey(fence.pool, id));
        table.forgotten.set(nodeKey(fence.pool, id), { ...node, state: "gone", stateSinceMs: atMs, released: true });
        return "done";
      }),

    takeBack: (fence, taken) => write("takeBack", fence, () => takeBack(table, nodeOf(fence, taken.node), taken)),

    fail: (fence, { attempt, failure, reason, atMs }) =>
      write("fail", fence, (): Written => {
        const job = table.jobs.get(jobKey(attempt));
        if (job?.attempt !== attempt.attempt) return "stale";
        if (job.state === "failed" && job.reason === reason) return "done";
        if (job.state !== "queued" || job.pool !== fence.pool) return "stale";
        table.moveJob(job, { state: "failed", failure, reason }, { atMs });
        return "done";
      }),

    move: (fence, { entry, to, reason }) =>
      write("move", fence, (): Written => {
        const job = table.jobs.get(jobKey(entry));
        if (job?.attempt === entry.attempt && job.pool === to) return "done";
        if (job?.state !== "queued" || job.attempt !== entry.attempt || !waits(fence, entry)) return "stale";
        const moved = { ...job, pool: to, reason };
        table.putJob(moved);
        table.enqueue(moved);
        const bell = table.pool(to);
        bell.bell += 1;
        bell.causes = [...new Set([...bell.causes, "move"])];
        return "done";
      }),

    hold: (fence, { entry, reason }) =>
      write("hold", fence, (): Written => {
        const job = table.jobs.get(jobKey(entry));
        const waiting = table.queue.get(jobKey(entry));
        if (job?.state !== "queued" || job.attempt !== entry.attempt || waiting?.pool !== fence.pool) return "stale";
        table.putJob({ ...job, reason });
        table.queue.set(jobKey(entry), { ...waiting, entry: { ...waiting.entry, reason } });
        return "done";
      }),

    // Every record in memory can be read.
    setAside: (fence, entry) => write("setAside", fence, (): Written => (waits(fence, entry) ? "done" : "stale")),
  };
};

/** Reports whether a counter stays within its limits with this much more. */
const hasRoom = (
  amount: ReservedAmount,
  more: ReservedAmount,
  { usdPerHour = Number.POSITIVE_INFINITY, gpus = Number.POSITIVE_INFINITY }: Limits = {},
) => amount.microUsd + more.microUsd <= micro(usdPerHour) && amount.gpus + more.gpus <= gpus;

/** Reports whether the attempt may be bound to the node. */
const isFree = (node: Node | undefined, entry: AttemptRef): node is Node =>
  node !== undefined &&
  isLive(node) &&
  (node.team === undefined || node.team === entry.team) &&
  !node.assignments.some((one) => sameAttempt(one, entry));

const placedOf = (entry: QueueEntry | Assignment, atMs: number): Assignment => ({
  ...attemptRef(entry),
  ...wantsOf(entry),
  phase: "placed",
  waitsSinceMs: waitsSince(entry, atMs),
  untilMs: phaseEndsAtMs("placed", atMs, 0),
});

function takeBack(table: MemoryTable, node: Node | undefined, back: Parameters<Placements["takeBack"]>[1]): Written {
  const { assignment, reason, atMs } = back;
  const job = table.jobs.get(jobKey(assignment));
  if (!node?.assignments.some((one) => sameAttempt(one, assignment))) {
    const failed = job?.state === "failed" && job.attempt === assignment.attempt && job.reason?.endsWith(reason) === true;
    const repeated = failed || (job?.attempt === assignment.attempt + 1 && job.state === "queued" && job.reason === reason);
    return node && repeated ? "done" : "stale";
  }
  if (node.state !== "gone" && !node.assignments.some((one) => sameAttempt(one, assignment) && wasNeverOrdered(one))) return "stale";
  const others = node.assignments.filter((one) => !sameAttempt(one, assignment));
  table.setAssignments(node, others, atMs);
  // If the job has ended or moved on, only its assignment to the node is removed.
  if (job?.attempt === assignment.attempt) leaveNode(table, job, back);
  if (isFirstMember(assignment.rank)) table.awaitSealing(assignment, atMs);
  return "done";
}

function leaveNode(table: MemoryTable, job: JobRecord, back: Parameters<Placements["takeBack"]>[1]): void {
  const { node, atMs, assignment } = back;
  if (dependsOn(job, { attempt: job.attempt, node, uploads: assignment.phase === "uploading" }))
    table.moveJob({ ...job, ...offNodes }, afterLoss(job, back), { atMs });
  else if (job.node === node) table.putJob({ ...job, ...offNodes });
}

function settle(table: MemoryTable, fence: Fence, { launch, nodes, atMs }: Parameters<Placements["settle"]>[1]): Written {
  const before = table.settledLaunches.get(launch.id);
  if (before) return before.nodes.join() === nodes.map((node) => node.id).join() ? "done" : "stale";
  if (!table.openLaunches.delete(launch.id)) return "stale";
  table.settledLaunches.set(launch.id, { launch, nodes: nodes.map((node) => node.id), settledAtMs: atMs });
  table.reserve({ pool: fence.pool, team: launch.team }, { microUsd: -micro(launch.reserved.usdPerHour), gpus: -launch.reserved.gpus });
  for (const node of nodes) {
    table.putNode(present(structuredClone(node)));
    table.reserve(node, { microUsd: micro(node.offer.usdPerHour), gpus: node.type.resources.gpus });
  }
  return "done";
}
