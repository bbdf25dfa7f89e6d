import { clockBudget } from "../../lib/optimizer/problem/budget.ts";
import type { BenchOptions } from "./bench.ts";
import type { Report, Row } from "./report.ts";
import { itemsOf } from "./research/equal-bins/bins.ts";
import { packEqual } from "./research/equal-bins/pack.ts";
import { madeVectors, publicVectors, type Vectors } from "./vectors/data.ts";
import { rivals } from "./vectors/rivals.ts";

const budgetMs = 100;
/** The most percent above the fewest bins, on the mean of a set. */
const targets: Readonly<Record<string, number>> = { New: 2.5, Panigrahy: 1 };

/**
 * Packs items of several dimensions into as few equal bins as possible in 100 ms on one core, and compares with the known fewest. Each
 * instance counts once, whatever its size. Each packing is checked.
 */
export function vectorPacking({ data, seeds = 1 }: BenchOptions): Promise<Report> {
  const sets = data === undefined ? madeVectors() : publicVectors(data);
  const rows = sets.flatMap(({ name, instances }): Row[] => {
    if (instances.length === 0) return [];
    const theirs = Object.entries(rivals).map(([rival, bins]) => [rival, mean(instances.map((each) => above(each, bins(each))))]);
    const ours = instances.flatMap((each) => Array.from({ length: seeds }, (_, seed) => packed(each, seed + 1)));
    const rest = { case: `${name}, n=${instances.length}`, limit: 0 };
    return [
      {
        ...rest,
        metric: `above the fewest bins, ${budgetMs} ms`,
        unit: "%",
        value: mean(ours.map((each) => each.above)),
        rivals: Object.fromEntries(theirs),
        target: targets[name],
        better: "lower",
      } as Row,
      {
        ...rest,
        metric: "with the fewest bins",
        unit: "%",
        value: share(ours, (each) => each.above === 0),
        rivals: {},
        limit: 100,
        better: "higher",
      },
      { ...rest, metric: "time, mean", unit: "ms", value: mean(ours.map((each) => each.ms)), rivals: {}, better: "lower" },
      { ...rest, metric: "time, longest", unit: "ms", value: Math.max(...ours.map((each) => each.ms)), rivals: {}, better: "lower" },
    ];
  });
  return Promise.resolve({ bench: "vector-packing", seeds, rows });
}

function packed(vectors: Vectors, seed: number): { readonly above: number; readonly ms: number } {
  const startedMs = performance.now();
  const budget = clockBudget(() => performance.now(), startedMs + budgetMs);
  const { bins } = packEqual(itemsOf(vectors.items, vectors.capacity), { budget, seed });
  const ms = performance.now() - startedMs;
  check(vectors, bins);
  return { above: above(vectors, bins.length), ms };
}

/** Checks a packing by the original sizes. */
function check({ name, items, capacity }: Vectors, bins: readonly (readonly number[])[]): void {
  const all = bins.flat();
  if (all.length !== items.length || new Set(all).size !== items.length) throw new Error(`${name}: not each item is packed once`);
  for (const bin of bins) {
    const isOver = capacity.some((most, at) => bin.reduce((sum, item) => sum + (items[item]?.[at] ?? 0), 0) > most);
    if (isOver) throw new Error(`${name}: a bin is overfull`);
  }
}

const above = ({ optimum }: Vectors, bins: number): number => 100 * (bins / optimum - 1);
const mean = (all: readonly number[]): number => all.reduce((sum, each) => sum + each, 0) / all.length;
const share = <T>(all: readonly T[], is: (each: T) => boolean): number => (100 * all.filter(is).length) / all.length;
