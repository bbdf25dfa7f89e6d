import type { BinKind, Instance } from "../problem/instance.ts";
import type { Load } from "../problem/load.ts";

/** A number of bins of one kind with the same load. */
export type Bins = Load & { readonly kind: number; readonly times: number };

/** The bins that hold the jobs of an instance, and the jobs that wait. Costs are multiples of the most expensive offer's price. */
export type BinPacking = {
  readonly bins: readonly Bins[];
  readonly cost: number;
  /** The number of jobs without a place, by shape. */
  readonly waiting: Float64Array;
  /** The number of jobs without a place. */
  readonly waits: number;
};

/** Returns the cost of one bin with this load. */
export function costOf({ price, extra }: Pick<BinKind, "price" | "extra">, { shapes, counts }: Load): number {
  if (!extra) return price;
  return shapes.reduce((sum, shape, at) => sum + (extra[shape] as number) * (counts[at] as number), price);
}

export function packingOf({ kinds }: Instance, bins: readonly Bins[], waiting: Float64Array): BinPacking {
  const cost = bins.reduce((sum, each) => sum + each.times * costOf(kinds[each.kind] as BinKind, each), 0);
  return { bins, cost, waiting, waits: waiting.reduce((sum, each) => sum + each, 0) };
}

/** A packing with fewer waiting jobs is better, whatever it costs. If as many wait, the cheaper one is better. */
export const isBetter = (a: BinPacking, b: BinPacking): boolean => a.waits < b.waits || (a.waits === b.waits && a.cost < b.cost - 1e-12);

/** Reduces a load to the jobs that are left, and subtracts it from them. Returns undefined if none is left. */
export function trimmed(load: Load, left: Float64Array): Load | undefined {
  const [shapes, counts] = [[] as number[], [] as number[]];
  for (const [at, shape] of load.shapes.entries()) {
    const count = Math.min(load.counts[at] as number, left[shape] as number);
    if (count <= 0) continue;
    left[shape] = (left[shape] as number) - count;
    shapes.push(shape);
    counts.push(count);
  }
  return shapes.length > 0 ? { shapes, counts } : undefined;
}
