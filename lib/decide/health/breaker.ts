import { type BootPlace, type BootsSeen, type Breaker, healedFailures, placeName } from "../../model/breaker.ts";
import type { Step } from "../../model/plan.ts";

/** Forgets what is healed, while the node that shows it is still there. */
export function heal(seen: Pick<BootsSeen, "nodes" | "bootFailures">): readonly Step[] {
  const nodes = healedFailures(seen).toSorted();
  return nodes.length === 0 ? [] : [{ kind: "heal", nodes, because: "an instance like those that did not boot has become a worker" }];
}

/** Whether an offer may be asked for: not while its breaker is open, and once while it is half-open (`tried`: those of this plan). */
export function mayTry(known: readonly Breaker[], tried: ReadonlySet<string>): (offer: BootPlace) => boolean {
  const open = new Set(known.filter((each) => each.state === "open" || tried.has(placeName(each))).map(placeName));
  return (offer) => !open.has(placeName(offer));
}

/** Of a launch's offers those whose breakers it tries. */
export const triedBy = (offers: readonly BootPlace[], known: readonly Breaker[]): readonly string[] => {
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
