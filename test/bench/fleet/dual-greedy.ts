import { allBins, greedy } from "../../../lib/decide/placement/optimizer/greedy.ts";
import type { Instance } from "../../../lib/decide/placement/optimizer/instance.ts";
import { packingOf } from "../../../lib/decide/placement/optimizer/packing.ts";
import { Pricing } from "../../../lib/decide/placement/optimizer/pricing.ts";
import { strongProgram } from "../../../lib/decide/placement/optimizer/strong-program.ts";
import type { SolveProgram } from "../../../lib/model/linear-program.ts";

/** The strengthened linear program, solved by HiGHS: its value, and what a greedy packer makes of its duals; dollars an hour. */
export function dualGreedy(instance: Instance, solve: SolveProgram): { boundUsd: number; usd: number } {
  const answer = solve(strongProgram(instance));
  if (answer.kind !== "solved") throw new Error(`the strengthened program is ${answer.kind}`);
  const pricing = new Pricing(instance);
  pricing.value(Float64Array.from(instance.shapes, (_, shape) => Math.max(1e-7, answer.prices?.[shape] ?? 0)));
  const left = pricing.counts.slice();
  const bins = greedy(pricing, { left, bins: allBins(pricing), mostNodes: 8 });
  return { boundUsd: answer.cost * instance.usd, usd: packingOf(instance, bins, left).cost * instance.usd };
}
