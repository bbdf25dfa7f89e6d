import { type FaultKind, faultKinds } from "./faults/faults.ts";
import { type RunOptions, runOnce } from "./run.ts";
import { nothingYet, plus, type Tally, tallyOf } from "./tally.ts";

export type ChaosOptions = Omit<RunOptions, "seed"> & {
  readonly seeds: Iterable<number>;
  /** Called after each run. Returns false to stop. */
  readonly goesOn: (tally: Tally) => boolean;
};

/** The search stops after this many violations, because the first ones show the problem. */
const maxFound = 3;

/** Runs one seed after another, and reduces the first failing one to the faults that it needs. */
export async function chaos(options: ChaosOptions): Promise<Tally> {
  let tally = nothingYet;
  for (const seed of options.seeds) {
    const result = await runOnce({ ...options, seed });
    tally = plus(tally, tallyOf(result, options.meter?.take()));
    if (!options.goesOn(tally) || tally.found.length >= maxFound) break;
  }
  const [first, ...others] = tally.found;
  if (!first || options.only) return tally;
  const needs = await neededFaults({ ...options, seed: first.seed }, first.invariant.number);
  return { ...tally, found: [{ ...first, needs }, ...others] };
}

/** Returns the kinds of faults that a failing seed needs to break the same invariant. It leaves out every kind that it can. */
async function neededFaults(options: RunOptions, invariant: number): Promise<readonly FaultKind[]> {
  let needs: readonly FaultKind[] = faultKinds;
  for (const kind of faultKinds) {
    const fewer = needs.filter((each) => each !== kind);
    const { violation } = await runOnce({ ...options, only: new Set(fewer) });
    if (violation?.invariant.number === invariant) needs = fewer;
  }
  return needs;
}
