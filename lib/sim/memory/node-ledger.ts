import { isEnded, isOn, type Job, type JobRecord } from "../../model/job.ts";
import { type Assignment, isLive, type Node } from "../../model/node.ts";
import { saysMore } from "../../model/telemetry.ts";
import type { AttemptChange, NodeLedger } from "../../ports/node-ledger.ts";
import type { Interruptions } from "./interruptions.ts";
import type { LedgerMethod } from "./ledger-ports.ts";
import { type JobMove, jobKey, type MemoryTable, nodeKey, offNodes, present, sameAttempt } from "./table.ts";

export const memoryNodeLedger = (table: MemoryTable, wire: Interruptions<LedgerMethod>): NodeLedger => ({
  get: (pool, node) => wire.call("nodeLedger.get", () => table.nodes.get(nodeKey(pool, node))?.node),
  job: (ref) => wire.call("nodeLedger.job", () => table.jobs.get(jobKey(ref))),
  seen: (pool, id, life) =>
    wire.call("nodeLedger.seen", () => {
      const node = table.nodes.get(nodeKey(pool, id))?.node;
      if (!node) return { kind: table.forgotten.has(nodeKey(pool, id)) ? "over" : "unknown" };
      if (node.state === "terminating" || node.state === "gone") return { kind: "over" };
      const written = table.changeNode(pool, id, renewed(node, life)) ?? node;
      return { kind: "node", node: written, first: node.state === "launching" };
    }),
  change: (on, change) => wire.call("nodeLedger.change", () => changeAttempt(table, on, change)),
  noticed: (id, notice, atMs) =>
    wire.call("nodeLedger.noticed", () => {
      const pool = table.instances.get(id);
      if (pool === undefined) return { kind: "unknown" };
      const node = table.nodes.get(nodeKey(pool, id))?.node;
      if (node && isLive(node)) table.changeNode(pool, id, { state: "draining", stateSinceMs: atMs, notice });
      else if (node?.state === "draining" && saysMore(notice, node.notice)) table.changeNode(pool, id, { notice });
      return { kind: "noted", pool };
    }),
  gone: (id, atMs) =>
    wire.call("nodeLedger.gone", () => {
      const pool = table.instances.get(id);
      if (pool === undefined) return { kind: "unknown" };
      if (table.nodes.get(nodeKey(pool, id))?.node.state !== "gone") table.changeNode(pool, id, { state: "gone", stateSinceMs: atMs });
      return { kind: "noted", pool };
    }),
});

function renewed(node: Node, { atMs, leaseUntilMs, telemetry }: Parameters<NodeLedger["seen"]>[2]): Partial<Node> {
  const known = present({ ...telemetry, gpusAtMs: telemetry?.gpus && atMs });
  if (node.state === "launching") return { ...known, state: "ready", readyAtMs: atMs, stateSinceMs: atMs, lastSeenMs: atMs, leaseUntilMs };
  // A call that was overtaken by a later one must not shorten the lease that the later one got.
  return leaseUntilMs >= node.leaseUntilMs ? { ...known, lastSeenMs: atMs, leaseUntilMs } : {};
}

function changeAttempt(
  table: MemoryTable,
  on: { pool: string; node: string; atMs: number; process: string },
  { attempt, job: to, assignment, untilMs, toSeal }: AttemptChange,
): "done" | "stale" {
  const node = table.nodes.get(nodeKey(on.pool, on.node))?.node;
  const job = table.jobs.get(jobKey(attempt));
  const held = node?.assignments.find((one) => sameAttempt(one, attempt));
  if (!node) return "stale";
  const written = assignment === "removed" ? !held : held?.phase === assignment && held.process === on.process;
  if (to && written && isOnRecord(job, to, attempt.attempt)) return "done";
  if (!held) return "stale";
  const holds = job?.attempt === attempt.attempt && isOn(job, on.node);
  if (to && (!holds || job.state !== to.from)) return "stale";

  setPhase(table, { node, held, assignment, untilMs }, on);
  if (job && to) table.moveJob(job, moved(job, to, assignment), { atMs: on.atMs, reported: to });
  else if (job && holds && assignment === "removed") leaveNode(table, job, on.node);
  if (toSeal) table.awaitSealing(attempt, on.atMs);
  return "done";
}

function setPhase(
  table: MemoryTable,
  { node, held, assignment, untilMs }: { node: Node; held: Assignment } & Pick<AttemptChange, "assignment" | "untilMs">,
  on: { atMs: number; process: string },
): void {
  const others = node.assignments.filter((one) => one !== held);
  if (assignment === "removed") table.setAssignments(node, others, on.atMs);
  else table.setAssignments(node, [...others, present({ ...held, phase: assignment, process: on.process, untilMs })], undefined);
}

function leaveNode(table: MemoryTable, job: JobRecord, node: string): void {
  if (job.node === node) table.putJob({ ...job, ...offNodes });
}

const moved = (job: Job, to: NonNullable<AttemptChange["job"]>, assignment: AttemptChange["assignment"]): JobMove => ({
  state: to.to,
  reason: to.reason,
  failure: to.failure,
  failures: job.failures + (to.failed ? 1 : 0),
  ...(to.losses === undefined ? {} : { losses: to.losses }),
  exitCode: to.exitCode ?? job.exitCode,
  startedAtMs: job.startedAtMs ?? to.startedAtMs,
  ...(assignment === "removed" || isEnded(to.to) ? offNodes : {}),
});

/** Reports whether the job already is in the state that the report leads to, because the response to the same report was lost. */
const isOnRecord = (job: Job | undefined, to: NonNullable<AttemptChange["job"]>, attempt: number): boolean =>
  job?.state === to.to && job.attempt === (to.to === "queued" ? attempt + 1 : attempt) && job.reason === to.reason;
