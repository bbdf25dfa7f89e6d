import type { Fact } from "../world/facts.ts";
import type { WorldView } from "../world/seen.ts";

/** A description of what is wrong; undefined if nothing is. */
export type InvariantBreach = string | undefined;

/** One of the properties that must always hold. */
export type Invariant = {
  readonly number: number;
  readonly name: string;
  /** The property in words. */
  readonly says: string;
  /** Begins to check one run. */
  readonly watch: (seen: () => WorldView) => Watch;
};

/**
 * Returns a function that reports whether it is time for a check that is made at most once in `ms`, because it is too expensive for each
 * fact. The first time is `ms` after `fromMs`.
 */
export function atMostEvery(ms: number, fromMs = 0): (nowMs: number) => boolean {
  let checkedMs = fromMs;
  return (nowMs) => {
    if (nowMs - checkedMs < ms) return false;
    checkedMs = nowMs;
    return true;
  };
}

export type Watch = {
  /** Checks something that has just happened. */
  readonly on?: (fact: Fact) => InvariantBreach;
  /** Checks the world when everything is done that an unreadable item does not hold up, right before the item is repaired. */
  readonly beforeRepair?: () => InvariantBreach;
  /** Checks the world when nothing is left to do. */
  readonly atRest?: () => InvariantBreach;
  /** Checks the world again after ten minutes of rest. */
  readonly afterRest?: () => InvariantBreach;
};
