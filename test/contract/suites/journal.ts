import { describe, expect, test } from "vitest";
import type { DecisionRecord, Journal } from "../../../lib/ports/journal.ts";
import { aDecision, monday } from "../../fakes/builders.ts";

export type JournalStage = { readonly journal: Journal; recorded(): Promise<readonly DecisionRecord[]> };

/** `make` must return an empty journal each time. */
export function journalContract(name: string, make: () => Promise<JournalStage>): void {
  describe(`journal: ${name}`, () => {
    test("decisions are recorded as they were made, in order of time", async () => {
      const stage = await make();
      const decisions = [
        aDecision(),
        aDecision({ id: "decision-2", atMs: monday + 1 }),
        aDecision({ id: "decision-3", atMs: monday + 60_000 }),
      ];
      for (const decision of decisions) await stage.journal.record(decision);
      expect(await stage.recorded()).toEqual(decisions);
    });
  });
}
