import type { TaggedInstance } from "../../model/tagged-instance.ts";

/** An instance must be this old and must have been seen unowned this long ago, because its launch may not have reached the ledger yet. */
const confirmedAfterMs = 10 * 60_000;
/** The most that are ended at a time, so that there is time to notice if the ledger is ever wrong. */
const maxEnds = 20;
/** As many as fit into one item of the table. */
const maxRecorded = 2_000;

/** Returns what to do about instances without an owner: those seen for the first time are noted, those noted long ago are ended. */
export function judgeOrphans(of: {
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
    since: new Map(longest.slice(0, maxRecorded).map(({ instance, sinceMs }) => [instance.id, sinceMs])),
    ends: longest
      .filter(({ instance, sinceMs }) => nowMs - Math.max(sinceMs, instance.launchedAtMs) >= confirmedAfterMs)
      .slice(0, maxEnds)
      .map(({ instance }) => instance),
  };
}
