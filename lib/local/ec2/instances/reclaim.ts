import { offerName } from "../../../model/offer.ts";
import type { Capacity } from "../offers/capacity.ts";
import type { Lifecycle } from "./lifecycle.ts";

/** No timer of Node's waits longer. */
const longestMs = 2 ** 31 - 1;

/**
 * Takes spot instances back, with their notice, where a capacity plan has fallen below what there are; the newest first.
 * On-demand instances stay, as they do on AWS: there only is nothing more to be had.
 */
export function reclaim(on: { capacity: Capacity; lifecycle: Pick<Lifecycle, "instances" | "interrupt">; sinceMs: () => number }): {
  look(): void;
  stop(): void;
} {
  const { capacity, lifecycle, sinceMs } = on;
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    clearTimeout(timer);
    // Asked before the looking: a change that comes meanwhile is then seen by the next look, not by none.
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
