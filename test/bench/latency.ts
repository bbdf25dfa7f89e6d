import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { seeded } from "../../lib/optimizer/engines/random.ts";
import { stepBudget } from "../../lib/optimizer/problem/budget.ts";
import { classesOf } from "../../lib/optimizer/problem/classes.ts";
import type { FreeNode, NamedJob, Supply } from "../../lib/optimizer/problem/problem.ts";
import { optimize } from "../../lib/optimizer/search/optimize.ts";
import type { BenchOptions } from "./bench.ts";
import { madeFleet, publicFleet } from "./fleet/data.ts";
import { alike, distinct, manyOf, nodesOf, nodesThere } from "./fleet/made.ts";
import type { Report, Row } from "./report.ts";

const events = 300;

/** Measures how long a plan takes from the list of jobs to the list of nodes, with its bound. No budget cuts the greedy start short. */
export async function latency({ data, seeds = 5 }: BenchOptions): Promise<Report> {
  const fleet = data === undefined ? madeFleet("spot", 8_152) : publicFleet(data, "spot");
  const offers = data === undefined ? manyOf(fleet.offers, 828) : [...fleet.offers, ...publicFleet(data, "on-demand").offers].slice(0, 828);
  const random = seeded(7);
  const nodes = nodesOf(offers);
  const rows: Row[] = [];
  const row = (of: Omit<Row, "unit" | "rivals" | "better">): Row => ({ ...of, unit: "ms", rivals: {}, better: "lower" });

  for (const jobs of [1, 20]) {
    const tookMs = Array.from({ length: events }, () => {
      const some = Array.from(
        { length: jobs },
        (_, index): NamedJob => ({ ...(fleet.jobs[Math.floor(random() * fleet.jobs.length)] as NamedJob), name: `event-${index}` }),
      );
      return timed(some, { nodes, offers });
    });
    // The first calls do not count, because the JIT compiles the code meanwhile.
    const warm = tookMs.slice(events / 3);
    const name = `${jobs} job${jobs > 1 ? "s" : ""}, ${nodesThere} nodes, ${offers.length} offers`;
    rows.push(row({ case: name, metric: "p50", value: at(warm, 0.5) }));
    rows.push(row({ case: name, metric: "p99", value: at(warm, 0.99), ...(jobs === 1 ? { target: 5 } : {}) }));
  }
  const repeated = (jobs: readonly NamedJob[]): number =>
    at(
      Array.from({ length: seeds }, () => timed(jobs, { nodes: [], offers: fleet.offers })),
      0.5,
    );
  rows.push(row({ case: `${fleet.jobs.length} jobs of a trace`, metric: "median", value: repeated(fleet.jobs), target: 50 }));
  rows.push(row({ case: "20000 jobs, all different", metric: "median", value: repeated(distinct(20_000, random)), target: 500 }));
  rows.push(
    row({ case: "200000 jobs in 500 classes", metric: "median", value: repeated(alike(200_000, { classes: 500, random })), target: 500 }),
  );
  rows.push({
    case: "a function's process: events, then a trace of 8152",
    metric: "most memory",
    unit: "MiB",
    value: await memoryMiB(),
    rivals: {},
    target: 150,
    better: "lower",
  });
  return { bench: "latency", seeds, rows };
}

function timed(jobs: readonly NamedJob[], { nodes, offers }: { nodes: readonly FreeNode[]; offers: readonly Supply[] }): number {
  const startedMs = performance.now();
  const solution = optimize(
    { dimensions: ["vcpus", "memoryGiB"], jobs: classesOf(jobs), nodes, offers },
    { budget: stepBudget(1), seed: 1 },
  );
  const tookMs = performance.now() - startedMs;
  if (solution.waiting.length > 0) throw new Error("jobs wait that have a place");
  return tookMs;
}

const at = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN;

/** Returns the peak memory of a process that does nothing else and runs a bundle, as a function does. */
async function memoryMiB(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  try {
    const outfile = join(folder, "scenario.mjs");
    const entry = join(import.meta.dirname, "fleet", "memory-scenario.ts");
    await build({ entryPoints: [entry], bundle: true, platform: "node", format: "esm", target: "node24", minify: true, outfile });
    const { stdout } = await promisify(execFile)(process.execPath, [outfile], { timeout: 60_000 });
    return Number(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}
