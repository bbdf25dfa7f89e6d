import { seeded } from "../../../../lib/optimizer/engines/random.ts";
import type { Budget } from "../../../../lib/optimizer/problem/budget.ts";
import { Bins, type Items, leastBins } from "./bins.ts";
import { emptyInto } from "./eject.ts";
import { fillOneByOne, weightings } from "./fill.ts";

/** `bound`: no packing has fewer bins. `steps`: a budget of as many gives the same packing. */
export type Packed = { readonly bins: readonly (readonly number[])[]; readonly bound: number; readonly steps: number };

/**
 * As few equal bins as the budget finds, for items of which each fits in a bin: the best of a few greedy packings, then one
 * bin after the other is emptied into the rest, until the bound is reached or the budget is spent.
 */
export function packEqual(items: Items, { budget, seed }: { budget: Budget; seed: number }): Packed {
  const bound = leastBins(items);
  let steps = 0;
  const more = (): boolean => {
    steps += 1;
    return budget.spend(1);
  };
  let best: readonly (readonly number[])[] | undefined;
  for (const weighting of weightings) {
    const { contents } = fillOneByOne(items, weighting);
    if (!best || contents.length < best.length) best = contents;
    if (best.length <= bound) break;
    if (!more()) return { bins: best, bound, steps };
  }
  const random = seeded(seed);
  for (let found = best ?? []; found.length > bound; ) {
    const bins = new Bins(items, found);
    const waiting = [...bins.close(leastFull(bins))];
    if (!emptyInto(bins, waiting, { random, more })) return { bins: found, bound, steps };
    found = bins.contents;
    best = found;
  }
  // It ended at the bound: a budget of exactly the steps so far would have ended the step before.
  return { bins: best ?? [], bound, steps: steps + 1 };
}

function leastFull(bins: Bins): number {
  let least = 0;
  for (let bin = 1; bin < bins.contents.length; bin += 1) if (bins.fullness(bin) < bins.fullness(least)) least = bin;
  return least;
}
