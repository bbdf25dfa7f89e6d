import { memoryCapacity } from "./capacity-memory.ts";
import { memoryBell, memoryCatalogues, memoryDecisions } from "./decisions.ts";
import { Interruptions } from "./interruptions.ts";
import { memoryAdmissions, memoryCancellations, memoryJobReader, memoryLookup, memorySealing } from "./jobs.ts";
import type { Ledger, LedgerMethod } from "./ledger-ports.ts";
import { memoryNodeLedger } from "./node-ledger.ts";
import { memoryNodeReader } from "./node-reader.ts";
import { memoryPlacements } from "./placements.ts";
import { memoryPoolRegistry, memoryStrays } from "./strays.ts";
import { MemoryTable } from "./table.ts";

export type MemoryLedger = Ledger & {
  /** What is in it, to read and to arrange. */
  readonly table: MemoryTable;
  /** `wire.loseAnswerOf(method, n)`, `wire.failBefore(method, n)`, `wire.before(method, run, n)` and `wire.calls`. */
  readonly wire: Interruptions<LedgerMethod>;
};

/** The whole ledger in memory. `lag`: the job reader does not see the newest write to any job. */
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
    placements: memoryPlacements(table, wire),
    catalogues: memoryCatalogues(table, wire),
    nodeLedger: memoryNodeLedger(table, wire),
    nodeReader: memoryNodeReader(table, wire),
    registry: memoryPoolRegistry(table, wire),
    strays: memoryStrays(table, wire),
  };
}
