import { noOverrides } from "../../model/overrides/overrides.ts";
import { subjectName } from "../../model/refusal.ts";
import type { CapacityMemory } from "../../ports/capacity.ts";
import type { NodeReader } from "../../ports/node-reader.ts";
import type { PoolOverrides } from "../../ports/overrides.ts";
import { memoryBell, memoryCatalogues, memoryDecisions } from "./decisions.ts";
import { Interruptions } from "./interruptions.ts";
import { memoryAdmissions, memoryCancellations, memoryJobReader, memoryLookup, memorySealing } from "./jobs.ts";
import type { LedgerMethod, LedgerPorts } from "./ledger-ports.ts";
import { memoryNodeLedger } from "./node-ledger.ts";
import { memoryOrphans, memoryOutboxClaims, memoryPoolRegistry } from "./orphans.ts";
import { memoryPlacements } from "./placements.ts";
import { MemoryTable } from "./table.ts";

export type MemoryLedger = LedgerPorts & {
  /** Its content, which tests may read and change. */
  readonly table: MemoryTable;
  /** `wire.loseResponseOf(method, n)`, `wire.failBefore(method, n)`, `wire.before(method, run, n)` and `wire.calls`. */
  readonly wire: Interruptions<LedgerMethod>;
};

/** Returns the whole ledger in memory. With `lag`, the job reader does not see the newest write to any job. */
export function memoryLedger(options: { lag?: boolean } = {}): MemoryLedger {
  const table = new MemoryTable();
  const wire = new Interruptions<LedgerMethod>();
  return {
    table,
    wire,
    bell: memoryBell(table, wire),
    admissions: memoryAdmissions(table, wire),
    cancellations: memoryCancellations(table, wire),
    jobLookup: memoryLookup(table, wire),
    jobReader: memoryJobReader(table, wire, () => options.lag ?? false),
    sealing: memorySealing(table, wire),
    decisions: memoryDecisions(table, wire),
    capacity: memoryCapacity(table, wire),
    overrides: memoryOverrides(table, wire),
    placements: memoryPlacements(table, wire),
    catalogues: memoryCatalogues(table, wire),
    nodeLedger: memoryNodeLedger(table, wire),
    nodeReader: memoryNodeReader(table, wire),
    registry: memoryPoolRegistry(table, wire),
    orphans: memoryOrphans(table, wire),
    outboxClaims: memoryOutboxClaims(table, wire),
  };
}

const memoryCapacity = (table: MemoryTable, wire: Interruptions<LedgerMethod>): CapacityMemory => ({
  change: (subject, next) =>
    wire.call("capacity.change", () => {
      const name = subjectName(subject);
      const known = table.refusals.get(name);
      const wanted = next(known);
      if (wanted === known) return false;
      if (wanted) table.refusals.set(name, wanted);
      else table.refusals.delete(name);
      return true;
    }),
});

const memoryOverrides = (table: MemoryTable, wire: Interruptions<LedgerMethod>): PoolOverrides => ({
  get: (pool) => wire.call("overrides.get", () => table.overrides.get(pool) ?? noOverrides),
  replace: (pool, next) =>
    wire.call("overrides.replace", () => {
      if ((table.overrides.get(pool)?.version ?? 0) !== next.version - 1) return "stale";
      table.overrides.set(pool, structuredClone(next));
      return "done";
    }),
});

const memoryNodeReader = (table: MemoryTable, wire: Interruptions<LedgerMethod>): NodeReader => ({
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
