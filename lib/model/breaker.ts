import type { Snapshot } from "./plan.ts";

/** The breaker opens after so many boot failures of one instance type in one zone within the window. */
const opensAfter = 3;
const windowMs = 3_600_000;
/** How long after the last boot failure nothing is launched there. After that, one launch at a time may try. */
const cooldownMs = 15 * 60_000;

/** An instance type in a zone that does not boot with the pool's image, which is the one that the pool's launch template names. */
export type Breaker = {
  readonly instanceType: string;
  readonly zone: string;
  readonly failures: number;
  /** `open`: nothing is launched there. `half-open`: one launch may try. */
  readonly state: "open" | "half-open";
  /** Until when nothing is launched there, ms since the epoch; in the past for a breaker that is half-open. */
  readonly openUntilMs: number;
};

export type BootsSeen = Pick<Snapshot, "nowMs" | "nodes" | "openLaunches" | "bootFailures">;
export type BootPlace = { readonly instanceType: string; readonly zone: string };
export const placeName = ({ instanceType, zone }: BootPlace): string => `${instanceType} in ${zone}`;

/**
 * Returns all breakers that are not closed, by name. A node that became ready closes the breaker of its type and zone, because the failures
 * before it no longer count.
 */
export function breakers(seen: BootsSeen): readonly Breaker[] {
  const healed = new Set(healedFailures(seen));
  const counted = (seen.bootFailures ?? []).filter(({ node, atMs }) => !healed.has(node) && seen.nowMs - atMs < windowMs);
  return [...Map.groupBy(counted, placeName)]
    .filter(([, failures]) => failures.length >= opensAfter)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, failures]): Breaker[] => {
      const [first] = failures;
      if (!first) return [];
      const openUntilMs = Math.max(...failures.map(({ atMs }) => atMs)) + cooldownMs;
      const state = seen.nowMs < openUntilMs || isTried(name, seen) ? "open" : "half-open";
      return [{ instanceType: first.instanceType, zone: first.zone, failures: failures.length, state, openUntilMs }];
    });
}

/** Whether an instance of that type and zone boots already, or may result from an open launch. */
const isTried = (name: string, { nodes, openLaunches }: BootsSeen): boolean =>
  nodes.some(({ state, offer }) => state === "launching" && placeName(offer) === name) ||
  openLaunches.some(({ offers }) => offers.some((offer) => placeName(offer) === name));

/** Returns the nodes whose boot failures no longer count, because a node of the same type and zone became ready later. */
export const healedFailures = ({ nodes, bootFailures = [] }: Pick<BootsSeen, "nodes" | "bootFailures">): readonly string[] =>
  bootFailures
    .filter((failure) =>
      nodes.some(({ readyAtMs, offer }) => readyAtMs !== undefined && readyAtMs > failure.atMs && placeName(offer) === placeName(failure)),
    )
    .map(({ node }) => node);
