import type { DecisionRecord, Journal } from "../../ports/journal.ts";
import { Interruptions } from "./interruptions.ts";

/** Keeps decisions in the order in which they were recorded. */
export class MemoryJournal implements Journal {
  readonly decisions: DecisionRecord[] = [];
  readonly interruptions = new Interruptions<"record">();

  record(decision: DecisionRecord): Promise<void> {
    return this.interruptions.call("record", () => void this.decisions.push(decision));
  }
}
