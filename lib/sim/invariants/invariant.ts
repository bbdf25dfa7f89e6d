import type { Fact } from "../world/facts.ts";
import type { Seen } from "../world/seen.ts";

/** What is wrong, in words; nothing when all is well. */
export type Wrong = string | undefined;

/** One of the nine things that must hold, always. */
export type Invariant = {
  readonly number: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
  readonly name: string;
  /** What must hold. */
  readonly says: string;
  /** A check of one run. */
  readonly watch: (seen: () => Seen) => Watch;
};

export type Watch = {
  /** Looks at what has just happened. */
  readonly on?: (fact: Fact) => Wrong;
  /** Looks at the world when nothing is left to do. */
  readonly atRest?: () => Wrong;
  /** Looks at it once more, after ten minutes of rest. */
  readonly afterRest?: () => Wrong;
};
