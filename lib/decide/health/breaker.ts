import type { Snapshot, Step } from "../../model/plan.ts";

/** So many instances of one type in one zone that never became workers, within the window, open the breaker. */
const opensAfter = 3;
const windowMs = 3_600_000;
/** So long after the last of them nothing is launched there; then one launch at a time may try. */
const restMs = 15 * 60_000;

/** A type in a zone that does not boot with the pool's image. The image is the one that the pool's launch template names. */
export type Breaker = {
  readonly instanceType: string;
  readonly zone: string;
  readonly failures: number;
  /** `half-open`: one launch may try. */
  readonly state: "open" | "half-open";
  /** Until when nothing is launched there; in the past for one that is half-open. */
  readonly restsUntilMs: number;
};

type Seen = Pick<Snapshot, "nowMs" | "nodes" | "openLaunches" | "bootFailures">;
type Place = { readonly instanceType: string; readonly zone: string };
const placeName = ({ instanceType, zone }: Place): string => `${instanceType} in ${zone}`;

/** All that are not closed, by name. A node that became ready since closes its own: what failed before it counts no more. */
export function breakers(seen: Seen): readonly Breaker[] {
  const healed = new Set(healedFailures(seen));
  const counted = (seen.bootFailures ?? []).filter(({ node, atMs }) => !healed.has(node) && seen.nowMs - atMs < windowMs);
  return [...Map.groupBy(counted, placeName)]
    .filter(([, failures]) => failures.length >= opensAfter)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, failures]): Breaker[] => {
      const [first] = failures;
      if (!first) return [];
      const restsUntilMs = Math.max(...failures.map(({ atMs }) => atMs)) + restMs;
      const state = seen.nowMs < restsUntilMs || isTried(name, seen) ? "open" : "half-open";
      return [{ instanceType: first.instanceType, zone: first.zone, failures: failures.length, state, restsUntilMs }];
    });
}

/** Whether something of it boots already, or may come of a launch that is under way. */
const isTried = (name: string, { nodes, openLaunches }: Seen): boolean =>
  nodes.some(({ state, offer }) => state === "launching" && placeName(offer) === name) ||
  openLaunches.some(({ offers }) => offers.some((offer) => placeName(offer) === name));

/** The failures that a later success has made good. */
const healedFailures = ({ nodes, bootFailures = [] }: Pick<Seen, "nodes" | "bootFailures">): readonly string[] =>
  bootFailures
    .filter((failure) =>
      nodes.some(({ readyAtMs, offer }) => readyAtMs !== undefined && readyAtMs > failure.atMs && placeName(offer) === placeName(failure)),
    )
    .map(({ node }) => node);

/** Forgets what is healed, while the node that shows it is still there. */
export function heal(seen: Pick<Seen, "nodes" | "bootFailures">): readonly Step[] {
  const nodes = healedFailures(seen).toSorted();
  return nodes.length === 0 ? [] : [{ kind: "heal", nodes, because: "an instance like those that did not boot has become a worker" }];
}

/** Whether an offer may be asked for: not while its breaker is open, and once while it is half-open (`tried`: those of this plan). */
export function mayTry(known: readonly Breaker[], tried: ReadonlySet<string>): (offer: Place) => boolean {
  const open = new Set(known.filter((each) => each.state === "open" || tried.has(placeName(each))).map(placeName));
  return (offer) => !open.has(placeName(offer));
}

/** Of a launch's offers those whose breakers it tries. */
export const triedBy = (offers: readonly Place[], known: readonly Breaker[]): readonly string[] => {
  const halfOpen = new Set(known.filter(({ state }) => state === "half-open").map(placeName));
  return [...new Set(offers.map(placeName))].filter((name) => halfOpen.has(name));
};

/** How many are named to those who wait. */
const mostNamed = 3;

/** In words for those who wait; undefined when all boots. */
export function whyBroken(known: readonly Breaker[], pool: string): string | undefined {
  if (known.length === 0) return undefined;
  const named = known.slice(0, mostNamed).map((each) => `${placeName(each)} (${each.failures} times)`);
  const more = known.length > mostNamed ? ` and ${known.length - mostNamed} more` : "";
  return `instances of ${named.join(", ")}${more} did not boot with the image of pool ${pool}'s launch template; they are tried again, one at a time`;
}
