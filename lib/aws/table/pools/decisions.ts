import { byTurn, jobName, type QueueEntry } from "../../../model/job.ts";
import type { Node } from "../../../model/node.ts";
import type { UnreadableItem } from "../../../model/plan.ts";
import type { Decisions, Fence } from "../../../ports/pool-ledger.ts";
import { getItem, getPartition, type Item, maxKeys, type TableAccess, tryUpdate, updateItem } from "../access.ts";
import { add, either, is, isAbsent, isBelow, set, setAll, setOnce } from "../expression.ts";
import { bootFailureOf } from "../items/boot-failure-item.ts";
import { readSomeJobs } from "../items/job-item.ts";
import { jobsOfLaunch, launchOf } from "../items/launch-item.ts";
import { learnedOf } from "../items/learned-item.ts";
import { bellOf, poolOf, readBell, readPool } from "../items/pool-item.ts";
import { asideMark, entryOf } from "../items/queue-item.ts";
import { refusalOf } from "../items/refusal-item.ts";
import { readWider } from "../items/reserved-item.ts";
import { readSpent } from "../items/spent-item.ts";
import {
  bellKey,
  bootFailurePartition,
  faultPartition,
  fenceKey,
  fenceShards,
  jobKey,
  launchPartition,
  learnedKey,
  poolKey,
  refusalPartition,
} from "../keys.ts";
import { readNodes } from "../nodes/pool-nodes.ts";
import { separated } from "../stored.ts";
import { transact } from "../transaction.ts";
import { createCatalogueStore } from "./catalogue-store.ts";
import { countQueues, readQueues } from "./queues.ts";

const shards = (count: number): number[] => Array.from({ length: count }, (_, shard) => shard);

export const createDecisions = (access: TableAccess): Decisions => {
  const catalogues = createCatalogueStore(access);

  return {
    async begin(pool) {
      const { item } = await updateItem(access, poolKey(pool), {
        changes: [add("epoch", 1), setOnce("reservedMicroUsd", 0), setOnce("reservedGpus", 0)],
      });
      const fence = { pool, epoch: poolOf(item).epoch };
      const [, bell] = await Promise.all([raiseFences(access, fence), takeBell(access, fence)]);
      const begun = { fence, ringsSeen: bell.bell, causes: [...bell.causes].sort() };
      return bell.wakeAtMs === undefined ? begun : { ...begun, wakeAtMs: bell.wakeAtMs };
    },

    async load(pool, nowMs) {
      const [
        state,
        { wider: reservedWider, unreadable: counters },
        { spent, unreadable: records },
        nodes,
        openLaunches,
        refusals,
        faults,
        bootFailures,
        catalogue,
        learned,
      ] = await Promise.all([
        readPool(access, pool),
        readWider(access),
        readSpent(access, pool, nowMs),
        readNodes(access, pool),
        getPartition(access, launchPartition(pool)),
        getPartition(access, refusalPartition),
        getPartition(access, faultPartition(pool)),
        getPartition(access, bootFailurePartition(pool)),
        catalogues.get(pool),
        getItem(access, learnedKey(pool)),
      ]);
      const parts = {
        nodes,
        openLaunches: separated("launch", openLaunches, launchOf, jobsOfLaunch),
        refusals: separated("refusal", [...refusals, ...faults], refusalOf),
        bootFailures: separated("boot failure", bootFailures, bootFailureOf),
      };
      const stuck = await namedStuck(access, nodes.read, nowMs);
      const unreadable = [...counters, ...records, ...Object.values(parts).flatMap((part) => part.unreadable), ...stuck];
      return {
        reserved: state.reserved,
        reservedWider,
        spent,
        nodes: parts.nodes.read,
        openLaunches: parts.openLaunches.read,
        catalogue,
        refusals: parts.refusals.read,
        bootFailures: parts.bootFailures.read,
        learned: learnedOf(learned),
        ...(unreadable.length > 0 && { unreadable }),
      };
    },

    async waiting(pool, nowMs) {
      const { items, queued } = await readQueues(access, pool, nowMs);
      const [aside, others] = [items.filter((item) => item[asideMark]), items.filter((item) => !item[asideMark])];
      const entries = separated("queue entry", others, entryOf);
      const again = await readableAgain(access, aside, nowMs);
      const unreadable = [...entries.unreadable, ...again.unreadable];
      return { queue: [...entries.read, ...again.read].toSorted(byTurn), queued, ...(unreadable.length > 0 && { unreadable }) };
    },

    countQueued: (pool) => countQueues(access, pool),

    isCurrent: async (fence) => (await readPool(access, fence.pool)).epoch === fence.epoch,

    async finish(fence, { ringsSeen, busy, wakeAtMs }) {
      const item = await tryUpdate(access, bellKey(fence.pool), {
        changes: setAll({ decidedThrough: ringsSeen, busy, wakeAtMs }),
        when: [is("decider", fence.epoch)],
      });
      if (!item) return "fenced";
      return bellOf(item).bell > ringsSeen ? "rang" : "quiet";
    },

    async state(pool) {
      const [{ epoch, reserved }, { bell, decidedThrough, busy }] = await Promise.all([readPool(access, pool), readBell(access, pool)]);
      return { bell, decidedThrough, epoch, reserved, busy };
    },

    async resetLearning(pool) {
      await transact(access, [{ kind: "delete", key: learnedKey(pool) }]);
    },
  };
};

/**
 * Returns those of the entries that were set aside whose jobs can be read now, and names the others. If there are very many, each minute
 * looks at other ones.
 */
async function readableAgain(
  access: TableAccess,
  aside: readonly Item[],
  nowMs: number,
): Promise<ReturnType<typeof separated<QueueEntry>>> {
  if (aside.length === 0) return { read: [], unreadable: [] };
  const turn = aside.length > maxKeys ? (Math.floor(nowMs / 60_000) * maxKeys) % aside.length : 0;
  const inTurn = [...aside.slice(turn), ...aside.slice(0, turn)];
  const { read, unreadable } = separated("queue entry", inTurn.slice(0, maxKeys), entryOf);
  const jobs = await readSomeJobs(access, read);
  const readable = new Set(jobs.read.map(jobName));
  const isNamed = new Set(jobs.unreadable.map(({ key }) => key));
  const missing = read.filter((entry) => !readable.has(jobName(entry)) && !isNamed.has(nameOf(jobKey(entry))));
  return {
    read: read.filter((entry) => readable.has(jobName(entry))),
    unreadable: [
      ...unreadable,
      ...jobs.unreadable,
      ...missing.map((entry): UnreadableItem => ({ kind: "job", key: nameOf(jobKey(entry)), why: "there is no such item" })),
      ...inTurn
        .slice(maxKeys)
        .map((item): UnreadableItem => ({ kind: "queue entry", key: nameOf(item), why: "its job could not be read" })),
    ],
  };
}

/** A node that is ready starts what it was given within seconds, so an attempt that waits for longer may have a job that cannot be read. */
const startsWithinMs = 2 * 60_000;
/** The most such jobs that are read for one decision. */
const maxStuck = 50;

/** Names jobs that nodes hold and do not start because the jobs cannot be read. */
async function namedStuck(access: TableAccess, nodes: readonly Node[], nowMs: number): Promise<readonly UnreadableItem[]> {
  const idle = nodes.filter(({ state, lastBusyMs }) => state === "ready" && nowMs - lastBusyMs > startsWithinMs);
  const held = idle.flatMap(({ assignments }) => assignments.filter(({ phase }) => phase === "placed")).slice(0, maxStuck);
  return held.length === 0 ? [] : (await readSomeJobs(access, held)).unreadable;
}

const nameOf = ({ pk, sk }: Item): string => `${String(pk)} ${String(sk)}`;

/** Raises the copies of the epoch that writes check. If a later decision was faster, they stay as they are, and this decision is void. */
async function raiseFences(access: TableAccess, { pool, epoch }: Fence): Promise<void> {
  const older = [either(isAbsent("epoch"), isBelow("epoch", epoch))];
  await transact(
    access,
    shards(fenceShards).map((shard) => ({ kind: "update", key: fenceKey(pool, shard), changes: [set("epoch", epoch)], when: older })),
  );
}

/** Reads the bell, takes its causes and marks this decision as the one that may record the rings it has seen, unless a later one has. */
async function takeBell(access: TableAccess, { pool, epoch }: Fence): Promise<ReturnType<typeof bellOf>> {
  const item = await tryUpdate(access, bellKey(pool), {
    changes: [set("decider", epoch), set("causes", undefined)],
    when: [either(isAbsent("decider"), isBelow("decider", epoch))],
    returns: "as it was",
  });
  return item ? bellOf(item) : { ...(await readBell(access, pool)), causes: new Set() };
}
