import type { Learned } from "../../lib/model/plan.ts";
import { seeded } from "../../lib/optimizer/engines/random.ts";
import { clockBudget, stepBudget } from "../../lib/optimizer/problem/budget.ts";
import { classesOf } from "../../lib/optimizer/problem/classes.ts";
import { instanceOf } from "../../lib/optimizer/problem/instance.ts";
import type { Problem } from "../../lib/optimizer/problem/problem.ts";
import { type EngineName, engineNames } from "../../lib/optimizer/search/engines.ts";
import { optimize } from "../../lib/optimizer/search/optimize.ts";
import type { Solution } from "../../lib/optimizer/search/solution.ts";
import { loadHighs } from "../../lib/solver/highs.ts";
import { wrongsOf } from "../property/optimizer/checker.ts";
import type { BenchOptions } from "./bench.ts";
import { type Fleet, madeFleet, publicFleet } from "./fleet/data.ts";
import { dualGreedy } from "./fleet/dual-greedy.ts";
import { productionRows } from "./fleet/production.ts";
import { atRandom, bestFitDecreasing, firstFitDecreasing } from "./fleet/rivals.ts";
import type { Report, Row } from "./report.ts";

const markets = ["on-demand", "spot"] as const;
/** The most that a plan may cost above the bound, in percent, by market and milliseconds. */
const targets = { "on-demand": { 50: 12, 1000: 6.5 }, spot: { 50: 9, 1000: 5 } } as const;
const batches = [100, 500, 2_000] as const;
/** The time reserved for naming jobs and computing costs after the search. */
const keptMs = 8;

/**
 * Measures how much a fleet for all jobs costs above a lower bound, after 50 ms and after 1 s on one core, next to other schedulers' rules
 * with the same jobs and offers, within the steps that a decision has in production, and with each engine alone for a second. Every plan
 * must pass the checker.
 */
export async function fleetCost({ data, seeds = 5 }: BenchOptions): Promise<Report> {
  const solve = await loadHighs();
  const rows: Row[] = [];
  for (const market of markets) {
    const fleet = data === undefined ? madeFleet(market) : publicFleet(data, market);
    const rivals = rivalsOf(fleet);
    const instance = instanceOf(problemOf(fleet));
    const { boundUsd: byHighs, usd: dual } = dualGreedy(instance, solve);
    const { solution: bounded } = run(fleet, { ms: 50, seed: 0, bound: 100_000_000 });
    const boundUsd = bounded.boundUsd;
    const above = (usd: number): number => 100 * (usd / boundUsd - 1);
    const all = Object.fromEntries(Object.entries({ ...rivals, "dual greedy": dual }).map(([name, usd]) => [name, above(usd)]));
    rows.push({
      case: fleet.name,
      metric: "bound without a solver",
      unit: "$/h",
      value: boundUsd,
      rivals: { HiGHS: byHighs },
      limit: byHighs,
      better: "higher",
    });
    for (const ms of [50, 1_000] as const) {
      const runs = seedsOf(seeds).map((seed) => run(fleet, { ms, seed }));
      const value = median(runs.map(({ solution }) => above(solution.cost.fleetUsd)));
      rows.push({
        case: fleet.name,
        metric: `above the bound, ${ms} ms`,
        unit: "%",
        value,
        rivals: all,
        limit: 0,
        target: targets[market][ms],
        better: "lower",
      });
      rows.push({
        case: fleet.name,
        metric: `time of that, ${ms} ms`,
        unit: "ms",
        value: median(runs.map(({ wallMs }) => wallMs)),
        rivals: {},
        target: ms,
        better: "lower",
      });
    }
    rows.push(...productionRows(fleet, { market, seeds }));
    rows.push(...enginesAlone(fleet, { seeds, above }));
  }
  for (const size of batches)
    rows.push(...batch(data === undefined ? madeFleet("spot", 8_000) : publicFleet(data, "spot"), { size, seeds }));
  return { bench: "fleet-cost", seeds, rows };
}

const seedsOf = (count: number): readonly number[] => Array.from({ length: count }, (_, seed) => seed + 1);
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const problemOf = ({ jobs, offers }: Fleet): Problem => ({ dimensions: ["vcpus", "memoryGiB"], jobs: classesOf(jobs), nodes: [], offers });

type Run = { ms: number; seed: number; bound?: number; engines?: readonly EngineName[]; learned?: Learned };

/** Makes one plan, from the list of jobs to the list of nodes. */
function run(fleet: Fleet, { ms, seed, bound = 0, engines, learned }: Run): { solution: Solution; wallMs: number } {
  const startedMs = performance.now();
  const problem = problemOf(fleet);
  const budget = clockBudget(() => performance.now(), startedMs + ms - Math.min(keptMs, ms / 4));
  const solution = optimize(problem, { budget, boundBudget: bound > 0 ? stepBudget(bound) : undefined, seed, engines, learned });
  const wallMs = performance.now() - startedMs;
  const [wrong] = wrongsOf(problem, solution);
  if (wrong !== undefined || solution.waiting.length > 0) throw new Error(`a plan for ${fleet.name} is wrong: ${wrong ?? "jobs wait"}`);
  return { solution, wallMs };
}

function rivalsOf({ jobs, offers }: Fleet): Readonly<Record<string, number>> {
  return {
    FFD: firstFitDecreasing(jobs, offers),
    "best fit": bestFitDecreasing(jobs, offers),
    random: atRandom(jobs, offers, seeded(1)),
  };
}

/** Runs each engine alone for a second, after the greedy start that all have, and all engines after they have learned from such runs. */
function enginesAlone(fleet: Fleet, { seeds, above }: { seeds: number; above: (usd: number) => number }): readonly Row[] {
  const row = (metric: string, value: number): Row => ({
    case: fleet.name,
    metric,
    unit: "%",
    value,
    rivals: {},
    limit: 0,
    better: "lower",
  });
  const alone = (engines: readonly EngineName[]): number =>
    median(seedsOf(seeds).map((seed) => above(run(fleet, { ms: 1_000, seed, engines }).solution.cost.fleetUsd)));
  let learned: Learned = {};
  const taught = seedsOf(seeds).map((seed) => {
    const { solution } = run(fleet, { ms: 1_000, seed, learned });
    learned = solution.learned;
    return above(solution.cost.fleetUsd);
  });
  return [
    row("greedy alone", alone([])),
    ...engineNames.map((engine) => row(`${engine} alone, 1 s`, alone([engine]))),
    row("all, with what was learned, 1 s", median(taught)),
  ];
}

/** Plans for `size` of the jobs, evenly spaced in the list. */
function batch(of: Fleet, { size, seeds }: { size: number; seeds: number }): readonly Row[] {
  const every = Math.max(1, Math.floor(of.jobs.length / size));
  const fleet = { ...of, jobs: of.jobs.filter((_, index) => index % every === 0).slice(0, size), name: `${size} of ${of.name}` };
  const { boundUsd } = run(fleet, { ms: 50, seed: 0, bound: 100_000_000 }).solution;
  const above = (usd: number): number => 100 * (usd / boundUsd - 1);
  const rivals = Object.fromEntries(Object.entries(rivalsOf(fleet)).map(([name, usd]) => [name, above(usd)]));
  return [50, 1_000].map((ms) => {
    const values = seedsOf(seeds).map((seed) => above(run(fleet, { ms, seed }).solution.cost.fleetUsd));
    return { case: fleet.name, metric: `above the bound, ${ms} ms`, unit: "%", value: median(values), rivals, limit: 0, better: "lower" };
  });
}
