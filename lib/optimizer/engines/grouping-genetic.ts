import type { Pricing } from "../bounds/pricing.ts";
import type { BinKind } from "../problem/instance.ts";
import type { Engine, Slice } from "./engine.ts";
import { allBins, greedy } from "./greedy.ts";
import { type BinPacking, type Bins, costOf, isBetter, packingOf, trimmed } from "./packing.ts";
import type { Random } from "./random.ts";

const population = 10;
/** Children per slice. */
const children = 2;
/** The largest relative change of the prices for a first packing, and the share of bins that mutation takes apart. */
const [spread, mutation] = [0.3, 0.05];
const maxNodes = 20;

/**
 * Engine `genetic`: a hybrid grouping genetic algorithm (Falkenauer, 1996). A packing is encoded as its bins, because the grouping is what
 * makes it good. Parents win tournaments of two. A child has the better bins of one parent, then those of the other if jobs are left.
 * Mutation takes a few bins apart. Greedy packs the rest at the prices of column generation, in place of Falkenauer's local search.
 * Children that do not cost the same as another member replace the worst.
 *
 * A child takes time in proportion to the bins of both parents, sorting aside, and one greedy run over what they left. It proves nothing.
 */
export class GroupingGenetic implements Engine {
  readonly #pricing: Pricing;
  readonly #random: Random;
  readonly #prices: () => Float64Array;
  readonly #packings: BinPacking[] = [];

  constructor(pricing: Pricing, of: { random: Random; prices: () => Float64Array }) {
    this.#pricing = pricing;
    this.#random = of.random;
    this.#prices = of.prices;
  }

  improve(best: BinPacking): Slice {
    const before = this.#pricing.steps;
    if (this.#packings.length === 0 || this.#packings.every((each) => isBetter(best, each))) this.#include(best);
    const made = this.#packings.length < population ? [this.#first()] : Array.from({ length: children }, () => this.#child());
    for (const each of made) this.#include(each);
    const packing = made.reduce((better, each) => (isBetter(each, better) ? each : better));
    return { packing, steps: this.#pricing.steps - before + 64 };
  }

  #first(): BinPacking {
    const prices = this.#prices().map((price) => price * (1 + spread * (2 * this.#random() - 1)));
    return this.#packed([], prices);
  }

  #child(): BinPacking {
    const prices = this.#prices();
    const [one, other] = [this.#parent(), this.#parent()];
    const better = byWorth(one, prices, this.#pricing);
    const kept = better.slice(0, Math.ceil(better.length * (0.3 + 0.5 * this.#random())));
    const bins = [...kept, ...byWorth(other, prices, this.#pricing)].filter(() => this.#random() >= mutation);
    return this.#packed(bins, prices);
  }

  #parent(): BinPacking {
    const [one, other] = [this.#any(), this.#any()];
    return isBetter(one, other) ? one : other;
  }

  #any(): BinPacking {
    return this.#packings[Math.floor(this.#random() * this.#packings.length)] as BinPacking;
  }

  /** Keeps the bins for which there are jobs, and packs the rest greedily. */
  #packed(bins: readonly Bins[], prices: Float64Array): BinPacking {
    const pricing = this.#pricing;
    const left = pricing.counts.slice();
    const available = allBins(pricing);
    const kept = bins.flatMap((each) => whole(each, { left, available }));
    pricing.value(prices);
    const rest = greedy(pricing, { left, bins: available, maxNodes });
    return packingOf(pricing.instance, [...kept, ...rest], left);
  }

  #include(packing: BinPacking): void {
    if (this.#packings.some((each) => each.cost === packing.cost && each.waits === packing.waits)) return;
    this.#packings.push(packing);
    this.#packings.sort((a, b) => a.waits - b.waits || a.cost - b.cost);
    if (this.#packings.length > population) this.#packings.pop();
  }
}

/** Returns as many of these bins as can be filled exactly like this. */
function whole(each: Bins, of: { left: Float64Array; available: Float64Array }): Bins[] {
  let times = Math.min(each.times, of.available[each.kind] as number);
  for (const [at, shape] of each.shapes.entries())
    times = Math.min(times, Math.floor((of.left[shape] as number) / (each.counts[at] as number)));
  if (times <= 0) return [];
  of.available[each.kind] = (of.available[each.kind] as number) - times;
  for (let time = 0; time < times; time += 1) trimmed(each, of.left);
  return [{ ...each, times }];
}

/** Sorts bins by the value that they hold for their price, the best first. */
function byWorth({ bins }: BinPacking, prices: Float64Array, { instance }: Pricing): readonly Bins[] {
  const worth = (bin: Bins): number => {
    const value = bin.shapes.reduce((sum, shape, at) => sum + (prices[shape] as number) * (bin.counts[at] as number), 0);
    return value / Math.max(1e-9, costOf(instance.kinds[bin.kind] as BinKind, bin));
  };
  return bins
    .map((bin, index) => ({ bin, index, worth: worth(bin) }))
    .sort((a, b) => b.worth - a.worth || a.index - b.index)
    .map(({ bin }) => bin);
}
