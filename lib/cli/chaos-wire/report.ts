import { bareCommandLine } from "../invocation/invocation.ts";
import type { Paint } from "../terminal/console.ts";
import { duration } from "../terminal/duration.ts";
import type { WireRun } from "./stage.ts";

/** The same fields as the report of virtual time, as far as they apply. */
export type WireReport = {
  /** `wire` if no scenario was named. */
  readonly scenario: string;
  readonly seeds: { readonly first: number; readonly last: number };
  readonly runs: number;
  readonly faults: number;
  readonly faultsPerRun: number;
  readonly violations: number;
  /** Faults by where they strike. */
  readonly bySeam: Readonly<Record<string, number>>;
  readonly byFault: Readonly<Record<string, number>>;
  /** How jobs ended. */
  readonly jobs: Readonly<Record<string, number>>;
  readonly wallMs: number;
  readonly found: readonly { readonly seed: number; readonly check: string; readonly wrong: string; readonly replay: string }[];
};

export function wireReport(
  runs: readonly WireRun[],
  { scenario, seeds, wallMs }: Pick<WireReport, "seeds" | "wallMs"> & { readonly scenario: string | undefined },
): WireReport {
  const named = scenario === undefined ? [] : ["--scenario", scenario];
  const byFault = sum(runs.map(({ faults }) => faults));
  const faults = Object.values(byFault).reduce((total, count) => total + count, 0);
  const found = runs.flatMap(({ seed, found: wrongs }) =>
    wrongs.map((wrong) => ({
      seed,
      ...wrong,
      replay: bareCommandLine("chaos", "--wire", ...named, "--runs", "1", "--seed", String(seed)),
    })),
  );
  return {
    scenario: scenario ?? "wire",
    seeds,
    runs: runs.length,
    faults,
    faultsPerRun: Math.round((10 * faults) / Math.max(1, runs.length)) / 10,
    violations: found.length,
    bySeam: sum(Object.entries(byFault).map(([kind, count]) => ({ [kind.slice(0, kind.indexOf("."))]: count }))),
    byFault,
    jobs: sum(runs.map(({ jobs }) => jobs)),
    wallMs: Math.round(wallMs),
    found,
  };
}

function sum(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [name, count] of all.flatMap(Object.entries<number>)) total[name] = (total[name] ?? 0) + count;
  return Object.fromEntries(Object.entries(total).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function wireLines(report: WireReport, paint: (colour: Paint, text: string) => string): string[] {
  const listed = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(", ");
  return [
    `${report.runs} runs on a local cloud in ${duration(report.wallMs)}`,
    `${report.faults} faults, ${report.faultsPerRun} per run: ${listed(report.byFault)}`,
    `jobs: ${listed(report.jobs)}`,
    "",
    ...(report.violations === 0
      ? [paint("green", "All invariants held.")]
      : report.found.flatMap(({ seed, check, wrong, replay }) => [
          paint("red", `✗ ${check}: ${wrong}`),
          `  seed ${seed}; again: ${replay}`,
        ])),
  ];
}
