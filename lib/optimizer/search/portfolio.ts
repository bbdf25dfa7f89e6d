import type { Learned } from "../../model/plan.ts";
import type { SolveProgram } from "../../model/planning/linear-program.ts";
import type { Pattern } from "../bounds/master.ts";
import { Pricing } from "../bounds/pricing.ts";
import { ColumnGeneration } from "../engines/column-generation.ts";
import { isBetter, type Packing } from "../engines/packing.ts";
import type { Budget } from "../problem/budget.ts";
import type { Instance } from "../problem/instance.ts";
import { createEngines, type EngineName, engineNames } from "./engines.ts";
import { Policy } from "./learning.ts";

export type Search = {
  readonly budget: Budget;
  readonly seed: number;
  /** Absent: all of them. */
  readonly engines?: readonly EngineName[] | undefined;
  readonly learned?: Learned | undefined;
  /** For instances that are small enough to be solved to the end. */
  readonly solve?: SolveProgram | undefined;
};

/** What an engine saved, of the cost of what was best before, and with how many steps. */
export type Earned = { readonly saved: number; readonly steps: number };

export type Searched = {
  readonly packing: Packing;
  /** Who found it. */
  readonly engine: EngineName | "greedy";
  readonly steps: number;
  readonly earned: Readonly<Record<string, Earned>>;
  readonly learned: Learned;
  /** That the bound can start from. */
  readonly known: readonly Pattern[];
  /** What no packing of all these shapes costs less than, as the last prices have it; `lowerBound` does better. */
  readonly bound: number;
};

/** Slices without a saving after which a search ends before its budget does. */
const mostInVain = 400;

/** The best that all engines find within the budget, each slice given to the one of which most is expected; at least what greedy finds. */
export function search(instance: Instance, { budget, seed, engines = engineNames, learned, solve }: Search): Searched {
  const pricing = new Pricing(instance);
  const columns = new ColumnGeneration(pricing);
  const policy = new Policy(instance, learned);
  const ready = createEngines(engines, { pricing, columns, seed, solve });
  let packing = columns.greedy();
  let proven = provenAtOnce(instance, packing);
  let engine: Searched["engine"] = "greedy";
  let steps = Math.max(1, pricing.steps);
  const earned: Record<string, Earned> = {};
  let inVain = 0;
  let isMore = budget.spend(steps) && isOpen(instance);
  while (isMore && inVain < mostInVain && !isProven(packing, proven)) {
    const name = policy.choose([...ready.keys()]);
    const slice = name && ready.get(name)?.improve(packing);
    if (!slice) break;
    if (slice.isDone) ready.delete(name);
    proven = slice.bound ?? proven;
    const saved = savedBy(slice.packing, packing);
    if (slice.packing && saved > 0) [packing, engine] = [slice.packing, name];
    inVain = saved > 0 ? 0 : inVain + 1;
    policy.reward(name, { saved, steps: slice.steps });
    earned[name] = plus(earned[name], { saved, steps: slice.steps });
    steps += Math.max(1, slice.steps);
    isMore = budget.spend(slice.steps);
  }
  return {
    packing,
    engine,
    steps,
    earned,
    learned: policy.learned(),
    known: columns.known(),
    bound: Math.max(proven, pricing.bound(columns.prices())),
  };
}

/** There is something to place, and somewhere. */
const isOpen = ({ shapes, kinds }: Instance): boolean => shapes.length > 0 && kinds.length > 0;

/** Greedy takes the cheapest bin for a job alone that costs nothing beside it: no search could teach anything. Below 0: nothing is proven yet. */
function provenAtOnce({ shapes, kinds }: Instance, { cost }: Packing): number {
  const jobs = shapes.reduce((sum, { count }) => sum + count, 0);
  return jobs === 1 && kinds.every(({ extra }) => extra === undefined) ? cost : -1;
}

const isProven = ({ waits, cost }: Packing, bound: number): boolean => waits === 0 && cost <= bound;

/** As a share of the cost before; one for whatever places a job more. */
function savedBy(found: Packing | undefined, before: Packing): number {
  if (!found || !isBetter(found, before)) return 0;
  return found.waits < before.waits ? 1 : (before.cost - found.cost) / before.cost;
}

export const plus = (a: Earned | undefined, b: Earned): Earned => ({ saved: (a?.saved ?? 0) + b.saved, steps: (a?.steps ?? 0) + b.steps });
