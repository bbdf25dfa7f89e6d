import type { BinKind, Instance } from "../problem/instance.ts";
import type { Load } from "../problem/load.ts";
import { empty, Knapsack, type KnapsackResult } from "./knapsack.ts";
import { Relaxation } from "./relaxation.ts";

/** Passes over the load of a bin. Each may exchange one job of every shape for other jobs. */
const maxPasses = 3;
/** A search with fewer nodes than this does not exchange jobs, because it must be quick. */
const minExchanged = 10;

/** Finds the best load for a bin of each kind at given prices of the shapes. Counts its work in steps. */
export class Pricing {
  readonly instance: Instance;
  /** The number of jobs, by shape. */
  readonly counts: Float64Array;
  steps = 0;
  readonly #relaxations: readonly Relaxation[];
  readonly #knapsack: Knapsack;

  constructor(instance: Instance) {
    this.instance = instance;
    this.counts = Float64Array.from(instance.shapes, (shape) => shape.count);
    this.#relaxations = instance.kinds.map((kind) => new Relaxation(instance, kind));
    this.#knapsack = new Knapsack(instance);
  }

  /** Sets the prices for the next loads. Returns, by kind, an upper bound on the value of one bin. */
  value(prices: Float64Array): readonly number[] {
    return this.instance.kinds.map((kind, index) => {
      const relaxation = this.relaxation(index);
      this.steps += relaxation.items.length;
      return relaxation.bound(prices, kind.extra);
    });
  }

  /** Returns Farley's lower bound (1990) for all jobs: their worth at these prices, scaled until no bin is worth more than it costs. */
  bound(prices: Float64Array): number {
    return this.boundOf(prices, this.value(prices));
  }

  /** Returns the same bound if the values of these prices are known. */
  boundOf(prices: Float64Array, values: readonly number[]): number {
    let sum = prices.reduce((all, price, shape) => all + price * (this.counts[shape] as number), 0);
    let scale = 1;
    for (const [kind, value] of values.entries()) {
      const { price, most } = this.instance.kinds[kind] as BinKind;
      if (price === 0) sum -= value * most;
      else if (value > price) scale = Math.min(scale, price / value);
    }
    return Math.max(0, sum * scale);
  }

  relaxation(kind: number): Relaxation {
    return this.#relaxations[kind] as Relaxation;
  }

  /** Returns a load of the jobs left that is worth more than `cutoff`. It is the best load if the search was not cut off. */
  best(kind: number, left: Float64Array, { cutoff, maxNodes }: { cutoff: number; maxNodes: number }): KnapsackResult {
    const first = this.#search(kind, { left, cutoff, maxNodes, base: empty });
    if (first.isWhole) return first;
    const base = this.relaxation(kind).rounded();
    const rounded = this.#search(kind, { left, cutoff: first.load ? first.value : 0, maxNodes, base });
    const better = rounded.load ? rounded : first;
    const found = maxNodes < minExchanged ? better : this.#exchanged(kind, better, { left, maxNodes });
    return found.value > cutoff ? found : { ...found, load: undefined };
  }

  /** Takes one job of a shape out and fills the bin again, as long as that raises the value. */
  #exchanged(kind: number, from: KnapsackResult, of: { left: Float64Array; maxNodes: number }): KnapsackResult {
    let best = from;
    for (let pass = 0; pass < maxPasses; pass += 1) {
      const before = best.value;
      for (let at = 0; best.load && at < best.load.shapes.length; at += 1) {
        const found = this.#search(kind, { ...of, cutoff: best.value, base: without(best.load, at) });
        if (found.load) best = found;
      }
      if (best.value === before) break;
    }
    return best;
  }

  #search(kind: number, within: Parameters<Knapsack["search"]>[2]): KnapsackResult {
    const found = this.#knapsack.search(this.instance.kinds[kind] as BinKind, this.relaxation(kind), within);
    this.steps += found.nodes + 4;
    return found;
  }
}

const without = ({ shapes, counts }: Load, at: number): Load => ({
  shapes,
  counts: counts.map((count, index) => (index === at ? count - 1 : count)),
});
