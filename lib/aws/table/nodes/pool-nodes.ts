import type { Node } from "../../../model/node.ts";
import type { UnreadableItem } from "../../../model/plan.ts";
import type { PoolNodes } from "../../../ports/datasets.ts";
import { getPartition, type TableAccess } from "../access.ts";
import { nodesOf } from "../items/node-item.ts";
import { nodePartitions } from "../keys.ts";

export const createPoolNodes = (access: TableAccess): PoolNodes => ({
  nodes: async (pool) => (await readNodes(access, pool)).read,
});

/** Returns a pool's nodes, strongly consistent and by id, and those that cannot be read. */
export async function readNodes(
  access: TableAccess,
  pool: string,
): Promise<{ readonly read: readonly Node[]; readonly unreadable: readonly UnreadableItem[] }> {
  const items = await Promise.all(nodePartitions(pool).map((pk) => getPartition(access, pk)));
  return nodesOf(items.flat());
}
