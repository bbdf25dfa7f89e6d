import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build, type Metafile } from "esbuild";
import * as z from "zod";
import { bundleFunctions, bundleOf } from "../../cdk/bundles/function-bundles.ts";
import { parseConfiguration } from "../../cdk/configuration/configuration.ts";
import fleetConfig from "../../cdk/fleet.config.ts";
import type { FunctionName } from "../../lib/runtime/env.ts";
import type { BenchOptions } from "./bench.ts";
import { emptyServices } from "./cold/empty-services.ts";
import { environmentOf, firstCalls } from "./cold/first-calls.ts";
import { type Loaded, loadedOf, whyLarge } from "./cold/loaded.ts";
import type { Report, Row } from "./report.ts";

const targetMs = 120;
/** For what is loaded at import. */
const targetKb = 700;
/** How many parts of each bundle are shown. */
const shownParts = 5;

/** How long a process took, ms since its start. `importedMs` is 0 for one that imported nothing. */
const Took = z.object({ importedMs: z.number(), calledMs: z.number(), cpuMs: z.number(), result: z.unknown().optional() });
type Took = z.infer<typeof Took>;
type Samples = readonly Took[];

/**
 * Measures the cold start of each function's deployed bundle: importing it, and its first call, in a new process each time. Figures are above
 * those of a process that does nothing, which takes its turn in each round, so that the load of the machine is the same for all.
 */
export async function coldStart({ seeds: rounds = 15 }: BenchOptions): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  const { bundles, metafiles } = await bundleFunctions(parseConfiguration(fleetConfig, "cdk/fleet.config.ts"));
  const services = await emptyServices();
  try {
    const child = join(folder, "child.mjs");
    await build({
      entryPoints: [join(import.meta.dirname, "cold", "child.ts")],
      bundle: true,
      platform: "node",
      format: "esm",
      outfile: child,
    });
    const env = environmentOf(services.url);
    const processOf = (...args: readonly string[]) => timed([child, ...args], env);
    const calls = Object.entries(await firstCalls(services.url)) as [FunctionName, object][];
    const bare: Took[] = [];
    const samples = new Map<FunctionName, Took[]>(calls.map(([name]) => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      bare.push(await processOf());
      for (const [name, event] of calls) {
        const took = await processOf(join(bundleOf(bundles, name), "index.mjs"), JSON.stringify(event));
        samples.get(name)?.push(took);
      }
    }
    const loaded = new Map(calls.map(([name]) => [name, loadedOf(metafiles.get(name) as Metafile)]));
    return {
      bench: "cold-start",
      seeds: rounds,
      rows: [...samples].flatMap(([name, took]) => rowsOf(name, { took, bare, loaded: loaded.get(name) as Loaded })),
      notes: [bareNote(bare), ...[...loaded].flatMap(([name, each]) => partNotes(name, each))],
    };
  } finally {
    services.close();
    await rm(bundles, { recursive: true });
    await rm(folder, { recursive: true });
  }
}

async function timed(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Took> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 60_000 });
  const took = Took.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
  const failed = z.object({ batchItemFailures: z.array(z.unknown()).min(1) }).safeParse(took.result);
  if (failed.success) throw new Error(`a call failed, so its time means nothing:\n${stdout}`);
  return took;
}

type Measured = { readonly took: Samples; readonly bare: Samples; readonly loaded: Loaded };

function rowsOf(name: FunctionName, { took, bare, loaded }: Measured): Row[] {
  const row = (metric: string, value: number, more: Partial<Row> = {}): Row => ({
    case: name,
    metric,
    unit: "ms",
    value,
    rivals: {},
    better: "lower",
    ...more,
  });
  const above = (of: (each: Took) => number, ofBare: (each: Took) => number = of): number =>
    medianOf(took.map(of)) - medianOf(bare.map(ofBare));
  return [
    row(
      "import",
      above(
        ({ importedMs }) => importedMs,
        ({ calledMs }) => calledMs,
      ),
    ),
    row(
      "import and first call",
      above(({ calledMs }) => calledMs),
      { target: targetMs },
    ),
    row(
      "CPU time of both",
      above(({ cpuMs }) => cpuMs),
    ),
    row("size of what is loaded at import", loaded.bytesAtImport / 1_000, {
      unit: "kB",
      ...(whyLarge(loaded) === undefined && { target: targetKb }),
    }),
    row("size", loaded.bytes / 1_000, { unit: "kB" }),
  ];
}

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Says how much the machine's load disturbed the figures: a bare process always does the same. */
function bareNote(bare: Samples): string {
  const sorted = bare.map(({ calledMs }) => calledMs).toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN).toFixed(0);
  return `A process that does nothing took ${at(0.5)} ms, half of them ${at(0.25)} to ${at(0.75)} ms.`;
}

function partNotes(name: FunctionName, loaded: Loaded): string[] {
  const parts = loaded.parts
    .slice(0, shownParts)
    .map((part) => `${part.name} ${(part.bytes / 1_000).toFixed(0)} kB${part.isLazy ? " (later)" : ""}`);
  const why = whyLarge(loaded);
  return [`${name}: ${parts.join(", ")}${why === undefined ? "" : `. Its size has no target, because ${why}`}`];
}
