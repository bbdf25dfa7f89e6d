import { jobName } from "../../model/job.ts";
import type { FoundInstance, Launch, LaunchedInstance, LaunchSearch } from "../../model/launch.ts";
import type { Snapshot } from "../../model/plan.ts";
import { minuteName } from "../../model/values/period.ts";

/**
 * An open launch is one whose outcome is unknown. While it is young, the same request is repeated. After that, or if EC2 no longer accepts
 * the request, its instances are searched for by their tag.
 *
 * AWS does not document how long EC2 remembers a token of CreateFleet. Those of RunInstances live for a day or more, and no token of AWS
 * is known to live for less than 15 minutes. Repeating also stops because what a token launched may have ended since.
 */
const repeatForMs = 10 * 60_000;
/** If no read has shown an instance for this long, there is none. EC2 describes an instance at most a minute after its launch. */
const emptyForMs = 10 * 60_000;
/**
 * If reads have shown the same instances of a launch for this long, the others do not exist. Two reads this far apart are enough, because an
 * instance that the first left out, as reads may do for a minute, is shown by the second.
 */
const partlyForMs = 2 * 60_000;
/**
 * Reads further apart than this prove nothing together, so the period starts again. A failed read does not count, but does not restart the
 * period either, because otherwise an EC2 that throttles now and then would keep the reservation for ever.
 */
const maxGapMs = 3 * 60_000;

const repeatAgainMs = 5_000;
const searchAgainMs = 20_000;

/** Returns what to do about an open launch now. `rest`: EC2 was searched a moment ago, and a new search would show nothing new. */
export function nextOf({ search, intendedAtMs }: Launch, nowMs: number): "repeat" | "search" | "rest" {
  // An intent from the future means that a clock jumped, so its age is unknown.
  if (search === undefined) return Math.abs(nowMs - intendedAtMs) < repeatForMs ? "repeat" : "search";
  const sinceMs = nowMs - search.toMs;
  return sinceMs >= 0 && sinceMs < searchAgainMs ? "rest" : "search";
}

/** Returns when EC2 should be asked about the launch again. */
export const checkAgainAtMs = (launch: Launch, nowMs: number): number => {
  if (launch.search && nextOf(launch, nowMs) === "rest") return launch.search.toMs + searchAgainMs;
  return nowMs + (nextOf(launch, nowMs) === "repeat" ? repeatAgainMs : searchAgainMs);
};

/** What follows from a successful read. `settle`: these instances were launched and live, perhaps none. `wait`: it is too early to know. */
export type SearchVerdict =
  | { readonly kind: "settle"; readonly instances: readonly LaunchedInstance[]; readonly reason: string }
  | { readonly kind: "wait"; readonly search: LaunchSearch };

export function judgeSearch(launch: Launch, found: readonly FoundInstance[], on: { why: string; nowMs: number }): SearchVerdict {
  const requested = found.filter((instance) => isRequested(instance, launch));
  const search = continued(launch.search, requested, on);
  const { came = [], newAtMs = search.fromMs } = search;
  const seconds = Math.round((search.toMs - search.fromMs) / 1000);
  if (came.length === 0) {
    if (search.toMs - search.fromMs < emptyForMs) return { kind: "wait", search };
    return { kind: "settle", instances: [], reason: `no instance had its tag in ${seconds} s of searching` };
  }
  if (came.length < launch.count && search.toMs - newAtMs < partlyForMs) return { kind: "wait", search };
  const live = came.filter(({ over }) => !over).slice(0, launch.count);
  const instances = live.map(({ id, instanceType, zone }) => ({ id, instanceType, zone }));
  return {
    kind: "settle",
    instances,
    reason: `${came.length} of ${launch.count} instances have its tag, and ${live.length} of them live`,
  };
}

/** Returns the search including this read. Earlier reads count if there was no gap and the clock did not jump backwards. */
function continued(
  before: LaunchSearch | undefined,
  found: readonly FoundInstance[],
  { why, nowMs }: { why: string; nowMs: number },
): LaunchSearch {
  const sinceMs = before === undefined ? Number.NaN : nowMs - before.toMs;
  const holds = before !== undefined && sinceMs >= 0 && sinceMs <= maxGapMs && before.fromMs <= before.toMs;
  const search = { why: before?.why ?? why, fromMs: holds ? before.fromMs : nowMs, toMs: nowMs };
  const known = new Map((before?.came ?? []).map((instance) => [instance.id, instance]));
  // If the search starts again, so does the period in which nothing new was shown.
  const newAtMs = !holds || found.some(({ id }) => !known.has(id)) ? nowMs : before.newAtMs;
  const came = [...new Map([...known, ...found.map((instance) => [instance.id, instance] as const)]).values()];
  return came.length === 0 ? search : { ...search, came: came.toSorted((a, b) => (a.id < b.id ? -1 : 1)), newAtMs };
}

/** Tags can be copied by hand, so an instance of another type or in another zone does not count: this launch cannot have created it. */
const isRequested = ({ instanceType, zone }: LaunchedInstance, { offers }: Launch): boolean =>
  offers.some((offer) => offer.instanceType === instanceType && offer.zone === zone);

/** EC2 usually responds to a request for instances within seconds. */
const confirmedWithinMs = 60_000;

/**
 * Returns the jobs for which a launch is open, whether its item can be read or not, by name, each with what it waits for: undefined while
 * the launch is young, because a wait of seconds is not worth a write.
 */
export function beingLaunched({
  openLaunches,
  unreadable = [],
  nowMs,
}: Pick<Snapshot, "openLaunches" | "unreadable" | "nowMs">): ReadonlyMap<string, string | undefined> {
  const known = openLaunches.flatMap((launch) => launch.jobs.map((job) => [jobName(job), whyUnconfirmed(launch, nowMs)] as const));
  const lost = unreadable.flatMap(({ key, jobs = [] }) => jobs.map((job) => [jobName(job), `the record ${key} cannot be read`] as const));
  return new Map([...known, ...lost]);
}

function whyUnconfirmed({ offers: [first], intendedAtMs }: Launch, nowMs: number): string | undefined {
  if (nowMs - intendedAtMs <= confirmedWithinMs) return undefined;
  const what = first ? first.instanceType : "instances";
  return `waits for EC2's word on ${what} requested at ${minuteName(intendedAtMs)}: it is not known whether they were launched, and EC2 is asked again`;
}
