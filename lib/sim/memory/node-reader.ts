import type { NodeReader } from "../../ports/node-reader.ts";
import type { Interruptions } from "./interruptions.ts";
import type { LedgerMethod } from "./ledger-ports.ts";
import type { MemoryTable } from "./table.ts";

export const memoryNodeReader = (table: MemoryTable, wire: Interruptions<LedgerMethod>): NodeReader => ({
  list: (pool, { after = "", limit }) =>
    wire.call("nodeReader.list", () =>
      [...table.nodes.values()]
        .map(({ node }) => node)
        .filter((node) => node.pool === pool && node.id > after)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit),
    ),
  find: (id) =>
    wire.call("nodeReader.find", () => {
      const live = [...table.nodes.values()].find(({ node }) => node.id === id);
      return live?.node ?? [...table.forgotten.values()].find((node) => node.id === id);
    }),
});
