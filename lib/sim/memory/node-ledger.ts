import { heartbeatOf, newDatasets, placeOf, unheardForMs } from "../../model/heartbeat/heartbeat.ts";
import { isEnded, isOn, type Job, type JobRecord } from "../../model/job.ts";
import { type Assignment, isLive, type Node } from "../../model/node.ts";
import { saysMore } from "../../model/telemetry.ts";
import type { AttemptChange, NodeLedger, ReportedOn } from "../../ports/node-ledger.ts";
import type { Interruptions } from "./interruptions.ts";
import type { LedgerMethod } from "./ledger-ports.ts";
import { type JobMove, jobKey, type MemoryTable, nodeKey, offNodes, present, sameAttempt } from "./table.ts";

export const memoryNodeLedger = (table: MemoryTable, wire: Interruptions<LedgerMethod>): NodeLedger => ({
  get: (pool, node) => wire.call("nodeLedger.get", () => table.nodes.get(nodeKey(pool, node))?.node),
  job: (ref) => wire.call("nodeLedger.job", () => table.jobs.get(jobKey(ref))),
  begin: (pool, id, atMs) =>
    wire.call("nodeLedger.begin", () => {
      const found = live(table, pool, id);
      if ("kind" in found) return found;
      const session = (found.session ?? 0) + 1;
      table.changeNode(pool, id, { session, begunAtMs: atMs });
      return { kind: "session", session };
    }),
  seen: (pool, id, sign) =>
    wire.call("nodeLedger.seen", () => {
      const found = live(table, pool, id);
      if ("kind" in found) return found;
      const place = placeOf(found, sign);
      if (place !== "next") return { kind: place };
      const { atMs } = sign;
      const isFirst = found.state === "launching";
      const silentMs = unheardForMs(found, atMs);
      const node = table.changeNode(pool, id, {
        ...heartbeatOf(found, sign),
        ...present({ datasets: newDatasets(found, sign) }),
        ...(isFirst && { state: "ready", readyAtMs: atMs, stateSinceMs: atMs }),
      });
      return { kind: "node", node: node ?? found, joins: isFirst || silentMs > 0, silentMs };
    }),
  handOut: (pool, id, attempts, atMs) =>
    wire.call("nodeLedger.handOut", () => {
      const node = table.nodes.get(nodeKey(pool, id))?.node;
      const held = attempts.filter((ref) => node?.assignments.some((one) => sameAttempt(one, ref)));
      if (node)
        table.setAssignments(
          node,
          node.assignments.map((one) =>
            held.some((ref) => sameAttempt(one, ref)) ? { ...one, orderedAtMs: one.orderedAtMs ?? atMs } : one,
          ),
          undefined,
        );
      return held;
    }),
  prolong: (pool, id, attempts) =>
    wire.call("nodeLedger.prolong", () => {
      const node = table.nodes.get(nodeKey(pool, id))?.node;
      const longer = (held: Assignment): Assignment => ({
        ...held,
        ...present({ untilMs: attempts.find((ref) => sameAttempt(ref, held))?.untilMs }),
      });
      if (node) table.setAssignments(node, node.assignments.map(longer), undefined);
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
  gone: (id, atMs, stoppedAtMs = Number.POSITIVE_INFINITY) =>
    wire.call("nodeLedger.gone", () => {
      const pool = table.instances.get(id);
      if (pool === undefined) return { kind: "unknown" };
      const node = table.nodes.get(nodeKey(pool, id))?.node;
      if (node?.state !== "gone" && (node?.begunAtMs ?? 0) < stoppedAtMs) table.changeNode(pool, id, { state: "gone", stateSinceMs: atMs });
      return { kind: "noted", pool };
    }),
  declareDead: (id, declared, lastSeenMs) =>
    wire.call("nodeLedger.declareDead", () => {
      const pool = table.instances.get(id);
      const node = pool === undefined ? undefined : table.nodes.get(nodeKey(pool, id))?.node;
      if (pool === undefined || !node) return "done";
      if (node.lastSeenMs !== lastSeenMs) return "heard";
      if (node.state !== "gone") table.changeNode(pool, id, { state: "gone", stateSinceMs: declared.atMs, declared });
      return "done";
    }),
});

/** Returns a node that boots or works, or why there is none. */
function live(table: MemoryTable, pool: string, id: string): Node | { readonly kind: "unknown" | "over" } {
  const node = table.nodes.get(nodeKey(pool, id))?.node;
  if (!node) return { kind: table.forgotten.has(nodeKey(pool, id)) ? "over" : "unknown" };
  return node.state === "terminating" || node.state === "gone" ? { kind: "over" } : node;
}

function changeAttempt(
  table: MemoryTable,
  on: ReportedOn,
  { attempt, job: to, assignment, untilMs, toSeal }: AttemptChange,
): "done" | "stale" {
  const node = table.nodes.get(nodeKey(on.pool, on.node))?.node;
  if (!node) return "stale";
  const job = table.jobs.get(jobKey(attempt));
  const held = node.assignments.find((one) => sameAttempt(one, attempt));
  if (to && isAsReported(held, assignment, on) && isOnRecord(job, to, attempt.attempt)) return "done";
  if (!held || (held.call ?? 0) > on.call) return "stale";
  const holds = job?.attempt === attempt.attempt && isOn(job, on.node);
  if (to && (!holds || job.state !== to.from)) return "stale";

  setPhase(table, { node, held, assignment, untilMs }, on);
  if (job && to) table.moveJob(job, moved(job, to, assignment), { atMs: on.atMs, reported: to, pauseMs: to.pauseMs });
  else if (job && holds && assignment === "removed") leaveNode(table, job, on.node);
  if (toSeal) table.awaitSealing(attempt, on.atMs);
  return "done";
}

const isAsReported = (held: Assignment | undefined, phase: AttemptChange["assignment"], { process }: ReportedOn): boolean =>
  phase === "removed" ? !held : held?.phase === phase && held.process === process;

function setPhase(
  table: MemoryTable,
  { node, held, assignment, untilMs }: { node: Node; held: Assignment } & Pick<AttemptChange, "assignment" | "untilMs">,
  on: ReportedOn,
): void {
  const others = node.assignments.filter((one) => one !== held);
  if (assignment === "removed") table.setAssignments(node, others, on.atMs);
  else
    table.setAssignments(
      node,
      [...others, present({ ...held, phase: assignment, process: on.process, call: on.call, untilMs })],
      undefined,
    );
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
  ...(to.unstarted === undefined ? {} : { unstarted: to.unstarted || undefined }),
  ...(to.troubles === undefined ? {} : { troubles: to.troubles }),
  exitCode: to.exitCode ?? job.exitCode,
  startedAtMs: job.startedAtMs ?? to.startedAtMs,
  ...(assignment === "removed" || isEnded(to.to) ? offNodes : {}),
});

/** Reports whether the job already is in the state that the report leads to, because the response to the same report was lost. */
const isOnRecord = (job: Job | undefined, to: NonNullable<AttemptChange["job"]>, attempt: number): boolean =>
  job?.state === to.to && job.attempt === (to.to === "queued" ? attempt + 1 : attempt) && job.reason === to.reason;
