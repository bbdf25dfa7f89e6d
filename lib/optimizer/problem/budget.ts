/**
 * A limit on the work of a search. A plan depends on the number of steps and not on the time that they took. A run with a limit on time
 * must therefore record its steps, so that a replay can use a limit on steps.
 */
export type Budget = {
  /** Counts steps, at least one. Returns true if more steps may follow. */
  readonly spend: (steps: number) => boolean;
};

/** Returns a budget of `most` steps. */
export function stepBudget(most: number): Budget {
  let used = 0;
  return {
    spend: (steps) => {
      used += Math.max(1, steps);
      return used < most;
    },
  };
}

/** Returns a budget that ends at `untilMs` of the given clock, or earlier if a slice as long as the longest so far would end later. */
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

/** Counts the steps spent of a budget. `enough` is the smallest budget of steps that gives the same results. */
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

  /** True unless the budget has ended. */
  get isMore(): boolean {
    return this.#ended === undefined;
  }

  get enough(): number {
    return this.#ended ?? this.#used + 1;
  }
}
