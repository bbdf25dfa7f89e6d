import type { FaultKind } from "./faults/faults.ts";
import { plusReached, type ReachedStates } from "./faults/reached.ts";
import { type DecisionCpu, noCpu, plusCpu } from "./load/cpu-meter.ts";
import { type LargestItem, larger, noItem } from "./load/item-sizes.ts";
import type { RunResult, Violation } from "./run.ts";

/** A seed whose run broke an invariant. */
export type FailingSeed = Violation & {
  readonly seed: number;
  /** The faults that it needs to break the invariant. Undefined if they were not determined. */
  readonly needs?: readonly FaultKind[] | undefined;
};

/** The results of many runs. It must be plain data, because threads send it to each other. */
export type Tally = {
  readonly runs: number;
  readonly events: number;
  readonly virtualMinutes: number;
  readonly redriven: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly jobs: Readonly<Record<string, number>>;
  readonly largestItem: LargestItem;
  readonly decisionCpu: DecisionCpu;
  /** The points at which a handler has died. */
  readonly hit: readonly string[];
  readonly reached: ReachedStates;
  readonly found: readonly FailingSeed[];
};

export const nothingYet: Tally = {
  runs: 0,
  events: 0,
  virtualMinutes: 0,
  redriven: 0,
  faults: {},
  jobs: {},
  largestItem: noItem,
  decisionCpu: noCpu,
  hit: [],
  reached: {},
  found: [],
};

export const tallyOf = (
  { seed, events, virtualMinutes, redriven, faults, jobs, largestItem, hit, reached, violation }: RunResult,
  decisionCpu: DecisionCpu = noCpu,
): Tally => ({
  runs: 1,
  events,
  virtualMinutes,
  redriven,
  faults: Object.fromEntries(faults),
  jobs,
  largestItem,
  decisionCpu,
  hit: [...hit],
  reached,
  found: violation ? [{ ...violation, seed }] : [],
});

export const plus = (a: Tally, b: Tally): Tally => ({
  runs: a.runs + b.runs,
  events: a.events + b.events,
  virtualMinutes: a.virtualMinutes + b.virtualMinutes,
  redriven: a.redriven + b.redriven,
  faults: added(a.faults, b.faults),
  jobs: added(a.jobs, b.jobs),
  largestItem: larger(a.largestItem, b.largestItem),
  decisionCpu: plusCpu(a.decisionCpu, b.decisionCpu),
  hit: b.hit.every((each) => a.hit.includes(each)) ? a.hit : [...new Set([...a.hit, ...b.hit])].sort(),
  reached: plusReached(a.reached, b.reached),
  found: [...a.found, ...b.found].toSorted((one, other) => one.seed - other.seed),
});

function added(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const sum = { ...a };
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
