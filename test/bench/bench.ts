/** `npm run bench -- NAME [--data DIR] [--seeds N] [--json]`, or `--list`. Exits 1 if a target is not reached. */
import { parseArgs } from "node:util";
import { type Column, tableLines } from "../../lib/cli/terminal/table.ts";
import { capacity } from "./capacity/capacity.ts";
import { coldStart } from "./cold-start.ts";
import { fixedCluster } from "./fixed-cluster.ts";
import { fleetCost } from "./fleet-cost.ts";
import { latency } from "./latency.ts";
import { reaction } from "./reaction.ts";
import { type Report, type Row, reportJson } from "./report.ts";
import { scale } from "./scale.ts";
import { throttle } from "./throttle.ts";
import { vectorPacking } from "./vector-packing.ts";

/** `data` is a folder of public data; undefined for the data that ships with the project. `seeds` is the number of runs. */
export type BenchOptions = { readonly data?: string | undefined; readonly seeds?: number | undefined };

const benches: Readonly<Record<string, { readonly shows: string; readonly run: (options: BenchOptions) => Promise<Report> }>> = {
  capacity: { shows: "failed launches and waiting times while most instance types have no capacity", run: capacity },
  "cold-start": {
    shows: "import and first call of each function in a new process, above bare Node, and what its bundle holds",
    run: coldStart,
  },
  "fixed-cluster": {
    shows: "GPUs in use in a fleet of fixed size, after more jobs have arrived than it holds",
    run: fixedCluster,
  },
  "fleet-cost": { shows: "cost of a fleet for thousands of jobs, above a lower bound", run: fleetCost },
  latency: { shows: "time to plan: for one event, for thousands of jobs, for hundreds of thousands", run: latency },
  reaction: { shows: "time from message to launch, and from a freed node to its next job, on the local cloud", run: reaction },
  scale: { shows: "CPU time and memory of one decision with up to 300,000 jobs and 5,000 nodes", run: scale },
  throttle: {
    shows: "2,000 jobs at once while EC2 throttles: time until all are launched, and jobs that are affected",
    run: throttle,
  },
  "vector-packing": { shows: "equal bins that items of several dimensions need, above the known minimum", run: vectorPacking },
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { data: { type: "string" }, seeds: { type: "string" }, json: { type: "boolean" }, list: { type: "boolean" } },
});
const [name = "--list"] = positionals;
const bench = benches[name];
if (options.list || !bench) {
  if (!options.list && name !== "--list") console.error(`there is no benchmark ${name}`);
  for (const [each, { shows }] of Object.entries(benches)) console.log(`${each.padEnd(14)} ${shows}`);
  process.exitCode = options.list || name === "--list" ? 0 : 2;
} else {
  const startedMs = performance.now();
  const seeds = options.seeds === undefined ? undefined : Number(options.seeds);
  const result = reportJson(await bench.run({ data: options.data, seeds }), performance.now() - startedMs);
  for (const line of tableLines(result.rows, columnsOf(result.rows), "no figures")) console.log(line);
  for (const note of result.notes ?? []) console.log(note);
  console.log(`${result.wallMs} ms, at most ${result.peakRssMiB} MiB`);
  if (options.json) console.log(JSON.stringify(result));
  process.exitCode = result.ok ? 0 : 1;
}

type Judged = ReturnType<typeof reportJson>["rows"][number];

/** Returns the columns: our figure, then each rival's with its ratio to ours. */
function columnsOf(rows: readonly Row[]): Column<Judged>[] {
  const rivals = [...new Set(rows.flatMap((row) => Object.keys(row.rivals)))];
  return [
    { title: "CASE", of: (row) => row.case },
    { title: "METRIC", of: (row) => row.metric },
    { title: "VALUE", of: (row) => `${figure(row.value)} ${row.unit}`, align: "right" },
    {
      title: "TARGET",
      of: (row) => (row.target === undefined ? "-" : `${row.better === "lower" ? "≤" : "≥"} ${row.target} ${row.unit}`),
      align: "right",
    },
    { title: "", of: (row) => (row.target === undefined ? "" : row.reached ? "reached" : "NOT reached") },
    { title: "LIMIT", of: (row) => (row.limit === undefined ? "-" : figure(row.limit)), align: "right" },
    ...rivals.map((rival): Column<Judged> => ({ title: rival.toUpperCase(), of: (row) => beside(row, rival), align: "right" })),
  ];
}

function beside(row: Row, rival: string): string {
  const value = row.rivals[rival];
  if (value === undefined) return "-";
  return row.value === 0 ? figure(value) : `${figure(value)} (${(value / row.value).toFixed(2)}x)`;
}

/** Formats a figure with up to two decimals below 100, with none above. */
function figure(value: number): string {
  return Math.abs(value) < 100 ? `${Number(value.toFixed(2))}` : `${Math.round(value)}`;
}
