import * as z from "zod";
import { FleetError } from "../../../model/fleet-error.ts";
import type { Launch } from "../../../model/launch.ts";
import { keptMs } from "../../../model/values/kept.ts";
import type { Fence, Placements, Written } from "../../../ports/pool-ledger.ts";
import { getItem, putItem, type TableAccess } from "../access.ts";
import { isAbsent, isThere, set } from "../expression.ts";
import { launchItem, launchOf } from "../items/launch-item.ts";
import { nodeItem, reservationOf } from "../items/node-item.ts";
import { readPool } from "../items/pool-item.ts";
import { amountOf, minus, nothing, plus, reservingTries, widerKeys } from "../items/reserved-item.ts";
import { instanceKey, launchKey, settledLaunchKey } from "../keys.ts";
import { stored, ttlAfter } from "../stored.ts";
import { maxParts, type Part, transact } from "../transaction.ts";
import { countersOf, counting, exceeds } from "./counters.ts";
import { type FencedWriter, written } from "./fenced-write.ts";

const SettledNodes = z.object({ nodes: z.array(z.string()) });

/** Writes the changes that `place` makes to launches. */
export const createLaunchPlacements = (
  access: TableAccess,
  { write, reserve, inTurn }: FencedWriter,
): Pick<Placements, "intend" | "recordSearch" | "settle"> => ({
  intend: (fence, launch, limits) =>
    inTurn(async () => {
      const counters = countersOf(launch, limits);
      const mine = amountOf(launch.reserved);
      const tooSmall = counters.findIndex((counter) => exceeds(mine, counter));
      const counts = counters.map((counter) => counting(counter, mine, fence.epoch));
      const intent: Part = { kind: "put", item: launchItem(launch), when: [isAbsent("pk")] };
      const outcome = tooSmall >= 0 ? { failed: new Set([tooSmall]) } : await transact(access, [...counts, intent], reservingTries);
      if (outcome === "done") return "done";
      return (await whyNot(access, fence, launch)) ?? { limit: counters.find((_, at) => outcome.failed.has(at))?.scope ?? "pool" };
    }),

  async recordSearch(fence, { launch, search }) {
    const key = launchKey(fence.pool, launch);
    const outcome = await write(fence, [{ kind: "update", key, changes: [set("search", search)], when: [isThere("pk")] }]);
    return written(outcome, async () => false);
  },

  async settle(fence, { launch, nodes, atMs }) {
    const ids = nodes.map((node) => node.id);
    const ttl = ttlAfter(atMs, keptMs.settledLaunch);
    const came = nodes.map(reservationOf).reduce(plus, nothing);
    const change = { team: launch.team, amount: minus(came, amountOf(launch.reserved)) };
    const open = await getItem(access, launchKey(fence.pool, launch.id));
    const parts: Part[] = [
      { kind: "delete", key: launchKey(fence.pool, launch.id), when: [isThere("pk")] },
      // A field that only the next release knows stays in the copy.
      {
        kind: "put",
        item: { ...open, ...launchItem(launch), ...settledLaunchKey(fence.pool, launch.id), nodes: ids, settledAtMs: atMs, ttl },
      },
      ...nodes.map((node): Part => ({ kind: "put", item: nodeItem(node), when: [isAbsent("pk")] })),
    ];
    const room = maxParts - 1 - widerKeys(launch.team).length - parts.length;
    if (room < 0) throw new FleetError("launch-size", `launch ${launch.id} has ${nodes.length} nodes, too many for one transaction`);
    // The pool of an instance is a fact that needs no fence, so items beyond the transaction's limit are written before it.
    const items = nodes.map((node) => ({ ...instanceKey(node.id), pool: fence.pool }));
    for (const item of items.slice(room)) await putItem(access, item);
    parts.push(...items.slice(0, room).map((item): Part => ({ kind: "put", item })));
    return written(await reserve(fence, change, parts), () => wasSettled(access, launch, ids));
  },
});

/** Returns why an intent was not written, or undefined if a limit was the reason. */
async function whyNot(access: TableAccess, fence: Fence, launch: Launch): Promise<Written | undefined> {
  // Epochs only grow, so an epoch that is current now was current then.
  if ((await readPool(access, fence.pool)).epoch !== fence.epoch) return "fenced";
  const there = await getItem(access, launchKey(fence.pool, launch.id));
  return there && (launchOf(there).clientToken === launch.clientToken ? "done" : "stale");
}

async function wasSettled(access: TableAccess, launch: Launch, ids: readonly string[]): Promise<boolean> {
  const settled = await getItem(access, settledLaunchKey(launch.pool, launch.id));
  return settled !== undefined && stored(SettledNodes, settled).nodes.join() === ids.join();
}
