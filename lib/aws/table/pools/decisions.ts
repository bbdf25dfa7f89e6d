import { byTurn } from "../../../model/job.ts";
import { acrossPools } from "../../../model/overrides/overrides.ts";
import type { Decisions, Fence } from "../../../ports/pool-ledger.ts";
import { getItems, getPartition, type Item, type TableAccess, tryUpdate, updateItem } from "../access.ts";
import { add, either, is, isAbsent, isBelow, set, setAll, setOnce } from "../expression.ts";
import { backOffsOf } from "../items/back-offs-item.ts";
import { bootFailureOf, silentEndOf } from "../items/boot-failure-item.ts";
import { jobsOfLaunch, launchOf } from "../items/launch-item.ts";
import { learnedOf } from "../items/learned-item.ts";
import { overridesOf } from "../items/overrides-item.ts";
import { bellOf, hearingOf, noteHeard, poolOf, readBell, readPool } from "../items/pool-item.ts";
import { asideMark, entryOf } from "../items/queue-item.ts";
import { refusalOf } from "../items/refusal-item.ts";
import { readWider } from "../items/reserved-item.ts";
import { readSpent } from "../items/spent-item.ts";
import {
  backOffsKey,
  bellKey,
  bootFailurePartition,
  faultPartition,
  fenceKey,
  fenceShards,
  hearingKey,
  isSilentEnd,
  type Key,
  launchPartition,
  learnedKey,
  overridesKey,
  poolKey,
  refusalPartition,
} from "../keys.ts";
import { readNodes } from "../nodes/pool-nodes.ts";
import { separated } from "../stored.ts";
import { transact } from "../transaction.ts";
import { createCatalogueStore } from "./catalogue-store.ts";
import { countQueues, readQueues } from "./queues.ts";
import { namedStuck, readableAgain } from "./unread-jobs.ts";

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
      const { wakeAtMs, lookedAtMs } = bell;
      const begun = { fence, ringsSeen: bell.bell, causes: [...bell.causes].sort() };
      return { ...begun, ...(wakeAtMs !== undefined && { wakeAtMs }), ...(lookedAtMs !== undefined && { lookedAtMs }) };
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
        others,
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
        getItems(access, [learnedKey(pool), overridesKey(pool), overridesKey(acrossPools), backOffsKey(pool), hearingKey]),
      ]);
      const other = ({ pk, sk }: Key): Item | undefined => others.find((item) => item["pk"] === pk && item["sk"] === sk);
      const { overrides, unreadable: orders } = overridesOf(other(overridesKey(pool)));
      const { overrides: widerOverrides, unreadable: limits } = overridesOf(other(overridesKey(acrossPools)));
      const hearing = hearingOf(other(hearingKey));
      const backOffs = backOffsOf(other(backOffsKey(pool)));
      const [ends, failures] = [bootFailures.filter(({ sk }) => isSilentEnd(sk)), bootFailures.filter(({ sk }) => !isSilentEnd(sk))];
      const parts = {
        nodes,
        openLaunches: separated("launch", openLaunches, launchOf, jobsOfLaunch),
        refusals: separated("refusal", [...refusals, ...faults], refusalOf),
        bootFailures: separated("boot failure", failures, bootFailureOf),
        silentEnds: separated("silent end", ends, silentEndOf),
      };
      const stuck = await namedStuck(access, nodes.read, nowMs);
      const ofParts = Object.values(parts).flatMap((part) => part.unreadable);
      const unreadable = [...counters, ...records, ...orders, ...limits, ...ofParts, ...stuck];
      return {
        reserved: state.reserved,
        reservedWider,
        spent,
        nodes: parts.nodes.read,
        openLaunches: parts.openLaunches.read,
        catalogue,
        refusals: parts.refusals.read,
        bootFailures: parts.bootFailures.read,
        silentEnds: parts.silentEnds.read,
        ...(hearing && { hearing }),
        ...(backOffs.length > 0 && { backOffs }),
        learned: learnedOf(other(learnedKey(pool))),
        ...(overrides && { overrides }),
        ...(widerOverrides && { widerOverrides }),
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

    async finish(fence, { ringsSeen, busy, wakeAtMs, lookedAtMs }) {
      const item = await tryUpdate(access, bellKey(fence.pool), {
        changes: [
          ...setAll({ decidedThrough: ringsSeen, busy, wakeAtMs }),
          ...(lookedAtMs === undefined ? [] : [set("lookedAtMs", lookedAtMs)]),
        ],
        when: [is("decider", fence.epoch)],
      });
      if (!item) return "fenced";
      return bellOf(item).bell > ringsSeen ? "rang" : "quiet";
    },

    heard: (atMs) => noteHeard(access, atMs),

    async state(pool) {
      const [{ epoch, reserved }, { bell, decidedThrough, busy }] = await Promise.all([readPool(access, pool), readBell(access, pool)]);
      return { bell, decidedThrough, epoch, reserved, busy };
    },

    async resetLearning(pool) {
      await transact(access, [{ kind: "delete", key: learnedKey(pool) }]);
    },
  };
};

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
