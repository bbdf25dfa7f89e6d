import { isEnded, type Job } from "../../model/job.ts";
import type { Fence, Placements } from "../../ports/pool-ledger.ts";
import type { TableAccess } from "./access.ts";
import { asRead } from "./as-read.ts";
import { either, is, isAbsent, isAtMost, isOneOf, isThere, set } from "./expression.ts";
import { type FencedWriter, written } from "./fenced-write.ts";
import { enqueue, newState, queueKeyOf, readJob } from "./job-item.ts";
import { jobKey, nodeKey, queueKey } from "./keys.ts";
import { assignmentName } from "./node-item.ts";
import { endSealing } from "./sealing.ts";
import type { Part } from "./transaction.ts";

type Back = Parameters<Placements["takeBack"]>[1];

/** What `place` does to jobs. */
export const createJobPlacements = (
  access: TableAccess,
  { write, unlessFenced }: FencedWriter,
): Pick<Placements, "bind" | "takeBack" | "fail" | "hold"> => ({
  async bind(fence, { entry, node, atMs }) {
    const { team, job, attempt, needs } = entry;
    const name = assignmentName(entry);
    const outcome = await write(fence, [
      {
        kind: "update",
        key: jobKey(entry),
        changes: [...newState("placed", undefined, atMs), set("node", node), set("exitCode", undefined)],
        when: [is("state", "queued"), is("attempt", attempt)],
      },
      { kind: "delete", key: queueKey({ pool: fence.pool, ...entry }), when: [is("a", attempt)] },
      {
        kind: "update",
        key: nodeKey(fence.pool, node),
        changes: [set(["assignments", name], { team, job, attempt, needs, phase: "placed" }), set("lastBusyMs", atMs)],
        when: [isOneOf("state", ["launching", "ready"]), either(isAbsent("team"), is("team", team)), isAbsent(["assignments", name])],
      },
    ]);
    return written(outcome, async () => {
      const now = await readJob(access, entry);
      return now?.attempt === attempt && now.node === node;
    });
  },

  takeBack: (fence, back) =>
    asRead(`${back.assignment.team}/${back.assignment.job}`, async () => {
      const job = await readJob(access, back.assignment);
      const outcome = await write(fence, takeBackParts(fence, back, job));
      if (typeof outcome === "string") return outcome;
      if (!outcome.failed.has(0)) return "changed";
      const before = job?.state === "queued" && job.attempt === back.assignment.attempt + 1 && job.reason === back.reason;
      return before ? "done" : "stale";
    }),

  async fail(fence, { attempt, reason, atMs }) {
    const job = await readJob(access, attempt);
    if (!job) return unlessFenced(fence, "stale");
    const outcome = await write(fence, [
      {
        kind: "update",
        key: jobKey(attempt),
        changes: newState("failed", reason, atMs),
        when: [is("state", "queued"), is("attempt", attempt.attempt)],
      },
      { kind: "delete", key: queueKeyOf(job) },
    ]);
    return written(outcome, async () => {
      const now = await readJob(access, attempt);
      return now?.attempt === attempt.attempt && now.state === "failed" && now.reason === reason;
    });
  },

  async hold(fence, { entry, reason }) {
    const outcome = await write(fence, [
      {
        kind: "update",
        key: jobKey(entry),
        changes: [set("reason", reason)],
        when: [is("state", "queued"), is("attempt", entry.attempt)],
      },
      {
        kind: "update",
        key: queueKey({ pool: fence.pool, ...entry }),
        changes: [set("r", reason)],
        when: [is("a", entry.attempt)],
      },
    ]);
    return written(outcome, async () => false);
  },
});

/** First the node's part, then, if the attempt still is this node's, the job's. A job that has ended or moved on leaves only its place behind. */
function takeBackParts(fence: Fence, { node, assignment, reason, atMs }: Back, job: Job | undefined): Part[] {
  const name = assignmentName(assignment);
  const off: Part = {
    kind: "update",
    key: nodeKey(fence.pool, node),
    changes: [set(["assignments", name], undefined), set("lastBusyMs", atMs)],
    // A worker that has called since the node was found dead has its lease again, and may have been told to run this.
    when: [isThere(["assignments", name]), either(is("state", "gone"), isAtMost("leaseUntilMs", atMs))],
  };
  if (job?.attempt !== assignment.attempt || job.node !== node || isEnded(job.state)) return [off];
  const next = { attempt: job.attempt + 1, reason };
  return [
    off,
    {
      kind: "update",
      key: jobKey(job),
      changes: [...newState("queued", reason, atMs), set("attempt", next.attempt), set("node", undefined)],
      when: [is("state", job.state), is("attempt", job.attempt), is("node", node)],
    },
    ...enqueue(job, next),
    ...(job.state === "sealing" ? [endSealing(job)] : []),
  ];
}
