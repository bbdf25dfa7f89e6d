import { maxPlaces } from "../../../lib/decide/placement/bundles.ts";
import { boundSteps, packingSteps } from "../../../lib/decide/placement/packing-budget.ts";
import { type Random, seeded } from "../../../lib/optimizer/engines/random.ts";
import { stepBudget } from "../../../lib/optimizer/problem/budget.ts";
import { classesOf } from "../../../lib/optimizer/problem/classes.ts";
import type { NamedJob, Problem } from "../../../lib/optimizer/problem/problem.ts";
import { optimize } from "../../../lib/optimizer/search/optimize.ts";
import type { Solution } from "../../../lib/optimizer/search/solution.ts";
import { wrongsOf } from "../../property/optimizer/checker.ts";
import type { Row } from "../report.ts";
import type { Fleet } from "./data.ts";
import { consolidated, karpenter } from "./karpenter.ts";

/** The most that a plan may cost above the bound, in percent, and the most processor time that it may take. */
const targets = { "on-demand": 4.5, spot: 4 } as const;
const mostCpuMs = 250;
const sizes = [500, 2_000, Number.POSITIVE_INFINITY] as const;
/** Consolidation is computed for up to this many pods, because it takes minutes for all. */
const maxConsolidated = 2_000;

type Of = { readonly market: "on-demand" | "spot"; readonly seeds: number };

/**
 * Plans within the steps that a decision has in production, with the processor time for the plan and its bound: for jobs that a seed draws
 * and for all. Jobs with a share of a GPU are among them, except in the rows that compare with Karpenter, which has no such pods.
 */
export function productionRows(fleet: Fleet, of: Of): readonly Row[] {
  const whole = { ...fleet, name: `jobs with whole GPUs of ${fleet.name}`, jobs: fleet.jobs.filter((job) => !hasShare(job)) };
  return [
    ...sizesOf(fleet).flatMap((size) => rowsOf(fleet, { ...of, size })),
    ...sizesOf(whole).flatMap((size) => besideKarpenter(whole, { ...of, size })),
  ];
}

const sizesOf = ({ jobs }: Fleet): readonly number[] => [...new Set(sizes.map((size) => Math.min(size, jobs.length)))];
const hasShare = ({ gpu }: NamedJob): boolean => gpu !== undefined && gpu.count > 0 && gpu.count < 1;

function rowsOf(fleet: Fleet, { market, seeds, size }: Of & { readonly size: number }): readonly Row[] {
  const runs = Array.from({ length: seeds }, (_, seed) => planned(drawn(fleet, { count: size, random: seeded(seed + 1) })));
  const name = `${size} of ${fleet.name}`;
  return [
    {
      case: name,
      metric: "above the bound, production's steps",
      unit: "%",
      value: median(runs.map((run) => 100 * (run.plan.cost.fleetUsd / run.boundUsd - 1))),
      rivals: {},
      limit: 0,
      target: targets[market],
      better: "lower",
    },
    {
      case: name,
      metric: "processor time of that",
      unit: "ms",
      value: median(runs.map(({ cpuMs }) => cpuMs)),
      rivals: {},
      target: mostCpuMs,
      better: "lower",
    },
  ];
}

function besideKarpenter(fleet: Fleet, { market, size }: Of & { readonly size: number }): readonly Row[] {
  const some = drawn(fleet, { count: size, random: seeded(1) });
  const { plan, boundUsd } = planned(some);
  const above = (usd: number): number => 100 * (usd / boundUsd - 1);
  const { usdPerHour, nodes } = karpenter(some.jobs, some.offers);
  const after = size <= maxConsolidated ? { "Karpenter consolidated": above(consolidated(nodes, some.offers).usdPerHour) } : {};
  return [
    {
      case: `${size} of the ${fleet.name}`,
      metric: "above the bound, production's steps",
      unit: "%",
      value: above(plan.cost.fleetUsd),
      rivals: { Karpenter: above(usdPerHour), ...after },
      limit: 0,
      target: targets[market],
      better: "lower",
    },
  ];
}

/** Plans as a decision does. What the greedy plan costs stands for what first fit's nodes cost. */
function planned(fleet: Fleet): { readonly plan: Solution; readonly boundUsd: number; readonly cpuMs: number } {
  const problem = problemOf(fleet);
  const boundUsd = optimize(problem, { budget: stepBudget(1), boundBudget: stepBudget(100_000_000), seed: 0 }).boundUsd;
  const steps = packingSteps(optimize(problem, { budget: stepBudget(1), seed: 1, engines: [] }).cost.fleetUsd);
  const before = process.cpuUsage();
  const plan = optimize(problemOf(fleet), { budget: stepBudget(steps), boundBudget: stepBudget(boundSteps(steps)), seed: 1 });
  const { user, system } = process.cpuUsage(before);
  const [wrong] = wrongsOf(problem, plan);
  if (wrong !== undefined || plan.waiting.length > 0) throw new Error(`a plan for ${fleet.name} is wrong: ${wrong ?? "jobs wait"}`);
  return { plan, boundUsd, cpuMs: (user + system) / 1_000 };
}

/** Returns the problem that a decision would solve: each job also takes a place of its node. */
const problemOf = ({ jobs, offers }: Fleet): Problem => ({
  dimensions: ["vCPUs", "GiB of memory", "places"],
  jobs: classesOf(jobs.map((job) => ({ ...job, size: [...job.size, 1] }))),
  nodes: [],
  offers: offers.map((offer) => ({ ...offer, capacity: [...offer.capacity, maxPlaces] })),
});

/** Returns that many jobs, drawn without replacement. */
function drawn(fleet: Fleet, { count, random }: { readonly count: number; readonly random: Random }): Fleet {
  if (count >= fleet.jobs.length) return fleet;
  const turns = fleet.jobs.map((job) => ({ job, turn: random() })).toSorted((a, b) => a.turn - b.turn);
  return { ...fleet, jobs: turns.slice(0, count).map(({ job }) => job) };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
