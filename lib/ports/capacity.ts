import type { Refusal, Subject } from "../model/refusal.ts";

/** The refusals of offers and quotas that all handlers and pools share; `Decisions.load` reads them. */
export interface CapacityMemory {
  /**
   * Replaces the refusal of a subject by what `next` makes of it, as if no other handler wrote at the same time. `next` receives the
   * stored refusal (undefined if there is none) and may be called several times. It returns the same object to leave the refusal
   * as it is, or undefined to remove it. Returns whether something was written.
   */
  change(subject: Subject, next: (known: Refusal | undefined) => Refusal | undefined): Promise<boolean>;
}
