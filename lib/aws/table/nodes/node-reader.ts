import type { Node } from "../../../model/node.ts";
import type { NodeReader } from "../../../ports/node-reader.ts";
import { getItem, type Item, queryPages, type TableAccess } from "../access.ts";
import { expression, isAbove } from "../expression.ts";
import { poolOfInstance } from "../items/instance-item.ts";
import { getNode, itemsByNode, nodeOf, nodesOf } from "../items/node-item.ts";
import { forgottenNodeKey, nodePartitions, nodeRange } from "../keys.ts";

export const createNodeReader = (access: TableAccess): NodeReader => ({
  async list(pool, { after, limit }) {
    const items = await Promise.all(nodePartitions(pool).map((pk) => firstNodes(access, { pk, after, limit })));
    return nodesOf(items.flat()).read.slice(0, limit);
  },

  async find(node) {
    const pool = await poolOfInstance(access, node, { behind: true });
    if (pool === undefined) return undefined;
    // The order matters, because a node moves from the first place to the second.
    return (await getNode(access, pool, node, { behind: true })) ?? (await forgotten(access, pool, node));
  },
});

/** Returns all items of at least the first `limit` nodes of a partition after the id `after`. */
async function firstNodes(
  access: TableAccess,
  { pk, after, limit }: { readonly pk: string; readonly after: string | undefined; readonly limit: number },
): Promise<Item[]> {
  const items: Item[] = [];
  const query = expression({ keyIs: { pk }, ...(after !== undefined && { within: [isAbove("sk", nodeRange(after)[1])] }) });
  // A node has up to three items. The last node may not be whole, so one more is read than is needed.
  for await (const { Items = [] } of queryPages(access, { Limit: 3 * (limit + 1), ...query })) {
    items.push(...Items);
    if (itemsByNode(items).length > limit) break;
  }
  return items;
}

async function forgotten(access: TableAccess, pool: string, node: string): Promise<Node | undefined> {
  const item = await getItem(access, forgottenNodeKey(pool, node), { behind: true });
  return item && nodeOf({ item, heartbeat: item["heartbeat"] as Item | undefined });
}
