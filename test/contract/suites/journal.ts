import { describe, expect, test } from "vitest";
import type { Decision, Journal } from "../../../lib/ports/journal.ts";
import { aCatalogue, aNode, anEntry, aPool, monday } from "../../fakes/builders.ts";

export type JournalStage = { readonly journal: Journal; recorded(): Promise<readonly Decision[]> };

const aDecision = (over: Partial<Decision> = {}): Decision => ({
  id: "decision-1",
  pool: "gpu",
  epoch: 7,
  atMs: monday,
  causes: ["job", "tick"],
  snapshot: {
    nowMs: monday,
    pool: aPool(),
    reserved: { usdPerHour: 0.5, gpus: 1 },
    spent: { dayUsd: 1.25, monthUsd: 20 },
    queue: [anEntry()],
    nodes: [aNode()],
    openLaunches: [],
    catalogue: aCatalogue(),
    refusals: [],
  },
  plan: { steps: [{ kind: "bind", entry: anEntry(), node: aNode().id, because: "it has room" }], wakeAtMs: monday + 120_000 },
  outcomes: ["done"],
  ...over,
});

/** `make` gives an empty journal each time. */
export function journalContract(name: string, make: () => Promise<JournalStage>): void {
  describe(`journal: ${name}`, () => {
    test("keeps decisions as they were made, in the order of their time", async () => {
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
