import type { Snapshot } from "./plan.ts";

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

export type BootsSeen = Pick<Snapshot, "nowMs" | "nodes" | "openLaunches" | "bootFailures">;
export type BootPlace = { readonly instanceType: string; readonly zone: string };
export const placeName = ({ instanceType, zone }: BootPlace): string => `${instanceType} in ${zone}`;

/** All that are not closed, by name. A node that became ready since closes its own: what failed before it counts no more. */
export function breakers(seen: BootsSeen): readonly Breaker[] {
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
const isTried = (name: string, { nodes, openLaunches }: BootsSeen): boolean =>
  nodes.some(({ state, offer }) => state === "launching" && placeName(offer) === name) ||
  openLaunches.some(({ offers }) => offers.some((offer) => placeName(offer) === name));

/** The failures that a later success has made good. */
export const healedFailures = ({ nodes, bootFailures = [] }: Pick<BootsSeen, "nodes" | "bootFailures">): readonly string[] =>
  bootFailures
    .filter((failure) =>
      nodes.some(({ readyAtMs, offer }) => readyAtMs !== undefined && readyAtMs > failure.atMs && placeName(offer) === placeName(failure)),
    )
    .map(({ node }) => node);
