import {
  type CapacityPlan,
  type NodeType,
  type PerResource,
  type PlannedResource,
  perResource,
  type ResourceName,
  resourceNames,
} from "../../model/planning/capacity.ts";
import type { LinearProgram, ProgramResult, SolveLimits, SolveProgram } from "../../model/planning/linear-program.ts";
import { type CapacityProblem, type CapacityProgram, capacityProgram, fewestNodes } from "./program.ts";

export type CapacityOutcome =
  | { readonly kind: "planned"; readonly plan: CapacityPlan }
  /** `short`: resources that all types together do not have enough of, and the most that they have. */
  | { readonly kind: "impossible"; readonly short: readonly { readonly name: ResourceName; readonly most: number }[] }
  /** Each additional node would make the fleet cheaper, because some type has a negative cost. */
  | { readonly kind: "endless" }
  | { readonly kind: "unanswered"; readonly reason: string };

type Solved = Extract<ProgramResult, { kind: "solved" }>;

/** Two fleets count as equally cheap if their costs differ by no more than this part, which sums of prices lose to rounding. */
const alike = 1e-9;

/** The part of the time that may be spent on finding the smallest among equally cheap fleets. */
const forFewest = 0.25;
const part = ({ ms, nodes }: SolveLimits, of: number): SolveLimits => ({ ms: ms === undefined ? undefined : ms * of, nodes });

/** Returns the cheapest fleet of whole nodes that meets the demand; among equally cheap ones, the one with the fewest nodes. */
export function planCapacity(
  problem: CapacityProblem,
  solve: SolveProgram,
  limits: Pick<SolveLimits, "ms" | "nodes"> = {},
): CapacityOutcome {
  const short = resourceNames
    .map((name) => ({ name, most: largestTotal(problem, name) }))
    .filter(({ name, most }) => most < problem.demand[name]);
  if (short.length > 0) return { kind: "impossible", short };

  const made = capacityProgram(problem);
  const relaxed = solve(made.program, { relaxed: true });
  const whole = relaxed.kind === "solved" ? solve(made.program, part(limits, 1 - forFewest)) : relaxed;
  if (relaxed.kind !== "solved" || whole.kind !== "solved") return whyNot(relaxed.kind === "solved" ? whole : relaxed);

  const fewest = solve(fewestNodes(made.program, problem.types.length, whole.cost * (1 + alike)), part(limits, forFewest));
  const values = fewest.kind === "solved" && costs(fewest, made) <= costs(whole, made) * (1 + alike) ? fewest.values : whole.values;
  return { kind: "planned", plan: planOf(problem, made, { relaxed, whole, counts: problem.types.map((_, index) => values[index] ?? 0) }) };
}

/** Returns the most of a resource that all types together have; infinite if demand for it may go unmet. */
function largestTotal({ types, prices }: CapacityProblem, name: ResourceName): number {
  if (Number.isFinite(prices.shortfall[name])) return Number.POSITIVE_INFINITY;
  return types.reduce((sum, { offers, most = Number.POSITIVE_INFINITY }) => sum + (offers[name] === 0 ? 0 : offers[name] * most), 0);
}

const costs = ({ values }: Solved, { program }: CapacityProgram): number =>
  program.columns.reduce((sum, { cost }, index) => sum + cost * (values[index] ?? 0), 0);

function whyNot(result: ProgramResult): CapacityOutcome {
  if (result.kind === "unbounded") return { kind: "endless" };
  // The demand can be met, because planCapacity has already returned if the types together have too little.
  return {
    kind: "unanswered",
    reason: result.kind === "unanswered" ? result.reason : "the amounts differ too much in size to be solved together",
  };
}

type Found = { readonly relaxed: Solved; readonly whole: Solved; readonly counts: readonly number[] };

/** Calculates every amount from the counts, because the solver's own sums are only approximate. */
function planOf(problem: CapacityProblem, made: CapacityProgram, { relaxed, whole, counts }: Found): CapacityPlan {
  const { types, demand, prices } = problem;
  const sum = (of: (type: NodeType) => number): number => types.reduce((all, type, index) => all + (counts[index] ?? 0) * of(type), 0);
  const bought = perResource((name) => sum(({ offers }) => offers[name]));
  const { unmet, waits } = lacking(problem, bought);
  const cost = {
    hardware: sum((type) => type.cost.hardware),
    software: sum((type) => type.cost.software),
    network: sum((type) => type.cost.network),
  };
  const performance = {
    loss: sum(({ loss }) => loss),
    perNode: sum(() => prices.perNode),
    waiting: priced(waits, prices.waiting),
    shortfall: priced(unmet, prices.shortfall),
  };
  const f = cost.hardware + cost.software + cost.network;
  const g = performance.loss + performance.perNode + performance.waiting + performance.shortfall;
  const bound = Math.min(f + g, Math.max(relaxed.cost, whole.bound));
  const priceOfRow = (row: number): number => relaxed.prices?.[row] ?? 0;
  const planned = (name: ResourceName): PlannedResource => ({
    demand: demand[name],
    bought: bought[name],
    unmet: unmet[name],
    waiting: waits[name],
    shadowPrice: made.rowsOf[name].reduce((all, row) => all + priceOfRow(row), 0),
  });
  return {
    types: types.map((type, index) => ({ type, count: counts[index] ?? 0, overWorth: overWorth(made.program, index, priceOfRow) })),
    resources: { compute: planned("compute"), storage: planned("storage"), bandwidth: planned("bandwidth") },
    cost: { ...cost, total: f },
    performance: { ...performance, total: g },
    total: f + g,
    relaxed: relaxed.cost,
    bound,
    gap: f + g - bound <= alike * Math.abs(bound) ? 0 : (f + g - bound) / bound,
    proven: whole.proven,
  };
}

/** Returns what goes unmet, and what waits in the headroom. Nothing waits if waiting costs more than a shortfall. */
function lacking({ demand, prices }: CapacityProblem, bought: PerResource): { readonly unmet: PerResource; readonly waits: PerResource } {
  const atEase = perResource((name) => bought[name] * (1 - prices.headroom));
  const served = perResource((name) => (prices.shortfall[name] < prices.waiting[name] ? atEase[name] : bought[name]));
  const unmet = perResource((name) => Math.max(0, demand[name] - served[name]));
  return { unmet, waits: perResource((name) => Math.max(0, demand[name] - unmet[name] - atEase[name])) };
}

const priced = (amounts: PerResource, each: PerResource): number =>
  resourceNames.reduce((sum, name) => sum + (amounts[name] === 0 ? 0 : amounts[name] * each[name]), 0);

/** Returns the type's reduced cost: what one node costs beyond what it is worth in all rows. */
function overWorth({ columns, rows }: LinearProgram, index: number, priceOfRow: (row: number) => number): number {
  const worth = rows.reduce((sum, { terms }, row) => sum + (terms.find(([column]) => column === index)?.[1] ?? 0) * priceOfRow(row), 0);
  const cost = columns[index]?.cost ?? 0;
  const over = cost - worth;
  return Math.abs(over) <= alike * Math.max(cost, worth) ? 0 : over;
}
