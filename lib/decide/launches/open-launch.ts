import type { FoundInstance, Launch, LaunchedInstance, LaunchSearch } from "../../model/launch.ts";

/**
 * An open launch, one of which nobody knows what came of it, is asked for again in the same words while it is young. After
 * that, or when EC2 does not take those words any more, its instances are searched for by their tag.
 *
 * How long EC2 remembers a token of CreateFleet's is documented nowhere; those of RunInstances live for a day and more, and
 * no token of AWS's is known to live for less than a quarter of an hour. Also, what a token launched may have ended since.
 */
const repeatForMs = 10 * 60_000;
/** What no read has shown for so long is not there. EC2 describes an instance a minute after its launch at the latest. */
const emptyForMs = 10 * 60_000;
/** What is missing of a launch of which some was seen would have been seen with it by then. */
const partlyForMs = 2 * 60_000;
/**
 * Reads further apart prove nothing together, so the period begins anew. A read that failed counts for nothing, and breaks
 * off nothing by itself: an EC2 that throttles now and then would keep what is reserved for ever.
 */
const mostGapMs = 3 * 60_000;

const repeatAgainMs = 5_000;
const searchAgainMs = 20_000;

/** What to do about it now. `rest`: EC2 was searched a moment ago; decisions follow each other faster than anything new is to be seen. */
export function nextOf({ search, intendedAtMs }: Launch, nowMs: number): "repeat" | "search" | "rest" {
  // An intent that seems to come from the future is one of a clock that jumped: its age is not known.
  if (search === undefined) return Math.abs(nowMs - intendedAtMs) < repeatForMs ? "repeat" : "search";
  const sinceMs = nowMs - search.toMs;
  return sinceMs >= 0 && sinceMs < searchAgainMs ? "rest" : "search";
}

/** When EC2 is to be asked about it again. */
export const asksAgainAtMs = (launch: Launch, nowMs: number): number => {
  if (launch.search && nextOf(launch, nowMs) === "rest") return launch.search.toMs + searchAgainMs;
  return nowMs + (nextOf(launch, nowMs) === "repeat" ? repeatAgainMs : searchAgainMs);
};

/** What follows from a read that succeeded. `settle`: these came and live, perhaps none. `wait`: too early to tell; what is to be noted. */
export type Verdict =
  | { readonly kind: "settle"; readonly instances: readonly LaunchedInstance[]; readonly because: string }
  | { readonly kind: "wait"; readonly search: LaunchSearch };

export function judgeSearch(launch: Launch, found: readonly FoundInstance[], on: { why: string; nowMs: number }): Verdict {
  const search = continued(launch.search, on);
  const came = found.filter((instance) => isAskedFor(instance, launch)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const seconds = Math.round((search.toMs - search.fromMs) / 1000);
  if (came.length === 0) {
    if (search.toMs - search.fromMs < emptyForMs) return { kind: "wait", search };
    return { kind: "settle", instances: [], because: `no instance bears its tag, in ${seconds} s of reading` };
  }
  if (came.length < launch.count && search.toMs - search.fromMs < partlyForMs) return { kind: "wait", search };
  const live = came.filter(({ over }) => !over).slice(0, launch.count);
  const instances = live.map(({ id, instanceType, zone }) => ({ id, instanceType, zone }));
  return { kind: "settle", instances, because: `${came.length} of ${launch.count} bear its tag, ${live.length} of them live` };
}

/** Without a gap and without a jump of the clock backwards, the reads before this one count with it. */
function continued(before: LaunchSearch | undefined, { why, nowMs }: { why: string; nowMs: number }): LaunchSearch {
  const sinceMs = before === undefined ? Number.NaN : nowMs - before.toMs;
  const holds = before !== undefined && sinceMs >= 0 && sinceMs <= mostGapMs && before.fromMs <= before.toMs;
  return { why: before?.why ?? why, fromMs: holds ? before.fromMs : nowMs, toMs: nowMs };
}

/** Tags can be copied by hand: what is of another type or in another zone never came of this launch. */
const isAskedFor = ({ instanceType, zone }: LaunchedInstance, { offers }: Launch): boolean =>
  offers.some((offer) => offer.instanceType === instanceType && offer.zone === zone);
