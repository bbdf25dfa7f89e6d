import type { SolveProgram } from "../../../lib/model/planning/linear-program.ts";
import { Pricing } from "../../../lib/optimizer/bounds/pricing.ts";
import { strongProgram } from "../../../lib/optimizer/bounds/strong-program.ts";
import { allBins, greedy } from "../../../lib/optimizer/engines/greedy.ts";
import { packingOf } from "../../../lib/optimizer/engines/packing.ts";
import type { Instance } from "../../../lib/optimizer/problem/instance.ts";

/** Solves the strong linear program with HiGHS. Returns its value and the cost of a greedy packing at its duals, in dollars per hour. */
export function dualGreedy(instance: Instance, solve: SolveProgram): { boundUsd: number; usd: number } {
  const result = solve(strongProgram(instance));
  if (result.kind !== "solved") throw new Error(`the strengthened program is ${result.kind}`);
  const pricing = new Pricing(instance);
  pricing.value(Float64Array.from(instance.shapes, (_, shape) => Math.max(1e-7, result.prices?.[shape] ?? 0)));
  const left = pricing.counts.slice();
  const bins = greedy(pricing, { left, bins: allBins(pricing), maxNodes: 8 });
  return { boundUsd: result.cost * instance.usd, usd: packingOf(instance, bins, left).cost * instance.usd };
}
