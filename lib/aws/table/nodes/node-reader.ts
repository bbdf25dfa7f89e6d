import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { NodeReader } from "../../../ports/node-reader.ts";
import { call, getItem, type TableAccess } from "../access.ts";
import { expression } from "../expression.ts";
import { poolOfInstance } from "../items/instance-item.ts";
import { nodeOf } from "../items/node-item.ts";
import { forgottenNodeKey, nodeKey, nodePartition } from "../keys.ts";

export const createNodeReader = (access: TableAccess): NodeReader => ({
  async list(pool, { after, limit }) {
    const { client, table } = access;
    const pk = nodePartition(pool);
    const { Items = [] } = await call((options) =>
      client.send(
        new QueryCommand({
          TableName: table,
          Limit: limit,
          ...expression({ keyIs: { pk } }),
          ...(after ? { ExclusiveStartKey: { pk, sk: after } } : {}),
        }),
        options,
      ),
    );
    return Items.map(nodeOf);
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
