/**
 * How much work may be done. A plan depends on the steps that were made and not on the time that they took: whoever counts time
 * records the steps, and whoever replays a plan counts those.
 */
export type Budget = {
  /** Counts steps, at least one, and says whether there may be more. */
  readonly spend: (steps: number) => boolean;
};

/** So many steps. */
export function stepBudget(most: number): Budget {
  let used = 0;
  return {
    spend: (steps) => {
      used += Math.max(1, steps);
      return used < most;
    },
  };
}

/** Until `untilMs` by the clock that is passed in, and no more once another slice like the longest so far would end later. */
export function clockBudget(now: () => number, untilMs: number): Budget {
  let last = now();
  let longest = 0;
  return {
    spend: () => {
      const at = now();
      longest = Math.max(longest, at - last);
      last = at;
      return at + longest < untilMs;
    },
  };
}

/** Counts what is spent of a budget; `enough` is the least budget of steps that gives the same answers. */
export class Counted implements Budget {
  readonly #of: Budget;
  #used = 0;
  #ended: number | undefined;

  constructor(of: Budget) {
    this.#of = of;
  }

  spend(steps: number): boolean {
    this.#used += Math.max(1, steps);
    const isMore = this.#ended === undefined && this.#of.spend(steps);
    if (!isMore) this.#ended ??= this.#used;
    return isMore;
  }

  get enough(): number {
    return this.#ended ?? this.#used + 1;
  }
}
