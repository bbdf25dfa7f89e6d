import type { Learned } from "../../model/plan.ts";
import type { SolveProgram } from "../../model/planning/linear-program.ts";
import type { BinPattern } from "../bounds/master.ts";
import { Pricing } from "../bounds/pricing.ts";
import { ColumnGeneration } from "../engines/column-generation.ts";
import { type BinPacking, isBetter } from "../engines/packing.ts";
import { type Budget, Counted } from "../problem/budget.ts";
import type { Instance } from "../problem/instance.ts";
import { createEngines, type EngineName, engineNames } from "./engines.ts";
import { firstPacking } from "./first-plan.ts";
import { Policy } from "./learning.ts";

export type Search = {
  readonly budget: Budget;
  readonly seed: number;
  /** All engines if undefined. */
  readonly engines?: readonly EngineName[] | undefined;
  readonly learned?: Learned | undefined;
  /** A solver for instances that are small enough to solve exactly. */
  readonly solve?: SolveProgram | undefined;
};

/** What an engine saved, as a share of the best cost before it, and the number of its steps. */
export type Earned = { readonly saved: number; readonly steps: number };

export type Searched = {
  readonly packing: BinPacking;
  /** The name of the engine that found it. */
  readonly engine: EngineName | "greedy";
  readonly earned: Readonly<Record<string, Earned>>;
  readonly learned: Learned;
  /** Patterns from which `lowerBound` can start. */
  readonly known: readonly BinPattern[];
  /** A lower bound on the cost of every packing of all shapes, from the last prices. `lowerBound` finds a better one. */
  readonly bound: number;
};

/** A search ends before its budget does if this many slices in a row save nothing. */
const maxInVain = 400;

/** Returns the best packing that the engines find within the budget, never worse than greedy's. The most promising engine works next. */
export function search(instance: Instance, { budget, seed, engines = engineNames, learned, solve }: Search): Searched {
  const pricing = new Pricing(instance);
  const columns = new ColumnGeneration(pricing);
  const policy = new Policy(instance, learned);
  const ready = createEngines(engines, { pricing, columns, seed, solve });
  const counted = new Counted(budget);
  let packing = firstPacking(pricing, columns, counted);
  let proven = provenAtOnce(instance, packing);
  let isMore = counted.isMore && isOpen(instance);
  let engine: Searched["engine"] = "greedy";
  const earned: Record<string, Earned> = {};
  let inVain = 0;
  while (isMore && inVain < maxInVain && !isProven(packing, proven)) {
    const name = policy.choose([...ready.keys()]);
    const slice = name && ready.get(name)?.improve(packing);
    if (!slice) break;
    if (slice.isDone) ready.delete(name);
    proven = Math.max(proven, slice.bound ?? proven);
    const saved = savedBy(slice.packing, packing);
    if (slice.packing && saved > 0) [packing, engine] = [slice.packing, name];
    inVain = saved > 0 ? 0 : inVain + 1;
    policy.reward(name, { saved, steps: slice.steps });
    earned[name] = plus(earned[name], { saved, steps: slice.steps });
    isMore = counted.spend(slice.steps);
  }
  return {
    packing,
    engine,
    earned,
    learned: policy.learned(),
    known: columns.known(),
    bound: Math.max(proven, pricing.bound(columns.prices())),
  };
}

/** Reports whether there are jobs to place and bins for them. */
const isOpen = ({ shapes, kinds }: Instance): boolean => shapes.length > 0 && kinds.length > 0;

/** Returns the cost that is proven before the search, or -1. Greedy is optimal for a single job without costs of its own. */
function provenAtOnce({ shapes, kinds }: Instance, { cost }: BinPacking): number {
  const jobs = shapes.reduce((sum, { count }) => sum + count, 0);
  return jobs === 1 && kinds.every(({ extra }) => extra === undefined) ? cost : -1;
}

const isProven = ({ waits, cost }: BinPacking, bound: number): boolean => waits === 0 && cost <= bound;

/** Returns what a packing saves, as a share of the cost before; 1 if it places more jobs. */
function savedBy(found: BinPacking | undefined, before: BinPacking): number {
  if (!found || !isBetter(found, before)) return 0;
  return found.waits < before.waits ? 1 : (before.cost - found.cost) / before.cost;
}

export const plus = (a: Earned | undefined, b: Earned): Earned => ({ saved: (a?.saved ?? 0) + b.saved, steps: (a?.steps ?? 0) + b.steps });
