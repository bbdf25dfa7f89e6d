/** `npm run bench -- NAME [--json]`, or `--list`. Exits 1 when a target was not reached. */
import { tableLines } from "../../lib/cli/table.ts";
import { reaction } from "./reaction.ts";
import { type Report, reportJson } from "./report.ts";

const benches: Readonly<Record<string, { readonly shows: string; readonly run: () => Promise<Report> }>> = {
  reaction: { shows: "how soon a message becomes a launch, and a freed node the next job's, on the local cloud", run: reaction },
};

const [name = "--list", ...options] = process.argv.slice(2);
const bench = benches[name];
if (name === "--list" || !bench) {
  if (name !== "--list") console.error(`there is no benchmark ${name}`);
  for (const [each, { shows }] of Object.entries(benches)) console.log(`${each.padEnd(12)} ${shows}`);
  process.exitCode = name === "--list" ? 0 : 2;
} else {
  const startedMs = performance.now();
  const result = reportJson(await bench.run(), performance.now() - startedMs);
  const lines = tableLines(
    result.rows,
    [
      { title: "CASE", of: (row) => row.case },
      { title: "METRIC", of: (row) => row.metric },
      { title: "VALUE", of: (row) => `${Math.round(row.value)} ${row.unit}`, align: "right" },
      {
        title: "TARGET",
        of: (row) => (row.target === undefined ? "-" : `${row.better === "lower" ? "≤" : "≥"} ${row.target} ${row.unit}`),
        align: "right",
      },
      { title: "", of: (row) => (row.reached ? "reached" : "NOT reached") },
    ],
    "no figures",
  );
  for (const line of lines) console.log(line);
  console.log(`${result.wallMs} ms, at most ${result.peakRssMiB} MiB`);
  if (options.includes("--json")) console.log(JSON.stringify(result));
  process.exitCode = result.ok ? 0 : 1;
}
