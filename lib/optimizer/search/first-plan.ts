import { Pricing } from "../bounds/pricing.ts";
import { ColumnGeneration } from "../engines/column-generation.ts";
import { type BinPacking, isBetter } from "../engines/packing.ts";
import type { Budget } from "../problem/budget.ts";
import type { Instance } from "../problem/instance.ts";

/** No further part is tried after this many steps, so that most of a budget is left for the search. */
const maxSteps = 200_000;

/**
 * Returns the better of the greedy packing and of those that repeat the greedy packing of a part of the jobs. If the same jobs are there
 * several times, greedy alone may pack all of them worse than each set on its own, because its prices depend on the number of jobs. There
 * are such parts only if the numbers of jobs of all shapes have a common divisor. The smallest parts are tried first.
 */
export function firstPacking(whole: Pricing, columns: ColumnGeneration, budget: Budget): BinPacking {
  const { instance } = whole;
  let best = columns.greedy();
  if (!budget.spend(whole.steps)) return best;
  let steps = 0;
  for (const times of divisorsOf(instance)) {
    const part = { ...instance, shapes: instance.shapes.map((shape) => ({ ...shape, count: shape.count / times })) };
    const pricing = new Pricing(part);
    const repeated = repeatedPacking(new ColumnGeneration(pricing).greedy(), times);
    if (isBetter(repeated, best) && isWithin(repeated, instance)) best = repeated;
    steps += pricing.steps;
    if (!budget.spend(pricing.steps) || steps > maxSteps) break;
  }
  return best;
}

/** Returns the common divisors of the numbers of jobs of all shapes, the largest first, without 1. */
function divisorsOf({ shapes }: Instance): readonly number[] {
  const common = shapes.reduce((divisor, { count }) => greatestDivisor(divisor, count), 0);
  const divisors: number[] = [];
  for (let divisor = common; divisor > 1; divisor -= 1) if (common % divisor === 0) divisors.push(divisor);
  return divisors;
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

const repeatedPacking = ({ bins, cost, waiting, waits }: BinPacking, times: number): BinPacking => ({
  bins: bins.map((each) => ({ ...each, times: each.times * times })),
  cost: cost * times,
  waiting: waiting.map((each) => each * times),
  waits: waits * times,
});

/** Reports whether a packing uses no more bins of any kind than there are. */
function isWithin({ bins }: BinPacking, { kinds }: Instance): boolean {
  const used = new Float64Array(kinds.length);
  for (const { kind, times } of bins) used[kind] = (used[kind] as number) + times;
  return kinds.every(({ most }, kind) => (used[kind] as number) <= most);
}
