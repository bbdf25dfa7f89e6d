import type { BenchOptions } from "../bench.ts";
import type { Report, Row } from "../report.ts";
import { type Day, day } from "./day.ts";
import { flat, learned, type Memory } from "./memories.ts";

const ordinarySeeds = 4;
const size = { hours: 24, jobs: 2_400 };
const threeMinutes = 180_000;

const memories: Readonly<Record<string, () => Memory>> = {
  "this memory": learned,
  "3 minutes, each pool its own": () => flat({ restMs: threeMinutes, shared: false }),
  "3 minutes, shared": () => flat({ restMs: threeMinutes, shared: true }),
};
const [mine = "", own = "", shared = ""] = Object.keys(memories);

/**
 * Measures how many requests are wasted on capacity that does not exist, and how long jobs wait for capacity that does. At any time, four
 * in five instance types are dry, for an hour and a quarter on average. All memories face the same days.
 */
export async function capacity({ seeds = ordinarySeeds }: BenchOptions = {}): Promise<Report> {
  const days = new Map(
    Object.entries(memories).map(([name, make]) => [name, Array.from({ length: seeds }, (_, seed) => day(seed + 1, make(), size))]),
  );
  const figure = (of: (day: Day) => readonly number[], fold: (all: readonly number[]) => number) => (name: string) =>
    fold((days.get(name) ?? []).flatMap(of));
  const row = (metric: string, unit: string, value: (name: string) => number, target?: number): Row => ({
    case: `${seeds} days of ${size.jobs} jobs, types dry ${Math.round(100 * mean((days.get(mine) ?? []).map(({ dryShare }) => dryShare)))} % of the time`,
    metric,
    unit,
    value: value(mine),
    rivals: { [own]: value(own), [shared]: value(shared) },
    ...(target === undefined ? {} : { target }),
    better: "lower",
  });
  const failed = (name: string): number => {
    const all = days.get(name) ?? [];
    return sum(all.map((each) => each.failed)) / sum(all.map(({ placed }) => placed));
  };
  const waits = figure(({ waitsMs }) => waitsMs.map((ms) => ms / 60_000), mean);
  const late = figure(({ waitsMs }) => waitsMs.map((ms) => ms / 60_000), p95);
  return {
    bench: "capacity",
    seeds,
    rows: [
      row("failed launches per placed job", "launches", failed, Math.min(0.3, failed(own))),
      row("time to a node, mean", "min", waits, waits(own)),
      row("time to a node, p95", "min", late, late(own)),
      row(
        "jobs without a node at the end of the day",
        "jobs",
        figure(({ jobs, placed }) => [jobs - placed], sum),
      ),
      row(
        "launches",
        "launches",
        figure(({ launches }) => [launches], sum),
      ),
      row(
        "cost",
        "$ per job",
        figure(({ usd, placed }) => [usd / placed], mean),
      ),
    ],
  };
}

const sum = (all: readonly number[]): number => all.reduce((total, each) => total + each, 0);
const mean = (all: readonly number[]): number => sum(all) / all.length;
const p95 = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length * 0.95)] ?? Number.NaN;
