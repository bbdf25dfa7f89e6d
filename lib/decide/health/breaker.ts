import { type BootPlace, type BootsSeen, type Breaker, healedFailures, placeName } from "../../model/breaker.ts";
import type { Step } from "../../model/plan.ts";

/** Returns a step that forgets boot failures that are healed. It must be taken while the node that proves it still exists. */
export function heal(seen: Pick<BootsSeen, "nodes" | "bootFailures">): readonly Step[] {
  const nodes = healedFailures(seen).toSorted();
  return nodes.length === 0
    ? []
    : [{ kind: "heal", nodes, because: "an instance of the same type and zone as those that did not boot has become a worker" }];
}

/**
 * Returns a test whether an offer may be requested: not if its breaker is open, and only once per plan if it is half-open. `tried`: the
 * half-open ones that this plan already tries.
 */
export function mayTry(known: readonly Breaker[], tried: ReadonlySet<string>): (offer: BootPlace) => boolean {
  const open = new Set(known.filter((each) => each.state === "open" || tried.has(placeName(each))).map(placeName));
  return (offer) => !open.has(placeName(offer));
}

/** Returns the half-open breakers that a launch of these offers tries. */
export const triedBy = (offers: readonly BootPlace[], known: readonly Breaker[]): readonly string[] => {
  const halfOpen = new Set(known.filter(({ state }) => state === "half-open").map(placeName));
  return [...new Set(offers.map(placeName))].filter((name) => halfOpen.has(name));
};

/** The most breakers that a reason names. */
const maxNamed = 3;

/** Returns the reason for jobs that wait because of breakers; undefined if there are none. */
export function whyBroken(known: readonly Breaker[], pool: string): string | undefined {
  if (known.length === 0) return undefined;
  const named = known.slice(0, maxNamed).map((each) => `${placeName(each)} (${each.failures} times)`);
  const more = known.length > maxNamed ? ` and ${known.length - maxNamed} more` : "";
  return `instances of ${named.join(", ")}${more} did not boot with the image of pool ${pool}'s launch template; they are tried again, one at a time`;
}
