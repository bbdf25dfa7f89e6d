import type { TaggedInstance } from "../../model/tagged-instance.ts";

/** An instance must have been seen unowned before, so long ago, and be that old: a launch may be on its way to the ledger. */
const confirmedAfterMs = 10 * 60_000;
/** Ended at a time: should the ledger ever be the one that is wrong, there is time to see it. */
const mostEnds = 20;
/** As many fit into one item of the table. */
const mostNoted = 2_000;

/** What to do about instances that nobody owns: those seen for the first time are noted, those seen before long ago are ended. */
export function judgeStrays(of: {
  readonly unowned: readonly TaggedInstance[];
  readonly noted: ReadonlyMap<string, number>;
  readonly nowMs: number;
}): { readonly since: ReadonlyMap<string, number>; readonly ends: readonly TaggedInstance[] } {
  const { unowned, noted, nowMs } = of;
  const known = unowned
    .filter(({ ending }) => !ending)
    .map((instance) => ({ instance, sinceMs: Math.min(noted.get(instance.id) ?? nowMs, nowMs) }));
  const longest = known.toSorted((a, b) => a.sinceMs - b.sinceMs || (a.instance.id < b.instance.id ? -1 : 1));
  return {
    since: new Map(longest.slice(0, mostNoted).map(({ instance, sinceMs }) => [instance.id, sinceMs])),
    ends: longest
      .filter(({ instance, sinceMs }) => nowMs - Math.max(sinceMs, instance.launchedAtMs) >= confirmedAfterMs)
      .slice(0, mostEnds)
      .map(({ instance }) => instance),
  };
}
