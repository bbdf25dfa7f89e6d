import { Fault } from "../../model/fault.ts";
import { isEnded } from "../../model/job.ts";
import type { Placements } from "../../ports/pool-ledger.ts";
import type { TableAccess } from "./access.ts";
import { either, is, isAbsent, isOneOf, isThere, set } from "./expression.ts";
import { type FencedWriter, written } from "./fenced-write.ts";
import { enqueue, newState, queueKeyOf, readJob } from "./job-item.ts";
import { jobKey, nodeKey, queueKey } from "./keys.ts";
import { assignmentName } from "./node-item.ts";
import { endSealing } from "./sealing.ts";
import type { Part } from "./transaction.ts";

/** A job that is read, then changed on the condition that it is still as read: this often, should it keep changing. */
const mostReads = 4;

/** What `place` does to jobs. */
export const createJobPlacements = (
  access: TableAccess,
  { write }: FencedWriter,
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

  async takeBack(fence, { node, assignment, reason, atMs }) {
    for (let reads = 0; reads < mostReads; reads += 1) {
      const job = await readJob(access, assignment);
      const name = assignmentName(assignment);
      const parts: Part[] = [
        {
          kind: "update",
          key: nodeKey(fence.pool, node),
          changes: [set(["assignments", name], undefined), set("lastBusyMs", atMs)],
          when: [isThere(["assignments", name])],
        },
      ];
      // A job that has ended or moved on leaves only its place on the node behind.
      if (job?.attempt === assignment.attempt && job.node === node && !isEnded(job.state)) {
        const next = { attempt: job.attempt + 1, reason };
        parts.push(
          {
            kind: "update",
            key: jobKey(job),
            changes: [...newState("queued", reason, atMs), set("attempt", next.attempt), set("node", undefined)],
            when: [is("state", job.state), is("attempt", job.attempt), is("node", node)],
          },
          ...enqueue(job, next),
          ...(job.state === "sealing" ? [endSealing(job)] : []),
        );
      }
      const outcome = await write(fence, parts);
      if (typeof outcome === "string") return outcome;
      if (outcome.failed.has(0)) {
        return job?.state === "queued" && job.attempt === assignment.attempt + 1 && job.reason === reason ? "done" : "stale";
      }
    }
    throw new Fault("table-busy", `${assignment.team}/${assignment.job} kept changing`, { retry: true });
  },

  async fail(fence, { attempt, reason, atMs }) {
    const job = await readJob(access, attempt);
    if (!job) return "stale";
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
