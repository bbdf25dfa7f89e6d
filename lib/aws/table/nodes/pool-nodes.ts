import type { PoolNodes } from "../../../ports/datasets.ts";
import { getPartition, type TableAccess } from "../access.ts";
import { nodeOf } from "../items/node-item.ts";
import { nodePartition } from "../keys.ts";
import { separated } from "../stored.ts";

export const createPoolNodes = (access: TableAccess): PoolNodes => ({
  nodes: async (pool) => separated("node", await getPartition(access, nodePartition(pool)), nodeOf).read,
});
