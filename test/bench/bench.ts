/** `npm run bench -- NAME [--seeds N] [--json]`, or `--list`. Exits 1 when a target was not reached. */
import { tableLines } from "../../lib/cli/table.ts";
import { reaction } from "./reaction.ts";
import { type Report, reportJson } from "./report.ts";
import { throttle } from "./throttle.ts";

type Asked = { readonly seeds?: number | undefined };

const benches: Readonly<Record<string, { readonly shows: string; readonly run: (asked: Asked) => Promise<Report> }>> = {
  reaction: { shows: "how soon a message becomes a launch, and a freed node the next job's, on the local cloud", run: reaction },
  throttle: {
    shows: "2,000 jobs at once against an EC2 that throttles: how long until all are launched, and who hears of it",
    run: throttle,
  },
};

const [name = "--list", ...options] = process.argv.slice(2);
const bench = benches[name];
if (name === "--list" || !bench) {
  if (name !== "--list") console.error(`there is no benchmark ${name}`);
  for (const [each, { shows }] of Object.entries(benches)) console.log(`${each.padEnd(12)} ${shows}`);
  process.exitCode = name === "--list" ? 0 : 2;
} else {
  const startedMs = performance.now();
  const result = reportJson(await bench.run({ seeds: numberAfter("--seeds") }), performance.now() - startedMs);
  const lines = tableLines(
    result.rows,
    [
      { title: "CASE", of: (row) => row.case },
      { title: "METRIC", of: (row) => row.metric },
      { title: "VALUE", of: (row) => `${shown(row.value)} ${row.unit}`.trim(), align: "right" },
      {
        title: "TARGET",
        of: (row) => (row.target === undefined ? "-" : `${row.better === "lower" ? "≤" : "≥"} ${row.target} ${row.unit}`.trim()),
        align: "right",
      },
      {
        title: "RIVALS",
        of: ({ rivals }) =>
          Object.entries(rivals)
            .map(([rival, value]) => `${rival} ${shown(value)}`)
            .join(", ") || "-",
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

/** Small figures with what matters of their fractions. */
function shown(value: number): string {
  return Math.abs(value) < 10 ? String(Math.round(value * 1000) / 1000) : String(Math.round(value));
}

function numberAfter(option: string): number | undefined {
  const at = options.indexOf(option);
  return at < 0 ? undefined : Number(options[at + 1]);
}
