import { faultKinds } from "./faults/faults.ts";
import { type ReachedStates, statesMet } from "./faults/reached.ts";
import { reachedFrom, type Site } from "./faults/sites.ts";
import type { LargestItem } from "./load/item-sizes.ts";
import type { FailingSeed, Tally } from "./tally.ts";

/** How many of the points at which a handler can die were hit in some run. Each call has two points, before it and after it. */
export type Coverage = { readonly points: number; readonly hit: number; readonly percent: number; readonly missed: readonly string[] };

export type ChaosReport = {
  readonly scenario: string;
  readonly seeds: { readonly first: number; readonly last: number };
  readonly runs: number;
  readonly faults: number;
  readonly faultsPerRun: number;
  readonly events: number;
  readonly violations: number;
  /** The number of faults by seam. */
  readonly bySeam: Readonly<Record<string, number>>;
  readonly byFault: Readonly<Record<string, number>>;
  /** `launchAndTerminate` covers everything that `place` reaches, `all` covers every flow. */
  readonly coverage: { readonly launchAndTerminate: Coverage; readonly all: Coverage };
  /** How often each fault struck while a job or a node was in each state, and the combinations that no run has reached. */
  readonly reached: ReachedStates;
  readonly missed: readonly string[];
  /** The number of jobs by their final state. */
  readonly jobs: Readonly<Record<string, number>>;
  /** Messages that were given up and were redriven from the dead-letter queue. */
  readonly redriven: number;
  /** The largest item of the table in any run; its size is estimated. DynamoDB takes 409,600 bytes. */
  readonly largestItem: LargestItem;
  /** The processor time that all decisions took, s, and the longest part of one without a call to a port. It depends on the machine. */
  readonly decisionCpuSeconds: { readonly total: number; readonly longest: number };
  readonly virtualHours: number;
  readonly wallMs: number;
  readonly runsPerMinute: number;
  readonly found: readonly (FailingSeed & { readonly replay: string })[];
};

export function reportOf(
  tally: Tally,
  of: {
    readonly scenario: string;
    readonly seeds: { readonly first: number; readonly last: number };
    readonly sites: readonly Site[];
    readonly wallMs: number;
    /** Returns the command that runs one seed again. */
    readonly replay: (seed: number) => string;
  },
): ChaosReport {
  const { runs, events, jobs, redriven, virtualMinutes, largestItem, decisionCpu } = tally;
  const byFault = Object.fromEntries(Object.entries(tally.faults).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const bySeam: Record<string, number> = {};
  for (const [kind, count] of Object.entries(byFault)) {
    const seam = kind.slice(0, kind.indexOf("."));
    bySeam[seam] = (bySeam[seam] ?? 0) + count;
  }
  const faults = Object.values(byFault).reduce((sum, count) => sum + count, 0);
  const launching = reachedFrom("place.ts");
  const { scenario, seeds, sites, wallMs, replay } = of;
  return {
    scenario,
    seeds,
    runs,
    faults,
    faultsPerRun: Math.round((10 * faults) / Math.max(1, runs)) / 10,
    events,
    violations: tally.found.length,
    bySeam,
    byFault,
    coverage: {
      launchAndTerminate: coverageOf(
        sites.filter(({ file }) => launching.has(file)),
        tally.hit,
      ),
      all: coverageOf(sites, tally.hit),
    },
    reached: tally.reached,
    missed: faultKinds.flatMap((kind) => statesMet.filter((state) => !tally.reached[kind]?.[state]).map((state) => `${kind} × ${state}`)),
    jobs: Object.fromEntries(Object.entries(jobs).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    redriven,
    largestItem,
    decisionCpuSeconds: { total: Math.round(decisionCpu.totalMs / 100) / 10, longest: Math.round(decisionCpu.longestMs) / 1000 },
    virtualHours: Math.round(virtualMinutes / 6) / 10,
    wallMs: Math.round(wallMs),
    runsPerMinute: Math.round((runs * 60_000) / Math.max(1, wallMs)),
    found: tally.found.map((each) => ({ ...each, replay: replay(each.seed) })),
  };
}

function coverageOf(sites: readonly Site[], hit: readonly string[]): Coverage {
  const points = sites.flatMap(({ name }) => [`${name} before`, `${name} after`]);
  const met = new Set(hit);
  const missed = points.filter((point) => !met.has(point));
  const count = points.length - missed.length;
  return {
    points: points.length,
    hit: count,
    percent: points.length === 0 ? 100 : Math.floor((1000 * count) / points.length) / 10,
    missed,
  };
}
