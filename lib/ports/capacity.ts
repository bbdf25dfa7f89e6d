import type { Refusal, Subject } from "../model/refusal.ts";

/** What is held against offers and quotas, for every handler and every pool; `Decisions.load` reads it. */
export interface CapacityMemory {
  /**
   * Writes what `next` makes of what is known about a subject, as if nobody else wrote at the same time; `next` may be asked
   * several times, is given what is there (undefined: nothing), and answers the same object to leave it as it is.
   * True when something was written.
   */
  change(subject: Subject, next: (known: Refusal | undefined) => Refusal | undefined): Promise<boolean>;
}
