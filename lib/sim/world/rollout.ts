import type { Chance } from "../faults/chance.ts";
import type { HandlerName } from "./handlers.ts";
import type { Scenario } from "./scenario.ts";

/** What belongs to the present release and to the next one. */
export type OfReleases<T> = { readonly present: T; readonly next: T };

type Rollout = {
  readonly rollout: Scenario["rollout"];
  readonly chance: Chance;
  readonly startMs: number;
  readonly nowMs: () => number;
};

/** Returns the ports that a function has now: those of the next release from its own update on. A run of it keeps what it began with. */
export function portsOfFunctions<Ports>({ present, next }: OfReleases<Ports>, of: Rollout): (handler: HandlerName) => Ports {
  const { rollout, chance, startMs, nowMs } = of;
  if (!rollout) return () => present;
  const updatedAtMs = (handler: HandlerName): number =>
    startMs + chance.fork(handler).between(rollout.fromMinute * 60_000, rollout.untilMinute * 60_000);
  const times = new Map<HandlerName, number>();
  return (handler) => {
    const atMs = times.get(handler) ?? updatedAtMs(handler);
    times.set(handler, atMs);
    return nowMs() < atMs ? present : next;
  };
}
