import * as z from "zod";
import { Fault } from "../../model/fault.ts";
import type { Launch } from "../../model/launch.ts";
import { offerName } from "../../model/offer.ts";
import type { Placements } from "../../ports/pool-ledger.ts";
import { getItem, putItem, type TableAccess } from "./access.ts";
import { add, is, isAbsent, isAtMost, isThere } from "./expression.ts";
import { type FencedWriter, written } from "./fenced-write.ts";
import { instanceKey, launchKey, poolKey, settledLaunchKey } from "./keys.ts";
import { launchItem, launchOf, refusalItem } from "./launch-item.ts";
import { nodeItem, reservationOf } from "./node-item.ts";
import { readPool } from "./pool-item.ts";
import { micro, stored, ttlAfter } from "./stored.ts";
import { mostParts, type Part, transact } from "./transaction.ts";

const keptDays = 14;
const SettledNodes = z.object({ nodes: z.array(z.string()) });

/** What `place` does with intents. */
export const createLaunchPlacements = (access: TableAccess, { reserve, inTurn }: FencedWriter): Pick<Placements, "intend" | "settle"> => ({
  intend: (fence, launch, limits) =>
    inTurn(fence.pool, async () => {
      const mine = { microUsd: micro(launch.reserved.usdPerHour), gpus: launch.reserved.gpus };
      const written = await transact(access, [
        {
          kind: "update",
          key: poolKey(fence.pool),
          changes: [add("reservedMicroUsd", mine.microUsd), add("reservedGpus", mine.gpus)],
          when: [
            is("epoch", fence.epoch),
            isAtMost("reservedMicroUsd", micro(limits.usdPerHour) - mine.microUsd),
            isAtMost("reservedGpus", limits.gpus - mine.gpus),
          ],
        },
        { kind: "put", item: launchItem(launch), when: [isAbsent("pk")] },
      ]);
      if (written === "done") return "done";
      // Epochs only grow: ours now means ours then, so that it was the limit or the launch that stood in the way.
      if ((await readPool(access, fence.pool)).epoch !== fence.epoch) return "fenced";
      const there = await getItem(access, launchKey(fence.pool, launch.id));
      if (!there) return "limit";
      return launchOf(there).clientToken === launch.clientToken ? "done" : "stale";
    }),

  async settle(fence, { launch, nodes, refusals, atMs }) {
    const ids = nodes.map((node) => node.id);
    const ttl = ttlAfter(atMs, keptDays);
    const reserved = nodes.map(reservationOf);
    const change = {
      microUsd: sum(reserved.map((each) => each.reservedMicroUsd)) - micro(launch.reserved.usdPerHour),
      gpus: sum(reserved.map((each) => each.reservedGpus)) - launch.reserved.gpus,
    };
    const parts: Part[] = [
      { kind: "delete", key: launchKey(fence.pool, launch.id), when: [isThere("pk")] },
      { kind: "put", item: { ...launchItem(launch), ...settledLaunchKey(fence.pool, launch.id), nodes: ids, settledAtMs: atMs, ttl } },
      ...nodes.flatMap((node): Part[] => [
        { kind: "put", item: nodeItem(node), when: [isAbsent("pk")] },
        { kind: "put", item: { ...instanceKey(node.id), pool: fence.pool } },
      ]),
    ];
    if (parts.length >= mostParts)
      throw new Fault("launch-size", `launch ${launch.id} brought ${nodes.length} nodes, too many for one transaction`);
    // What EC2 refused is true whoever decides: what one transaction cannot hold goes ahead of it.
    // One item an offer: a transaction that names an item twice is refused.
    const items = [...new Map(refusals.map((refusal) => [offerName(refusal), refusalItem(fence.pool, refusal)])).values()];
    const room = mostParts - 1 - parts.length;
    for (const item of items.slice(room)) await putItem(access, item);
    parts.push(...items.slice(0, room).map((item): Part => ({ kind: "put", item })));
    return written(await reserve(fence, change, parts), () => wasSettled(access, launch, ids));
  },
});

async function wasSettled(access: TableAccess, launch: Launch, ids: readonly string[]): Promise<boolean> {
  const settled = await getItem(access, settledLaunchKey(launch.pool, launch.id));
  return settled !== undefined && stored(SettledNodes, settled).nodes.join() === ids.join();
}

const sum = (all: readonly number[]): number => all.reduce((total, each) => total + each, 0);
