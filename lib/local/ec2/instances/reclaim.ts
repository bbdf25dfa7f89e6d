import { offerName } from "../../../model/offer.ts";
import type { EmulatedCapacity } from "../offers/capacity.ts";
import type { Lifecycle } from "./lifecycle.ts";

/** The longest wait of a Node timer. */
const longestMs = 2 ** 31 - 1;

/**
 * Interrupts spot instances, with notice and newest first, if a capacity plan has fallen below their number. On-demand instances
 * stay, as on AWS: there is just no capacity for new ones.
 */
export function reclaim(on: { capacity: EmulatedCapacity; lifecycle: Pick<Lifecycle, "instances" | "interrupt">; sinceMs: () => number }): {
  look(): void;
  stop(): void;
} {
  const { capacity, lifecycle, sinceMs } = on;
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    clearTimeout(timer);
    // Read first, so that the next look sees a change that happens during this one.
    const nextMs = capacity.nextChangeMs();
    const spot = lifecycle.instances.filter((one) => one.market === "spot" && (one.states.at(-1)?.state ?? "pending") !== "terminated");
    for (const instances of Map.groupBy(spot, offerName).values()) {
      const [first] = instances;
      const excess = first ? capacity.excess(first) : 0;
      const staying = instances.filter(({ notices, states }) => notices.endsAtMs === undefined && states.at(-1)?.state !== "shutting-down");
      const leaving = instances.length - staying.length;
      for (const { id } of staying.toReversed().slice(0, Math.max(0, excess - leaving))) lifecycle.interrupt(id);
    }
    if (nextMs !== undefined) timer = setTimeout(look, Math.min(longestMs, Math.max(1, nextMs - sinceMs()))).unref();
  };
  look();
  return { look, stop: () => clearTimeout(timer) };
}
