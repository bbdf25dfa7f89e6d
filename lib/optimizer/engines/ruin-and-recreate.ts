import type { Pricing } from "../bounds/pricing.ts";
import type { BinKind } from "../problem/instance.ts";
import type { Engine, Slice } from "./engine.ts";
import { allBins, greedy } from "./greedy.ts";
import { type BinPacking, type Bins, costOf, isBetter, packingOf } from "./packing.ts";
import type { Random } from "./random.ts";

/** Tries per slice. */
const triesOfSlice = 16;
/** The heat at the start, as a share of the cost of the bins taken apart, and the number of tries over which it falls to 0. */
const [hottest, cooledAfter] = [0.02, 2_000];
/** The chance that a try leaves a kind out. */
const leftOut = 0.25;
const maxNodes = 40;

export type Ruin = {
  /** Bins taken apart per try. */
  readonly bins: number;
  /** `worst` prefers bins that hold little for their price. `any` draws bins at random. */
  readonly choice: "worst" | "any";
};

/**
 * Engines `ruin-any-4` and `ruin-worst-8`: ruin and recreate (Schrimpf, Schneider, Stamm-Wilbrandt and Dueck, 2000), a large
 * neighbourhood search (Shaw, 1998). A try takes a few bins apart and packs their jobs again greedily, at the prices of column generation
 * and without some of the kinds. Acceptance is that of simulated annealing (Kirkpatrick, Gelatt and Vecchi, 1983): a packing that costs
 * more is kept with the probability exp(-difference / heat), and heat falls linearly to 0 over `cooledAfter` tries, after which only
 * packings that do not cost more are kept. The search remembers the best packing, so this engine cannot lose it.
 *
 * A try takes time in proportion to the bins of the packing, and one or two greedy runs over the few jobs that were taken out. It changes
 * only a few bins at a time, so it does not find a packing that needs many bins to change at once. It proves nothing.
 */
export class RuinAndRecreate implements Engine {
  readonly #pricing: Pricing;
  readonly #random: Random;
  readonly #prices: () => Float64Array;
  readonly #ruin: Ruin;
  #current: BinPacking | undefined;
  #tries = 0;

  constructor(pricing: Pricing, of: { random: Random; prices: () => Float64Array; ruin: Ruin }) {
    this.#pricing = pricing;
    this.#random = of.random;
    this.#prices = of.prices;
    this.#ruin = of.ruin;
  }

  improve(best: BinPacking): Slice {
    const before = this.#pricing.steps;
    // If another engine has found a better packing, continue from that one.
    if (!this.#current || isBetter(best, this.#current)) this.#current = best;
    const prices = this.#prices();
    this.#pricing.value(prices);
    let found: BinPacking | undefined;
    for (let tries = 0; tries < triesOfSlice; tries += 1) {
      this.#current = this.#next(this.#current, prices);
      if (isBetter(this.#current, found ?? best)) found = this.#current;
    }
    return { packing: found, steps: this.#pricing.steps - before + 64 };
  }

  #next(current: BinPacking, prices: Float64Array): BinPacking {
    this.#tries += 1;
    const { instance } = this.#pricing;
    const chosen = this.#chosen(current, prices);
    if (chosen.size === 0) return current;
    const left = current.waiting.slice();
    const bins = allBins(this.#pricing);
    const kept: Bins[] = [];
    let ruined = 0;
    for (let index = 0; index < current.bins.length; index += 1) {
      const each = current.bins[index] as Bins;
      const out = chosen.get(index) ?? 0;
      for (let at = 0; at < each.shapes.length; at += 1) {
        const shape = each.shapes[at] as number;
        left[shape] = (left[shape] as number) + out * (each.counts[at] as number);
      }
      ruined += out * costOf(instance.kinds[each.kind] as BinKind, each);
      bins[each.kind] = (bins[each.kind] as number) - (each.times - out);
      if (each.times > out) kept.push({ ...each, times: each.times - out });
    }
    const without = new Uint8Array(bins.length);
    for (let kind = 0; kind < without.length; kind += 1) without[kind] = this.#random() < leftOut ? 1 : 0;
    const made = [...greedy(this.#pricing, { left, bins, maxNodes, isOut: (kind) => without[kind] === 1 })];
    if (left.some((count) => count > 0)) made.push(...greedy(this.#pricing, { left, bins, maxNodes }));
    const next = packingOf(instance, [...kept, ...made], left);
    const heat = hottest * Math.max(0, 1 - this.#tries / cooledAfter) * ruined;
    const difference = next.cost - current.cost;
    const isTaken =
      next.waits < current.waits || (next.waits === current.waits && (difference <= 0 || this.#random() < Math.exp(-difference / heat)));
    return isTaken ? next : current;
  }

  /** Returns how many bins to take apart, by their index in the packing. */
  #chosen({ bins }: BinPacking, prices: Float64Array): ReadonlyMap<number, number> {
    const chosen = new Map<number, number>();
    const total = bins.reduce((sum, each) => sum + each.times, 0);
    for (let taken = 0; taken < Math.min(this.#ruin.bins, total); taken += 1) {
      const index = this.#pick(bins, { chosen, prices });
      if (index === undefined) break;
      chosen.set(index, (chosen.get(index) ?? 0) + 1);
    }
    return chosen;
  }

  #pick(bins: readonly Bins[], { chosen, prices }: { chosen: ReadonlyMap<number, number>; prices: Float64Array }): number | undefined {
    let worst: number | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let draw = 0; draw < (this.#ruin.choice === "worst" ? 4 : 1); draw += 1) {
      const index = Math.floor(this.#random() * bins.length);
      const each = bins[index] as Bins;
      if ((chosen.get(index) ?? 0) >= each.times) continue;
      const ratio = this.#worth(each, prices);
      if (ratio < least) [least, worst] = [ratio, index];
    }
    return worst;
  }

  #worth(bin: Bins, prices: Float64Array): number {
    const value = bin.shapes.reduce((sum, shape, at) => sum + (prices[shape] as number) * (bin.counts[at] as number), 0);
    const cost = costOf(this.#pricing.instance.kinds[bin.kind] as BinKind, bin);
    return cost > 0 ? value / cost : Number.MAX_VALUE;
  }
}
