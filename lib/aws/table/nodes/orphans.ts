import pMap from "p-map";
import * as z from "zod";
import type { TaggedInstance } from "../../../model/tagged-instance.ts";
import type { Orphans } from "../../../ports/orphans.ts";
import { getItem, putItem, type TableAccess } from "../access.ts";
import { poolOfInstance } from "../items/instance-item.ts";
import { launchKey, nodeKey, orphansKey } from "../keys.ts";
import { isUnreadable, stored } from "../stored.ts";

const StoredOrphans = z.object({ since: z.record(z.string(), z.number()) });
const concurrency = 16;

export const createOrphans = (access: TableAccess): Orphans => ({
  async unowned(instances) {
    const owned = await pMap(instances, (instance) => isOwned(access, instance), { concurrency });
    return instances.filter((_instance, n) => !owned[n]);
  },

  async recorded() {
    const item = await getItem(access, orphansKey);
    return new Map(item ? Object.entries(stored(StoredOrphans, item).since) : []);
  },

  record: (since) => putItem(access, { ...orphansKey, since: Object.fromEntries(since) }),
});

/** An instance whose item cannot be read may be in any pool, so it counts as owned. */
function ifUnreadable(error: unknown): "unreadable" {
  if (isUnreadable(error)) return "unreadable";
  throw error;
}

/** Returns whether the fleet knows an instance. Reads the launch first, because nodes are recorded before their launch is settled. */
async function isOwned(access: TableAccess, { id, launch, pool }: TaggedInstance): Promise<boolean> {
  const isOpen = launch !== undefined && pool !== undefined && (await getItem(access, launchKey(pool, launch))) !== undefined;
  if (isOpen) return true;
  const its = await poolOfInstance(access, id).catch(ifUnreadable);
  return its === "unreadable" || (its !== undefined && (await getItem(access, nodeKey(its, id))) !== undefined);
}
