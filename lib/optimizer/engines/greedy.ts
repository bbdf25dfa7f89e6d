import type { KnapsackResult } from "../bounds/knapsack.ts";
import type { Pricing } from "../bounds/pricing.ts";
import type { BinKind } from "../problem/instance.ts";
import type { Load } from "../problem/load.ts";
import type { Bins } from "./packing.ts";

export type GreedyRun = {
  /** The number of jobs to pack, by shape. Jobs that find no bin remain in it. */
  readonly left: Float64Array;
  /** The number of bins that may be used, by kind. The run counts it down. */
  readonly bins: Float64Array;
  readonly maxNodes: number;
  /** Returns true for a kind that this run must not use. */
  readonly isOut?: ((kind: number) => boolean) | undefined;
};

/** Returns the number of bins, by kind. */
export const allBins = ({ instance }: Pricing): Float64Array => Float64Array.from(instance.kinds, (kind) => kind.most);

type Candidate = { readonly load: Load; readonly ratio: number };

/**
 * The greedy heuristic for set covering (Chvátal, 1979): it repeatedly takes the bin that holds most value for its price, at the prices set
 * in `pricing`, as often as it can be filled. A knapsack search per kind finds that load. The value that a kind can hold only
 * shrinks as jobs run out, so a kind is searched again only when its load is the best one known and no longer fits.
 *
 * There are at most as many choices as jobs, and per choice at most one knapsack search per kind, cut off after `maxNodes` nodes.
 */
export function greedy(pricing: Pricing, run: GreedyRun): readonly Bins[] {
  const { kinds } = pricing.instance;
  const { left, bins } = run;
  const look = (kind: number): Candidate | undefined => {
    if (run.isOut?.(kind) || (bins[kind] as number) <= 0) return undefined;
    const found = pricing.best(kind, left, { cutoff: 0, maxNodes: run.maxNodes });
    return found.load && { load: found.load, ratio: ratioOf(found, kinds[kind] as BinKind) };
  };
  const candidates = kinds.map((_, kind) => look(kind));
  const packed: Bins[] = [];
  for (;;) {
    const kind = bestOf(candidates);
    const candidate = candidates[kind];
    if (!candidate) return packed;
    const times = Math.min(timesOf(candidate.load, left), bins[kind] as number);
    if (times > 0) {
      for (const [at, shape] of candidate.load.shapes.entries())
        left[shape] = (left[shape] as number) - times * (candidate.load.counts[at] as number);
      bins[kind] = (bins[kind] as number) - times;
      packed.push({ ...candidate.load, kind, times });
    }
    candidates[kind] = look(kind);
  }
}

/** Bins that cost nothing rank before all others. */
const ratioOf = (found: KnapsackResult, { price }: BinKind): number => (price > 0 ? found.value / price : 1e12 * (1 + found.value));

function bestOf(candidates: readonly (Candidate | undefined)[]): number {
  let [best, ratio] = [-1, 0];
  for (let kind = 0; kind < candidates.length; kind += 1) {
    const candidate = candidates[kind];
    if (candidate && candidate.ratio > ratio) [best, ratio] = [kind, candidate.ratio];
  }
  return best;
}

function timesOf({ shapes, counts }: Load, left: Float64Array): number {
  let times = Number.POSITIVE_INFINITY;
  for (let at = 0; at < shapes.length; at += 1)
    times = Math.min(times, Math.floor((left[shapes[at] as number] as number) / (counts[at] as number)));
  return times;
}
