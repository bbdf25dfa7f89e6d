import { seeded } from "../../../../lib/optimizer/engines/random.ts";
import type { Budget } from "../../../../lib/optimizer/problem/budget.ts";
import { Bins, type Items, minBins } from "./bins.ts";
import { emptyInto } from "./eject.ts";
import { fillOneByOne, weightings } from "./fill.ts";

/** A packing. No packing has fewer bins than `bound`, and a budget of `steps` gives the same packing. */
export type Packed = { readonly bins: readonly (readonly number[])[]; readonly bound: number; readonly steps: number };

/**
 * Packs items, each of which must fit in a bin, into as few equal bins as it finds within the budget. It starts from the best of a few
 * greedy packings and empties one bin after the other into the rest, until it reaches the bound or the budget is spent.
 */
export function packEqual(items: Items, { budget, seed }: { budget: Budget; seed: number }): Packed {
  const bound = minBins(items);
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
  // It ended at the bound, so a repetition needs one more step: a budget of exactly `steps` would end one step earlier.
  return { bins: best ?? [], bound, steps: steps + 1 };
}

function leastFull(bins: Bins): number {
  let least = 0;
  for (let bin = 1; bin < bins.contents.length; bin += 1) if (bins.fullness(bin) < bins.fullness(least)) least = bin;
  return least;
}
