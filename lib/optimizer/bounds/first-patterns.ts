import type { BinKind } from "../problem/instance.ts";
import type { Shape } from "../problem/shape.ts";
import { unit } from "../problem/units.ts";
import type { BinPattern } from "./master.ts";
import type { Pricing } from "./pricing.ts";

/** The cost of a waiting job, as a multiple of the price of the most expensive offer. It must be more than any place for the job costs. */
export const waitingCost = 1_000;
/** Stands for a kind in the pattern of a job that waits. */
export const noKind = -1;

/** Returns for each shape the cheapest pattern that holds it alone, in a kind with enough bins for all its jobs, or else lets it wait. */
export function firstPatterns({ instance }: Pricing): readonly BinPattern[] {
  const best = instance.shapes.map((_, index): BinPattern => ({ kind: noKind, shapes: [index], counts: [1], cost: waitingCost }));
  for (const [kind, of] of instance.kinds.entries())
    for (const index of of.holds) {
      const shape = instance.shapes[index] as Shape;
      if (of.most < shape.count) continue;
      const count = maxCount(shape, of);
      const cost = of.price + (of.extra?.[index] ?? 0) * count;
      if (cost / count < each(best[index] as BinPattern)) best[index] = { kind, shapes: [index], counts: [count], cost };
    }
  return best;
}

const each = ({ cost, counts }: BinPattern): number => cost / (counts[0] as number);

function maxCount({ size, whole, share, count }: Shape, { room, slots }: BinKind): number {
  let most = count;
  for (let dimension = 0; dimension < size.length; dimension += 1) {
    const need = size[dimension] as number;
    if (need > 0) most = Math.min(most, Math.floor((room[dimension] as number) / need));
  }
  if (share > 0)
    most = Math.min(
      most,
      slots.reduce((sum, free) => sum + Math.floor(free / share), 0),
    );
  if (whole > 0) most = Math.min(most, Math.floor(slots.filter((free) => free >= unit).length / whole));
  return Math.max(1, most);
}
