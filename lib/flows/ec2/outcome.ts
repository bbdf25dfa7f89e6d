import { inWords } from "../../model/errors/in-words.ts";
import type { Written } from "../../ports/pool-ledger.ts";
import type { Later } from "./rate-limiter.ts";

/**
 * The outcome of a step. `again`: it changed what there is to decide on. `same`: it found nothing that is new. `stale`: nothing was done, because what it was based on has
 * changed. `failed`: it could not be done. `later`: EC2 must not be called before `atMs`. `fenced`: a later decision has begun, and nothing
 * more was tried. `note` is for the decision's record; `error` is what was thrown, for the log.
 */
export type StepOutcome =
  | { readonly result: "done" | "again" | "same" | "stale" | "fenced"; readonly note: string }
  | { readonly result: "failed"; readonly note: string; readonly error?: unknown }
  | { readonly result: "later"; readonly note: string; readonly atMs: number };

export const fencedOff: StepOutcome = { result: "fenced", note: "a later decision has begun" };

export const failedBy = (error: unknown): StepOutcome => ({ result: "failed", note: inWords(error), error });

/** No request to EC2 was available, so none was sent. */
export const waitsForTurn = ({ atMs }: Later): StepOutcome => ({ result: "later", note: "waiting for a turn at EC2", atMs });

/** EC2 throttled the request, so nothing was done. */
export const throttledBy = ({ atMs }: Later): StepOutcome => ({ result: "later", note: "EC2 throttled it", atMs });

export function written(outcome: Written): StepOutcome {
  switch (outcome) {
    case "done":
      return { result: "done", note: "done" };
    case "stale":
      return { result: "stale", note: "it had changed meanwhile" };
    case "fenced":
      return fencedOff;
  }
}
