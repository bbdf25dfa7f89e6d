import type { Kind, Shape } from "./instance.ts";
import type { Pattern } from "./master.ts";
import { costOf } from "./packing.ts";
import type { Pricing } from "./pricing.ts";
import { unit } from "./units.ts";

/** What a job that waits costs, in prices of the dearest offer: more than any place for it. */
export const waitingCost = 1_000;
/** In place of a kind: no bin at all. */
export const noKind = -1;

/** For each shape the cheapest way to have it alone in bins that there are without end, or to let it wait. */
export function firstPatterns({ instance }: Pricing): readonly Pattern[] {
  return instance.shapes.map((shape, index) => {
    let best: Pattern = { kind: noKind, shapes: [index], counts: [1], cost: waitingCost };
    for (const [kind, of] of instance.kinds.entries()) {
      if (of.most < shape.count || !of.holds.includes(index)) continue;
      const load = { shapes: [index], counts: [mostOf(shape, of)] };
      const pattern = { ...load, kind, cost: costOf(of, load) };
      if (each(pattern) < each(best)) best = pattern;
    }
    return best;
  });
}

const each = ({ cost, counts }: Pattern): number => cost / (counts[0] as number);

function mostOf({ size, whole, share, count }: Shape, { room, slots }: Kind): number {
  let most = size.reduce(
    (least, need, dimension) => (need > 0 ? Math.min(least, Math.floor((room[dimension] as number) / need)) : least),
    count,
  );
  if (share > 0)
    most = Math.min(
      most,
      slots.reduce((sum, free) => sum + Math.floor(free / share), 0),
    );
  if (whole > 0) most = Math.min(most, Math.floor(slots.filter((free) => free >= unit).length / whole));
  return Math.max(1, most);
}
