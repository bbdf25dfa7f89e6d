import { firstPatterns, noKind } from "../bounds/first-patterns.ts";
import { type BinPattern, Master } from "../bounds/master.ts";
import type { Pricing } from "../bounds/pricing.ts";
import type { BinKind } from "../problem/instance.ts";
import type { Engine, Slice } from "./engine.ts";
import { allBins, greedy } from "./greedy.ts";
import { type BinPacking, type Bins, costOf, isBetter, packingOf, trimmed } from "./packing.ts";

/** The most nodes of a knapsack search for a pattern, and in a greedy run. */
const [searched, skimmed] = [100, 8];
const maxPivots = 400;
/** The weight of earlier prices in the next ones. Without it prices jump, and jumping prices find patterns of little use. */
const smoothing = 0.5;
/** The weight of the latest prices in their moving average. */
const drift = 0.5;
/** A slice is worthwhile if it lowers the program's cost by this share. */
const worthwhile = 0.002;
/** While slices are worthwhile, the program is rounded again only once its cost has fallen by this share. */
const muchCheaper = 0.01;
/**
 * A part of a bin that is at least this large is rounded up, if enough jobs are left for the whole bin. Roundings take turns, because the
 * program often stays the same for several slices, and no one of these shares is the best for all.
 */
const roundedUp = [0.5, 0.25] as const;
/** If more kinds than this have few bins, the program has no rows for their limits, and only the rounding respects them. */
const maxScarce = 60;

/**
 * Engine `columns`: column generation (Gilmore and Gomory, 1961). A linear program over patterns has prices that show which patterns to
 * add. Its solution is then rounded to whole bins, and greedy packs what is left. Prices are smoothed by their moving average, so
 * that they do not jump (dual price smoothing: Pessoa, Sadykov, Uchoa and Vanderbeck, 2013). Greedy runs at the same prices add patterns
 * of all shapes at once and so save most rounds.
 *
 * A round searches one knapsack per kind of bin, each cut off after `searched` nodes; a pivot of the program takes the square of its
 * rows, which are the shapes and at most `maxScarce` kinds. Rounding is a heuristic: an optimal program does not make an optimal packing.
 */
export class ColumnGeneration implements Engine {
  readonly master: Master;
  readonly #pricing: Pricing;
  #center: Float64Array;
  #smoothing = smoothing;
  #idle = 0;
  #roundedAt = Number.POSITIVE_INFINITY;
  #roundings = 0;

  constructor(pricing: Pricing) {
    this.#pricing = pricing;
    const { kinds, shapes } = pricing.instance;
    const jobs = shapes.reduce((sum, shape) => sum + shape.count, 0);
    const scarce = [...kinds.entries()].filter(([, kind]) => kind.most < jobs);
    this.master = new Master(
      firstPatterns(pricing),
      shapes.map((shape) => shape.count),
      new Map(scarce.length <= maxScarce ? scarce.map(([index, kind]) => [index, kind.most]) : []),
    );
    this.#center = this.prices();
  }

  /** Returns the program's current price of each shape. */
  prices(): Float64Array {
    return positive(this.master.prices.slice(0, this.#pricing.counts.length));
  }

  /** Returns the patterns in the program's current basis. */
  known(): readonly BinPattern[] {
    return [...this.master.basis].flatMap((basic) => (basic >= 0 ? (this.master.patterns[basic] as BinPattern) : []));
  }

  /** Returns the greedy packing at the current prices, and adds its patterns to the program. */
  greedy(): BinPacking {
    this.#pricing.value(this.#smoothed());
    const { packing, patterns } = this.#greedyRun();
    this.#include(patterns);
    return packing;
  }

  improve(): Slice {
    const before = this.#pricing.steps;
    const cost = this.master.cost;
    const prices = this.#smoothed();
    const most = this.#pricing.value(prices);
    const bound = this.#pricing.boundOf(prices, most);
    const found = this.#newPatterns(most);
    const run = this.#greedyRun();
    const pivots = this.#include([...run.patterns, ...found]);
    const isWorthwhile = this.master.cost < cost * (1 - worthwhile);
    if (!isWorthwhile && found.length === 0) this.#smoothing = this.#smoothing > 0.1 ? this.#smoothing / 2 : 0;
    this.#idle = found.length === 0 && this.#smoothing === 0 ? this.#idle + 1 : 0;
    const rounded = this.#isToBeRounded(isWorthwhile) ? this.rounded() : undefined;
    const steps = this.#pricing.steps - before + pivots * this.master.rows * 4;
    return { packing: rounded && isBetter(rounded, run.packing) ? rounded : run.packing, steps, bound, isDone: this.#idle > 1 };
  }

  /** Rounding takes as long as several rounds of pricing, so it waits until these no longer pay, or the program has become much cheaper. */
  #isToBeRounded(isWorthwhile: boolean): boolean {
    return !isWorthwhile || this.master.cost < this.#roundedAt * (1 - muchCheaper);
  }

  /** Packs greedily at the prices that are set in the pricing. */
  #greedyRun(): { packing: BinPacking; patterns: readonly BinPattern[] } {
    const { instance, counts } = this.#pricing;
    const left = counts.slice();
    const bins = greedy(this.#pricing, { left, bins: allBins(this.#pricing), maxNodes: skimmed });
    return { packing: packingOf(instance, bins, left), patterns: bins.map((each) => this.#patternOf(each)) };
  }

  /** Returns, per kind, the best pattern at the smoothed prices, if it lowers the cost at the program's own prices too. */
  #newPatterns(most: readonly number[]): readonly BinPattern[] {
    const pricing = this.#pricing;
    return pricing.instance.kinds.flatMap((kind, index) => {
      const cutoff = (kind.price + this.master.rentOf(index)) * (this.#smoothing > 0 ? 0.9 : 1);
      if ((most[index] as number) <= cutoff) return [];
      const { load } = pricing.best(index, pricing.counts, { cutoff, maxNodes: searched });
      if (!load) return [];
      const pattern = this.#patternOf({ ...load, kind: index });
      return this.master.reduced(pattern) < -1e-9 ? [pattern] : [];
    });
  }

  #patternOf({ shapes, counts, kind }: Omit<Bins, "times">): BinPattern {
    return { shapes, counts, kind, cost: costOf(this.#pricing.instance.kinds[kind] as BinKind, { shapes, counts }) };
  }

  #include(patterns: readonly BinPattern[]): number {
    const from = this.master.patterns.length;
    for (const pattern of patterns) this.master.add(pattern);
    const pivots = this.master.solve(from, maxPivots) + this.master.solve(0, maxPivots);
    const prices = this.prices();
    this.#center = this.#center.map((price, shape) => (1 - drift) * price + drift * (prices[shape] as number));
    return pivots;
  }

  #smoothed(): Float64Array {
    const prices = this.prices();
    return positive(prices.map((price, shape) => (1 - this.#smoothing) * price + this.#smoothing * (this.#center[shape] as number)));
  }

  /**
   * Returns the program's solution in whole bins: it rounds down, rounds up where jobs are left for a whole bin, and packs the others
   * greedily at the program's prices.
   */
  rounded(): BinPacking {
    const pricing = this.#pricing;
    const { instance, counts } = pricing;
    this.#roundedAt = this.master.cost;
    const left = counts.slice();
    const bins = allBins(pricing);
    const whole = this.#wholeBins(left, bins);
    pricing.value(this.prices());
    const rest = greedy(pricing, { left, bins, maxNodes: searched });
    return packingOf(instance, [...whole, ...rest], left);
  }

  #wholeBins(left: Float64Array, bins: Float64Array): readonly Bins[] {
    const used = this.#used();
    const from = roundedUp[this.#roundings % roundedUp.length] as number;
    this.#roundings += 1;
    const whole = used.flatMap(({ pattern, amount }) => {
      const times = Math.min(Math.floor(amount), bins[pattern.kind] as number);
      bins[pattern.kind] = (bins[pattern.kind] as number) - times;
      return filled(pattern, times, left);
    });
    const up = used.filter(({ amount }) => amount % 1 >= from).sort((a, b) => (b.amount % 1) - (a.amount % 1));
    for (const { pattern } of up) {
      if ((bins[pattern.kind] as number) < 1 || fullBins(pattern, left) < 1) continue;
      bins[pattern.kind] = (bins[pattern.kind] as number) - 1;
      whole.push(...filled(pattern, 1, left));
    }
    return whole;
  }

  /** Returns the patterns that the program's solution uses, by row, and how often. */
  #used(): readonly { readonly pattern: BinPattern; readonly amount: number }[] {
    const { master } = this;
    return [...master.basis].flatMap((basic, row) => {
      const pattern = basic < 0 ? undefined : (master.patterns[basic] as BinPattern);
      return pattern && pattern.kind !== noKind ? { pattern, amount: (master.amounts[row] as number) + 1e-3 } : [];
    });
  }
}

/** Returns the number of bins that can be filled with the whole pattern. */
const fullBins = ({ shapes, counts }: BinPattern, left: Float64Array): number =>
  shapes.reduce(
    (least, shape, at) => Math.min(least, Math.floor((left[shape] as number) / (counts[at] as number))),
    Number.POSITIVE_INFINITY,
  );

/** Returns up to `times` bins with that pattern, as long as there are jobs. When jobs run out, the last bins hold fewer. */
function filled(pattern: BinPattern, times: number, left: Float64Array): readonly Bins[] {
  const { shapes, counts, kind } = pattern;
  const full = Math.min(times, fullBins(pattern, left));
  for (const [at, shape] of shapes.entries()) left[shape] = (left[shape] as number) - full * (counts[at] as number);
  const bins: Bins[] = full > 0 ? [{ shapes, counts, kind, times: full }] : [];
  for (let more = full; more < times; more += 1) {
    const load = trimmed({ shapes, counts }, left);
    if (!load) break;
    bins.push({ ...load, kind, times: 1 });
  }
  return bins;
}

/** The least price of a job. It must exceed the searches' tolerance, because jobs for which the program pays nothing must be placed too. */
const least = 1e-7;
const positive = (prices: Float64Array): Float64Array => prices.map((price) => Math.max(price, least));
