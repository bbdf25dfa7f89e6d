import type { CapacityMemory } from "../../ports/capacity.ts";
import type { Fleet } from "../../ports/fleet.ts";
import type { Decisions, Placements, Written } from "../../ports/pool-ledger.ts";
import type { Turns } from "./turns.ts";

export type LaunchDeps = {
  readonly decisions: Decisions;
  readonly placements: Placements;
  readonly capacity: CapacityMemory;
  readonly fleet: Fleet;
  readonly turns: Turns;
  readonly now: () => number;
};

/**
 * What came of one launch, for the record. `open`: nobody knows yet; the intent stays, to be repeated or searched for.
 * `throttled`: the same, though it is known that nothing was launched. `retired`: nothing came of it. `error`: what a call
 * threw, for the log.
 */
export type Launched = {
  readonly kind: Exclude<Written, "done"> | "launched" | "refused" | "retired" | "throttled" | "open";
  readonly note: string;
  readonly error?: unknown;
};
