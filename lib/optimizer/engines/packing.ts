import type { Instance, Kind } from "../problem/instance.ts";
import type { Load } from "../problem/load.ts";

/** Bins of one kind with like loads. */
export type Bins = Load & { readonly kind: number; readonly times: number };

/** Where all jobs of an instance are, but those that wait. Costs are in relation to the dearest offer. */
export type Packing = {
  readonly bins: readonly Bins[];
  readonly cost: number;
  /** By shape: how many have no place. */
  readonly waiting: Float64Array;
  readonly waits: number;
};

/** What one bin with this load costs. */
export function costOf({ price, extra }: Pick<Kind, "price" | "extra">, { shapes, counts }: Load): number {
  if (!extra) return price;
  return shapes.reduce((sum, shape, at) => sum + (extra[shape] as number) * (counts[at] as number), price);
}

export function packingOf({ kinds }: Instance, bins: readonly Bins[], waiting: Float64Array): Packing {
  const cost = bins.reduce((sum, each) => sum + each.times * costOf(kinds[each.kind] as Kind, each), 0);
  return { bins, cost, waiting, waits: waiting.reduce((sum, each) => sum + each, 0) };
}

/** Fewer that wait are better, whatever they cost; then the cheaper is. */
export const isBetter = (a: Packing, b: Packing): boolean => a.waits < b.waits || (a.waits === b.waits && a.cost < b.cost - 1e-12);

/** Of this load at most what is left of each shape; undefined when that is nothing. Takes it off what is left. */
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
