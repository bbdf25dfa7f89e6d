import type { Node } from "../../../model/node.ts";
import type { NodeReader } from "../../../ports/node-reader.ts";
import { getItem, type Item, queryPage, type TableAccess } from "../access.ts";
import { expression } from "../expression.ts";
import { poolOfInstance } from "../items/instance-item.ts";
import { nodeOf } from "../items/node-item.ts";
import { forgottenNodeKey, nodeKey, nodePartition } from "../keys.ts";
import { separated } from "../stored.ts";

export const createNodeReader = (access: TableAccess): NodeReader => ({
  async list(pool, { after, limit }) {
    const pk = nodePartition(pool);
    const nodes: Node[] = [];
    let from: Item | undefined = after === undefined ? undefined : { pk, sk: after };
    do {
      const { Items = [], LastEvaluatedKey } = await queryPage(access, {
        Limit: limit - nodes.length,
        ...expression({ keyIs: { pk } }),
        ...(from ? { ExclusiveStartKey: from } : {}),
      });
      nodes.push(...separated("node", Items, nodeOf).read);
      from = LastEvaluatedKey;
    } while (from && nodes.length < limit);
    return nodes;
  },

  async find(node) {
    const pool = await poolOfInstance(access, node, { behind: true });
    if (pool === undefined) return undefined;
    // The order matters, because a node moves from the first place to the second.
    const item =
      (await getItem(access, nodeKey(pool, node), { behind: true })) ??
      (await getItem(access, forgottenNodeKey(pool, node), { behind: true }));
    return item && nodeOf(item);
  },
});
