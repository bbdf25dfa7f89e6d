import { type AttemptNode, newAttempt } from "../../../model/history/attempt.ts";
import { afterLoss, dependsOn, type Job, type QueueEntry } from "../../../model/job.ts";
import { type Assignment, isFirstMember } from "../../../model/node.ts";
import { waitsSince } from "../../../model/objectives/objective.ts";
import { phaseEndsAtMs } from "../../../model/values/attempt-times.ts";
import { wantsOf } from "../../../model/wants.ts";
import type { Fence, Placements } from "../../../ports/pool-ledger.ts";
import type { Item, TableAccess } from "../access.ts";
import { asRead } from "../as-read.ts";
import { either, is, isAbsent, isOneOf, isThere, set } from "../expression.ts";
import { beginAttempt } from "../items/attempt-item.ts";
import { enqueue, leaveQueue, offNodes, readJob, stateParts } from "../items/job-item.ts";
import { assignmentItem, assignmentName, type ReadNode, readNode } from "../items/node-item.ts";
import { asideMark, queueItem } from "../items/queue-item.ts";
import { countQueued } from "../items/queues-item.ts";
import { beginSealing } from "../jobs/sealing.ts";
import { bellKey, jobKey, nodeKey, queueKey } from "../keys.ts";
import type { Part } from "../transaction.ts";
import type { FirstAttempt } from "./attempt-numbers.ts";
import { rings } from "./bell.ts";
import { type Bind, BindBatches } from "./bind-batches.ts";
import { type FencedWriter, written } from "./fenced-write.ts";

type Back = Parameters<Placements["takeBack"]>[1];

/** Writes the changes that `place` makes to jobs. */
export const createJobPlacements = (
  access: TableAccess,
  { write, unlessFenced, inTurn }: FencedWriter,
  firstAttempt: FirstAttempt,
): Pick<Placements, "bind" | "bindGang" | "rebind" | "takeBack" | "fail" | "move" | "hold" | "setAside"> => {
  const batches = new BindBatches({
    write,
    jobParts: (pool, { node, ...bind }) => placeParts(pool, { ...bind, nodes: [node] }),
    nodePart: holdPart,
  });
  /** Returns a waiting job with the number with which its attempt begins. */
  const numbered = async (entry: QueueEntry): Promise<Pick<Bind, "entry" | "waitsAs">> => {
    const attempt = Math.max(entry.attempt, await firstAttempt(entry.submittedAtMs));
    return { entry: { ...entry, attempt }, waitsAs: entry.attempt };
  };

  return {
    async bind(fence, bind) {
      const { entry, waitsAs } = await numbered(bind.entry);
      const outcome = await batches.add(fence, { ...bind, entry, waitsAs });
      return written(outcome, async () => {
        const now = await readJob(access, entry);
        return now?.attempt === entry.attempt && now.node === bind.node.id;
      });
    },

    async bindGang(fence, { entry: waiting, nodes, atMs }) {
      const gang = nodes.map(({ id }) => id);
      const { entry, waitsAs } = await numbered(waiting);
      const outcome = await write(fence, [
        ...placeParts(fence.pool, { entry, waitsAs, nodes, gang, atMs }),
        ...gang.map((node, rank) => holdPart(fence.pool, node, [{ entry, rank, atMs }])),
      ]);
      return written(outcome, async () => {
        const now = await readJob(access, entry);
        return now?.attempt === entry.attempt && now.gang?.join() === gang.join();
      });
    },

    async rebind(fence, { attempt, from, node, atMs }) {
      const outcome = await write(fence, rebindParts(fence, { attempt, from, node, atMs }));
      return written(outcome, async () => {
        const now = await readJob(access, attempt);
        return now?.attempt === attempt.attempt && now.node === node.id;
      });
    },

    takeBack: (fence, back) =>
      asRead(`${back.assignment.team}/${back.assignment.job}`, async () => {
        const [job, node] = await Promise.all([readJob(access, back.assignment), readNode(access, fence.pool, back.node)]);
        const outcome = await write(fence, [offPart(fence, back, node), ...takeBackParts(back, job), ...sealingPart(back)]);
        if (typeof outcome === "string") return outcome;
        if (!outcome.failed.has(0)) return "changed";
        return wasTakenBack(job, back) ? "done" : "stale";
      }),

    async fail(fence, { attempt, failure, reason, atMs }) {
      const job = await readJob(access, attempt);
      if (job?.pool !== fence.pool) return unlessFenced(fence, "stale");
      const outcome = await write(fence, [
        ...stateParts(
          { ...attempt, state: "queued" },
          { state: "failed", failure, reason },
          { atMs, when: [is("state", "queued"), is("attempt", attempt.attempt), is("pool", fence.pool)] },
        ),
        ...leaveQueue(job),
      ]);
      return written(outcome, async () => {
        const now = await readJob(access, attempt);
        return now?.attempt === attempt.attempt && now.state === "failed" && now.reason === reason;
      });
    },

    // Moves run one after the other, because concurrent ones would only cancel each other on the other pool's bell.
    move: (fence, moved) =>
      inTurn(async () => {
        await countQueued(access, { pool: moved.to, team: moved.entry.team });
        const outcome = await write(fence, moveParts(fence, moved));
        return written(outcome, async () => {
          const now = await readJob(access, moved.entry);
          return now?.attempt === moved.entry.attempt && now.pool === moved.to;
        });
      }),

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
          key: queueKey({ ...entry, pool: fence.pool }),
          changes: [set("r", reason)],
          when: [is("a", entry.attempt)],
        },
      ]);
      return written(outcome, async () => false);
    },

    async setAside(fence, entry) {
      const key = queueKey({ ...entry, pool: fence.pool });
      const outcome = await write(fence, [{ kind: "update", key, changes: [set(asideMark, true)], when: [is("a", entry.attempt)] }]);
      return written(outcome, async () => false);
    },
  };
};

type Place = Pick<Bind, "entry" | "waitsAs" | "atMs">;

/** Returns the writes that begin a job's attempt on its nodes and remove the job from the queue. Throws if there is no node. */
function placeParts(
  pool: string,
  { entry, waitsAs, nodes, gang, atMs }: Place & { nodes: readonly AttemptNode[]; gang?: readonly string[] },
): Part[] {
  const [first] = nodes;
  if (!first) throw new Error(`${entry.team}/${entry.job} is placed on no node`);
  return [
    ...stateParts(
      { ...entry, state: "queued" },
      { state: "placed" },
      {
        atMs,
        also: [set("attempt", entry.attempt), set("node", first.id), set("gang", gang), set("exitCode", undefined)],
        when: [is("state", "queued"), is("attempt", waitsAs)],
      },
    ),
    { kind: "delete", key: queueKey({ ...entry, pool }), when: [is("a", waitsAs)] },
    beginAttempt(entry, newAttempt(entry, { pool, nodes, atMs })),
  ];
}

/**
 * Returns the writes that move an attempt to another node. A node's first call makes it `ready`, and only then gets orders, so no order for
 * the attempt was handed out as long as the node is `launching`.
 */
function rebindParts(fence: Fence, { attempt, from, node, atMs }: Parameters<Placements["rebind"]>[1]): Part[] {
  const name = assignmentName(attempt);
  return [
    {
      kind: "update",
      key: jobKey(attempt),
      changes: [set("node", node.id)],
      when: [is("state", "placed"), is("attempt", attempt.attempt), is("node", from), isAbsent("gang")],
    },
    {
      kind: "update",
      key: nodeKey(fence.pool, from),
      changes: [set(["assignments", name], undefined), set("lastBusyMs", atMs)],
      when: [is("state", "launching"), is(["assignments", name, "phase"], "placed"), isAbsent(["assignments", name, "evict"])],
    },
    holdPart(fence.pool, node.id, [{ entry: attempt, atMs }]),
    // It replaces the record, because nothing of the attempt has happened on the first node.
    beginAttempt(attempt, newAttempt(attempt, { pool: fence.pool, nodes: [node], atMs })),
  ];
}

/** Returns the writes that move a job. They include the ring, because a crash before a separate ring would leave the job unnoticed. */
const moveParts = ({ pool }: Fence, { entry, to, reason }: Parameters<Placements["move"]>[1]): Part[] => [
  {
    kind: "update",
    key: jobKey(entry),
    changes: [set("pool", to), set("reason", reason)],
    when: [is("state", "queued"), is("attempt", entry.attempt), is("pool", pool)],
  },
  { kind: "delete", key: queueKey({ ...entry, pool }), when: [is("a", entry.attempt)] },
  { kind: "put", item: queueItem(to, { ...entry, reason }) },
  { kind: "update", key: bellKey(to), changes: rings("move"), when: [] },
];

type Held = { readonly entry: QueueEntry | Assignment; readonly rank?: number; readonly atMs: number };

/** Returns the write that makes a node hold attempts. */
function holdPart(pool: string, node: string, held: readonly Held[]): Part {
  const teams = new Set(held.map(({ entry }) => entry.team));
  return {
    kind: "update",
    key: nodeKey(pool, node),
    changes: [
      ...held.map((each) => set(["assignments", assignmentName(each.entry)], newAssignmentItem(each))),
      set("lastBusyMs", Math.max(...held.map(({ atMs }) => atMs))),
    ],
    when: [
      isOneOf("state", ["launching", "ready"]),
      ...[...teams].map((team) => either(isAbsent("team"), is("team", team))),
      ...held.map(({ entry }) => isAbsent(["assignments", assignmentName(entry)])),
    ],
  };
}

const newAssignmentItem = ({ entry, rank, atMs }: Held): Item => {
  const { team, job, attempt } = entry;
  const untilMs = phaseEndsAtMs("placed", atMs, 0);
  return assignmentItem({ team, job, attempt, ...wantsOf(entry), phase: "placed", waitsSinceMs: waitsSince(entry, atMs), untilMs, rank });
};

/** Returns whether the job is already as taking it back would make it. */
const wasTakenBack = (job: Job | undefined, { assignment, reason }: Back): boolean =>
  job?.state === "failed"
    ? job.attempt === assignment.attempt && job.reason?.endsWith(reason) === true
    : job?.state === "queued" && job.attempt === assignment.attempt + 1 && job.reason === reason;

/**
 * Returns the write that makes a sweep seal what the attempt has uploaded. A worker that could not report may have uploaded in any phase,
 * and S3's event of it may be lost. Only the first member uploads files.
 */
const sealingPart = ({ assignment, atMs }: Back): Part[] => (isFirstMember(assignment.rank) ? [beginSealing(assignment, atMs)] : []);

/** Returns the write that takes an attempt off its node, whose instance has ended, or which was never ordered to run it. */
function offPart({ pool }: Fence, { node, assignment, atMs }: Back, now: ReadNode | undefined): Part {
  const name = assignmentName(assignment);
  const isGone = now?.state === "gone";
  return {
    kind: "update",
    key: nodeKey(pool, node),
    changes: [set(["assignments", name], undefined), set("lastBusyMs", atMs)],
    when: isGone
      ? [isThere(["assignments", name]), is("state", "gone")]
      : [is(["assignments", name, "phase"], "placed"), isAbsent(["assignments", name, "orderedAtMs"])],
  };
}

/**
 * Returns the writes that take an attempt back from its job, if it still belongs to this node. For a job that has ended or moved on,
 * there are none.
 */
function takeBackParts(back: Back, job: Job | undefined): Part[] {
  const { node, assignment, atMs } = back;
  if (job?.attempt !== assignment.attempt || job.node === undefined) return [];
  const still = [is("state", job.state), is("attempt", job.attempt), is("node", job.node)];
  if (!dependsOn(job, { attempt: assignment.attempt, node, uploads: assignment.phase === "uploading" })) {
    return job.node === node ? [{ kind: "update", key: jobKey(job), changes: offNodes, when: still }] : [];
  }
  const after = afterLoss(job, back);
  const { state, reason, losses, failures } = after;
  const waits = state === "queued";
  const attempt = job.attempt + (waits ? 1 : 0);
  const counted = [
    ...(losses === undefined ? [] : [set("losses", losses)]),
    ...(failures === undefined ? [] : [set("failures", failures)]),
  ];
  return [
    ...stateParts(job, after, { atMs, also: [set("attempt", attempt), ...counted, ...offNodes], when: still }),
    ...(waits ? enqueue(job, { attempt, reason }) : []),
  ];
}
