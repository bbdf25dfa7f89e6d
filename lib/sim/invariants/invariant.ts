import type { Fact } from "../world/facts.ts";
import type { Seen } from "../world/seen.ts";

/** A description of what is wrong; undefined if nothing is. */
export type Wrong = string | undefined;

/** One of the nine properties that must always hold. */
export type Invariant = {
  readonly number: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
  readonly name: string;
  /** The property in words. */
  readonly says: string;
  /** Begins to check one run. */
  readonly watch: (seen: () => Seen) => Watch;
};

export type Watch = {
  /** Checks something that has just happened. */
  readonly on?: (fact: Fact) => Wrong;
  /** Checks the world when nothing is left to do. */
  readonly atRest?: () => Wrong;
  /** Checks the world again after ten minutes of rest. */
  readonly afterRest?: () => Wrong;
};
