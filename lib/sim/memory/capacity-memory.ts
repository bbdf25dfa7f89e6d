import { subjectName } from "../../model/refusal.ts";
import type { CapacityMemory } from "../../ports/capacity.ts";
import type { Interruptions } from "./interruptions.ts";
import type { LedgerMethod } from "./ledger-ports.ts";
import type { MemoryTable } from "./table.ts";

export const memoryCapacity = (table: MemoryTable, wire: Interruptions<LedgerMethod>): CapacityMemory => ({
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
