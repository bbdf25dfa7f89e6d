import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { build } from "esbuild";
import * as z from "zod";
import type { BenchOptions } from "./bench.ts";
import type { Report, Row } from "./report.ts";
import type { Contents } from "./scale/contents.ts";

const Took = z.object({
  load: z.number(),
  decide: z.number(),
  record: z.number(),
  total: z.number(),
  maxRssMiB: z.number(),
  recordMiB: z.number(),
  read: z.number(),
  waiting: z.number(),
  steps: z.number(),
  begun: z.number(),
  others: z.number(),
});
type Took = z.infer<typeof Took>;

/** `freeGpus`: what the pool's limit leaves. */
type Case = Contents & { readonly cpuSeconds: number; readonly freeGpus: number };

const cases: readonly Case[] = [
  { queued: 10_000, nodes: 1_000, crafted: false, cpuSeconds: 0.5, freeGpus: 0 },
  { queued: 100_000, nodes: 5_000, crafted: false, cpuSeconds: 1.5, freeGpus: 0 },
  { queued: 300_000, nodes: 5_000, crafted: false, cpuSeconds: 3, freeGpus: 0 },
  { queued: 100_000, nodes: 100, crafted: true, cpuSeconds: 2, freeGpus: 16 },
];

/**
 * Measures one decision of a large pool: CPU time and memory, from the table's pages to the compressed record. The targets are about a
 * decision whose pages are there already. What the connection to the table adds, and how much memory that takes, is measured with the same
 * pages over HTTP.
 */
export async function scale({ seeds = 3 }: BenchOptions): Promise<Report> {
  const rows: Row[] = [];
  for (const each of cases) {
    const { canned: took, overHttp } = await measured(each, seeds);
    const name = `${each.queued} ${each.crafted ? "crafted jobs of one team" : "jobs"}, ${each.nodes} nodes`;
    const row = (metric: string, value: number, more: Partial<Row> = {}): void => {
      rows.push({ case: name, metric, value, unit: "CPU s", rivals: {}, better: "lower", ...more });
    };
    row("load", took.load);
    row("decide", took.decide);
    row("record", took.record);
    row("total", took.total, { target: each.cpuSeconds });
    row("total over HTTP", overHttp.total);
    row("most memory", overHttp.maxRssMiB, { unit: "MiB", target: 512 });
    row("record size", took.recordMiB, { unit: "MiB" });
    row("jobs read", took.read, { unit: "" });
    if (each.crafted) row("jobs of another team begun", took.others, { unit: "", target: 1, better: "higher" });
  }
  return { bench: "scale", seeds, rows };
}

/** Returns the medians by total CPU time of several decisions, each in a process of its own. */
async function measured(of: Case, runs: number): Promise<{ readonly canned: Took; readonly overHttp: Took }> {
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  const table = spawn(process.execPath, [join(import.meta.dirname, "scale", "table-server.ts"), JSON.stringify(of)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const outfile = join(folder, "decision.mjs");
    const entry = join(import.meta.dirname, "scale", "decision.ts");
    const banner = { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' };
    await build({ entryPoints: [entry], bundle: true, platform: "node", format: "esm", target: "node24", minify: true, banner, outfile });
    const port = await firstLine(table.stdout);
    const decide = async (...more: readonly string[]): Promise<Took> => {
      const args = [outfile, port, String(of.nodes * 8 + of.freeGpus), ...more];
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 });
      return Took.parse(JSON.parse(stdout));
    };
    const pages = join(folder, "pages");
    await decide(pages);
    const all: { readonly canned: Took; readonly overHttp: Took }[] = [];
    for (let run = 0; run < runs; run += 1) all.push({ canned: await decide(pages), overHttp: await decide() });
    return { canned: median(all.map(({ canned }) => canned)), overHttp: median(all.map(({ overHttp }) => overHttp)) };
  } finally {
    table.kill();
    await rm(folder, { recursive: true });
  }
}

const median = (all: readonly Took[]): Took => all.toSorted((a, b) => a.total - b.total)[Math.floor(all.length / 2)] as Took;

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stream })) return line;
  throw new Error("the table's process ended before it was ready");
}
