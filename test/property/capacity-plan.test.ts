import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { planCapacity } from "../../lib/decide/capacity-plan/plan-capacity.ts";
import { type NodeType, noPerformancePrices, type PerResource } from "../../lib/model/planning/capacity.ts";
import type { SolveProgram } from "../../lib/model/planning/linear-program.ts";
import { loadHighs } from "../../lib/solver/highs.ts";
import { stormRuns } from "./storm-runs.ts";

let solve: SolveProgram;
beforeAll(async () => {
  solve = await loadHighs();
});

const some = (most: number) => fc.integer({ min: 0, max: most });
const per = (most: number): fc.Arbitrary<PerResource> => fc.record({ compute: some(most), storage: some(most), bandwidth: some(most) });
const aType: fc.Arbitrary<NodeType> = fc.record({
  name: fc.constantFrom("a", "b", "c"),
  offers: per(6),
  cost: fc.record({ hardware: fc.integer({ min: 1, max: 20 }), software: some(3), network: some(3) }),
  loss: some(2),
  most: some(4),
});
const anyProblem = fc.record({
  demand: per(12),
  types: fc.array(aType, { minLength: 1, maxLength: 3 }),
  prices: fc.record({
    perNode: some(2),
    headroom: fc.constantFrom(0, 0.25),
    waiting: per(3),
    shortfall: fc.constantFrom(noPerformancePrices.shortfall, { compute: 4, storage: 4, bandwidth: 4 }),
  }),
});
type AnyProblem = typeof anyProblem extends fc.Arbitrary<infer T> ? T : never;

/** Returns the least f + g, by trying all counts. */
function byTrying({ demand, types, prices }: AnyProblem): number {
  const names = ["compute", "storage", "bandwidth"] as const;
  const lost = (counts: readonly number[]): number =>
    names.reduce((sum, name) => {
      const bought = counts.reduce((all, count, index) => all + count * (types[index]?.offers[name] ?? 0), 0);
      const unmet = Math.max(0, demand[name] - bought);
      const beyond = Math.max(0, demand[name] - bought * (1 - prices.headroom)) - unmet;
      const [wait, go] = [prices.headroom > 0 ? prices.waiting[name] : 0, prices.shortfall[name]];
      return sum + (unmet > 0 ? unmet * go : 0) + beyond * Math.min(wait, go);
    }, 0);
  const all = types.reduce<number[][]>(
    (counts, { most = 0 }) => counts.flatMap((each) => Array.from({ length: most + 1 }, (_, count) => [...each, count])),
    [[]],
  );
  const cost = (counts: readonly number[]): number =>
    counts.reduce((sum, count, index) => {
      const { hardware = 0, software = 0, network = 0 } = types[index]?.cost ?? {};
      return sum + count * (hardware + software + network + (types[index]?.loss ?? 0) + prices.perNode);
    }, 0);
  return Math.min(...all.map((counts) => cost(counts) + lost(counts)));
}

it("no fleet is cheaper than the planned one, and none is below its bounds", () => {
  fc.assert(
    fc.property(anyProblem, (problem) => {
      const outcome = planCapacity(problem, solve);
      const least = byTrying(problem);
      if (outcome.kind !== "planned") {
        expect([outcome.kind, least]).toEqual(["impossible", Number.POSITIVE_INFINITY]);
        return;
      }
      const { plan } = outcome;
      expect(plan.total).toBeCloseTo(least, 6);
      expect(plan.relaxed).toBeLessThanOrEqual(plan.bound + 1e-6);
      expect(plan.bound).toBeLessThanOrEqual(plan.total);
      for (const { type, count } of plan.types) expect(count).toBeLessThanOrEqual(type.most ?? 0);
    }),
    { numRuns: stormRuns(1_000) },
  );
});
