import type { Vectors } from "./data.ts";

type Item = readonly number[];
type Bin = { readonly free: number[] };

/** Textbook rules. Each returns the number of bins that it needs. */
export const rivals: Readonly<Record<string, (vectors: Vectors) => number>> = {
  "first fit": (of) => placed(of, { order: of.items, score: () => 0 }),
  "FFD, sum": (of) => placed(of, { order: decreasing(of, sum), score: () => 0 }),
  "FFD, largest": (of) => placed(of, { order: decreasing(of, largest), score: () => 0 }),
  // Sizes are weighted by the total demand in each dimension: FFDAvgSum in Panigrahy et al., "Heuristics for vector bin packing", 2011.
  "FFD, dot": (of) => placed(of, { order: decreasing(of, weighed(of)), score: () => 0 }),
  "best fit": (of) => placed(of, { order: decreasing(of, sum), score: (free) => -sum(free) }),
};

const sum = (shares: Item): number => shares.reduce((a, b) => a + b, 0);
const largest = (shares: Item): number => Math.max(...shares);

function weighed({ items, capacity }: Vectors): (shares: Item) => number {
  const wanted = capacity.map((most, at) => items.reduce((all, item) => all + (item[at] ?? 0), 0) / most);
  return (shares) => shares.reduce((all, each, at) => all + each * (wanted[at] ?? 0), 0);
}

const sharesOf = (item: Item, capacity: Item): Item => item.map((size, at) => (size === 0 ? 0 : size / (capacity[at] ?? 1)));

function decreasing({ items, capacity }: Vectors, size: (shares: Item) => number): readonly Item[] {
  return items
    .map((item, index) => ({ item, index, size: size(sharesOf(item, capacity)) }))
    .sort((a, b) => b.size - a.size || a.index - b.index)
    .map(({ item }) => item);
}

/** Puts each item in the bin with the highest score that holds it (the first if several do), or else in a new one. */
function placed({ capacity }: Vectors, { order, score }: { order: readonly Item[]; score: (freeShares: Item) => number }): number {
  const bins: Bin[] = [];
  for (const item of order) {
    let best: Bin | undefined;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const bin of bins) {
      if (item.some((size, at) => size > (bin.free[at] ?? 0))) continue;
      const each = score(sharesOf(bin.free, capacity));
      if (each > bestScore) [best, bestScore] = [bin, each];
    }
    const bin = best ?? { free: [...capacity] };
    if (!best) bins.push(bin);
    item.forEach((size, at) => {
      bin.free[at] = (bin.free[at] ?? 0) - size;
    });
  }
  return bins.length;
}
