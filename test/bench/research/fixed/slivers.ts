import { type Demand, wholeGpu } from "./needs.ts";
import { accepts } from "./shapes.ts";

/** How seldom jobs have to be for half of a rest that only they fit in to stay empty: their share of all that come. */
const tooRare = 0.02;
const steps = 100;
const step = wholeGpu / steps;

/**
 * Of each rest of a GPU of this model (0, 10, 20 … 1,000 thousandths), what jobs are likely to fill of it in the end, one
 * after the other as they come. A rest that nothing or next to nothing fits in is lost.
 */
export function fillOf(demand: Demand, model: string): readonly number[] {
  const all = demand.reduce((sum, { count }) => sum + count, 0);
  const shareBySteps = new Map<number, number>();
  for (const { need, count } of demand) {
    // Who takes several GPUs at once does not fill one GPU's rest.
    if (need.gpus !== 1 || need.gpuMilli <= 0 || !accepts({ model }, need) || count <= 0) continue;
    const many = Math.ceil(need.gpuMilli / step);
    shareBySteps.set(many, (shareBySteps.get(many) ?? 0) + count / all);
  }
  const sizes = [...shareBySteps].sort(([a], [b]) => a - b);
  const fill = [0];
  for (let free = 1; free <= steps; free += 1) {
    let filled = 0;
    let chance = tooRare;
    for (const [many, share] of sizes) {
      if (many > free) break;
      filled += share * (many * step + (fill[free - many] ?? 0));
      chance += share;
    }
    fill.push(filled / chance);
  }
  return fill;
}
