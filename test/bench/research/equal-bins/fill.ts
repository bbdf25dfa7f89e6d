import { Bins, type Items } from "./bins.ts";

/** How dimensions are weighted: all alike, by the sum of sizes in the dimension, or by the square of that sum. */
export type Weighting = "alike" | "wanted" | "wanted twice";
export const weightings: readonly Weighting[] = ["wanted", "wanted twice", "alike"];

/**
 * Fills one bin after the other. Each gets, among all items that fit, the one with the greatest product of its sizes and what is free
 * (the dot product of R. Panigrahy et al., "Heuristics for vector bin packing", 2011, which fills bins rather than places items).
 */
export function fillOneByOne(items: Items, weighting: Weighting): Bins {
  const weights = weightsOf(items, weighting);
  const bins = new Bins(items);
  const waiting = new Set(Array.from({ length: items.count }, (_, item) => item));
  while (waiting.size > 0) {
    const bin = bins.open();
    for (let item = bestFor(bin, { bins, waiting, weights }); item !== undefined; item = bestFor(bin, { bins, waiting, weights })) {
      bins.put(item, bin);
      waiting.delete(item);
    }
    if (bins.contents[bin]?.length === 0) throw new RangeError("an item is larger than a bin");
  }
  return bins;
}

type Filling = { readonly bins: Bins; readonly waiting: ReadonlySet<number>; readonly weights: readonly number[] };

function bestFor(bin: number, { bins, waiting, weights }: Filling): number | undefined {
  const { dimensions, sizes } = bins.items;
  let best: number | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const item of waiting) {
    if (!bins.holds(item, bin)) continue;
    let score = 0;
    for (let dimension = 0; dimension < dimensions; dimension += 1)
      score += (weights[dimension] as number) * bins.free(bin, dimension) * (sizes[item * dimensions + dimension] as number);
    if (score > bestScore) [best, bestScore] = [item, score];
  }
  return best;
}

function weightsOf({ count, dimensions, sizes }: Items, weighting: Weighting): readonly number[] {
  return Array.from({ length: dimensions }, (_, dimension) => {
    let sum = 0;
    for (let item = 0; item < count; item += 1) sum += sizes[item * dimensions + dimension] as number;
    return weighting === "alike" ? 1 : weighting === "wanted" ? sum : sum ** 2;
  });
}
