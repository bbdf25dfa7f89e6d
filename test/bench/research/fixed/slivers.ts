import { type Demand, wholeGpu } from "./needs.ts";
import { accepts } from "./shapes.ts";

/** If the jobs that fit in a rest are this share of all jobs, half of the rest is expected to stay empty. */
const tooRare = 0.02;
const steps = 100;
const step = wholeGpu / steps;

/**
 * Returns, for each rest of a GPU of this model (0, 10, 20 … 1,000 thousandths), how much of it arriving jobs are expected to fill.
 * A rest in which no or almost no jobs fit is lost.
 */
export function fillOf(demand: Demand, model: string): readonly number[] {
  const all = demand.reduce((sum, { count }) => sum + count, 0);
  const shareBySteps = new Map<number, number>();
  for (const { need, count } of demand) {
    // Jobs with several GPUs do not fill the rest of one.
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
