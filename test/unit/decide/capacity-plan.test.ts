import { beforeAll, describe, expect, it } from "vitest";
import { planCapacity } from "../../../lib/decide/capacity-plan/plan-capacity.ts";
import {
  type CapacityPlan,
  type NodeType,
  noPerformancePrices,
  type PerformancePrices,
  perResource,
} from "../../../lib/model/planning/capacity.ts";
import type { SolveProgram } from "../../../lib/model/planning/linear-program.ts";
import { loadHighs } from "../../../lib/solver/highs.ts";

let solve: SolveProgram;
beforeAll(async () => {
  solve = await loadHighs();
});

const aType = (name: string, over: Partial<NodeType> = {}): NodeType => ({
  name,
  offers: { compute: 1, storage: 0, bandwidth: 0 },
  cost: { hardware: 1, software: 0, network: 0 },
  loss: 0,
  ...over,
});

const sized = (name: string, [compute, storage, bandwidth]: readonly [number, number, number]): NodeType =>
  aType(name, {
    offers: { compute, storage, bandwidth },
    cost: { hardware: 100 * compute + 50 * storage, software: 0, network: 30 * bandwidth },
  });
const four = [sized("a", [100, 16, 10]), sized("b", [200, 32, 20]), sized("c", [300, 64, 30]), sized("d", [400, 128, 40])];

type Problem = {
  demand: Partial<Record<"compute" | "storage" | "bandwidth", number>>;
  types: readonly NodeType[];
  prices?: Partial<PerformancePrices>;
};

const outcomeOf = ({ demand, types, prices }: Problem) =>
  planCapacity({ demand: perResource((name) => demand[name] ?? 0), types, prices: { ...noPerformancePrices, ...prices } }, solve);

function planned(problem: Problem): CapacityPlan {
  const found = outcomeOf(problem);
  if (found.kind !== "planned") throw new Error(`no plan: ${JSON.stringify(found)}`);
  return found.plan;
}

const bought = (plan: CapacityPlan) => Object.fromEntries(plan.types.flatMap(({ type, count }) => (count > 0 ? [[type.name, count]] : [])));

describe("a million of compute from four sizes", () => {
  it("a capacity plan for a million units of compute buys only the type that is cheapest per unit", () => {
    const plan = planned({ demand: { compute: 1_000_000 }, types: four });
    expect(bought(plan)).toEqual({ b: 5_000 });
    expect(plan).toMatchObject({ total: 111_000_000, relaxed: 111_000_000, bound: 111_000_000, gap: 0, proven: true });
    expect(plan.cost).toEqual({ hardware: 108_000_000, software: 0, network: 3_000_000, total: 111_000_000 });
    expect(plan.performance.total).toBe(0);
  });

  it("a capacity plan reports the price of one more unit, and by how much the other types are too expensive", () => {
    const plan = planned({ demand: { compute: 1_000_000 }, types: four });
    expect(plan.resources.compute.shadowPrice).toBeCloseTo(111, 9);
    expect(plan.resources.storage).toMatchObject({ demand: 0, bought: 160_000, unmet: 0, shadowPrice: 0 });
    expect(plan.types.map(({ overWorth }) => Math.round(overWorth))).toEqual([0, 0, 800, 3_200]);
  });

  it("a capacity plan buys the larger sizes if memory is demanded too", () => {
    const plan = planned({ demand: { compute: 1_000_000, storage: 320_000 }, types: four });
    expect(bought(plan)).toEqual({ d: 2_500 });
    expect(plan.total).toBe(119_000_000);
    expect(plan.resources.storage.shadowPrice).toBeGreaterThan(0);
  });
});

describe("whole nodes", () => {
  it("whole nodes cost more than parts of nodes would, and the plan reports by how much at most", () => {
    const types = [
      aType("three", { offers: { compute: 3, storage: 0, bandwidth: 0 }, cost: { hardware: 3, software: 0, network: 0 } }),
      aType("five", { offers: { compute: 5, storage: 0, bandwidth: 0 }, cost: { hardware: 4.9, software: 0, network: 0 } }),
    ];
    const plan = planned({ demand: { compute: 7 }, types });
    expect(bought(plan)).toEqual({ three: 1, five: 1 });
    expect(plan.relaxed).toBeCloseTo(6.86, 9);
    expect(plan.total).toBeCloseTo(7.9, 9);
    expect(plan.bound).toBeCloseTo(7.9, 6);
  });

  it("a capacity plan buys the cheapest type as far as there are nodes of it", () => {
    const types = [aType("cheap", { most: 3 }), aType("dear", { cost: { hardware: 2, software: 0, network: 0 } })];
    const plan = planned({ demand: { compute: 5 }, types });
    expect(bought(plan)).toEqual({ cheap: 3, dear: 2 });
    expect(plan.resources.compute.shadowPrice).toBeCloseTo(2, 9);
    expect(plan.types[0]?.overWorth).toBeCloseTo(-1, 9);
  });
});

describe("performance", () => {
  it("a capacity plan minimizes the performance that is lost per node and to failures", () => {
    const risky = aType("risky", { loss: 0.5 });
    const calm = aType("calm", { cost: { hardware: 1.4, software: 0, network: 0 } });
    const plan = planned({ demand: { compute: 10 }, types: [risky, calm], prices: { perNode: 0.1 } });
    expect(bought(plan)).toEqual({ calm: 10 });
    expect(plan.performance).toMatchObject({ loss: 0, perNode: 1, total: 1 });
    expect(plan.cost.total).toBeCloseTo(14, 9);
    expect(plan.total).toBeCloseTo(15, 9);
  });

  it.each([
    ["buys more nodes if waiting costs more than a node", 4, { bought: 13, waiting: 0 }],
    ["lets demand wait if waiting costs less than a node", 0.5, { bought: 10, waiting: 2 }],
  ])("a capacity plan %s", (_what, price, expected) => {
    const prices = { headroom: 0.2, waiting: { compute: price, storage: 0, bandwidth: 0 } };
    const plan = planned({ demand: { compute: 10 }, types: [aType("one")], prices });
    expect(plan.resources.compute.bought).toBe(expected.bought);
    expect(plan.resources.compute.waiting).toBeCloseTo(expected.waiting, 9);
    expect(plan.performance.waiting).toBeCloseTo(expected.waiting * price, 9);
    expect(plan.total).toBeGreaterThanOrEqual(plan.bound);
  });

  it("a capacity plan leaves demand unmet if that costs less than nodes", () => {
    const shortfall = { ...noPerformancePrices.shortfall, compute: 0.6 };
    const types = [aType("cheap", { most: 4, cost: { hardware: 0.5, software: 0, network: 0 } }), aType("dear")];
    const plan = planned({ demand: { compute: 10 }, types, prices: { shortfall } });
    expect(bought(plan)).toEqual({ cheap: 4 });
    expect(plan.resources.compute).toMatchObject({ unmet: 6 });
    expect(plan.total).toBeCloseTo(2 + 3.6, 9);
  });

  it.each([
    ["leaves demand unmet rather than waiting if waiting costs more", 9, { unmet: 5, waiting: 0 }],
    ["lets demand wait rather than leave it unmet if both cost the same", 1, { unmet: 0, waiting: 5 }],
  ])("a capacity plan %s", (_what, price, expected) => {
    const prices = {
      headroom: 0.5,
      waiting: { compute: price, storage: 0, bandwidth: 0 },
      shortfall: { ...noPerformancePrices.shortfall, compute: 1 },
    };
    const types = [aType("one", { cost: { hardware: 0.25, software: 0, network: 0 }, most: 10 })];
    const plan = planned({ demand: { compute: 10 }, types, prices });
    expect(plan.resources.compute).toMatchObject({ bought: 10, ...expected });
    expect(plan.total).toBeCloseTo(2.5 + 5, 9);
    expect(plan.total).toBeCloseTo(plan.bound, 6);
  });
});

describe("a demand without a plan", () => {
  it("an impossible demand is reported with the resources that are short", () => {
    const types = [aType("few", { most: 3 }), aType("none", { offers: { compute: 0, storage: 0, bandwidth: 1 } })];
    expect(outcomeOf({ demand: { compute: 4, storage: 1, bandwidth: 9 }, types })).toEqual({
      kind: "impossible",
      short: [
        { name: "compute", most: 3 },
        { name: "storage", most: 0 },
      ],
    });
  });

  it("a type with a negative cost is reported as endless", () => {
    const types = [aType("gift", { cost: { hardware: -1, software: 0, network: 0 } })];
    expect(outcomeOf({ demand: { compute: 4 }, types })).toEqual({ kind: "endless" });
  });

  it("a program that was not solved in time is reported as unanswered", () => {
    const demand = perResource(() => 1);
    expect(
      planCapacity({ demand, types: four, prices: noPerformancePrices }, () => ({ kind: "unanswered", reason: "time limit" })),
    ).toEqual({
      kind: "unanswered",
      reason: "time limit",
    });
  });

  it("a program that was solved only in fractions is reported with the reason why it was not solved in whole nodes", () => {
    const solve: SolveProgram = (program, { relaxed } = {}) =>
      relaxed
        ? { kind: "solved", cost: 1, values: program.columns.map(() => 1), proven: true, bound: 1 }
        : { kind: "unanswered", reason: "time limit" };
    const problem = { demand: perResource(() => 1), types: four, prices: noPerformancePrices };
    expect(planCapacity(problem, solve)).toEqual({ kind: "unanswered", reason: "time limit" });
  });
});
