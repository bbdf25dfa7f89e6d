import { type AttemptRef, ordinalOf, type QueueEntry } from "../job.ts";
import type { Assignment } from "../node.ts";

/** What an admin can set an objective for. `launch` and `start` are times, `lost-work` is a number of attempts. */
export type Objective = keyof typeof objectiveMetrics;

/** The metrics of objectives, with the dimension fleet. One is published only if its objective is set, and only when something happens. */
export const objectiveMetrics = { launch: "LaunchSeconds", start: "StartSeconds", "lost-work": "LostWork" } as const;

/** One measured value. `seconds`: how long it took. Each `lost-work` is one attempt. */
export type Measure = { readonly pool: string } & (
  | { readonly what: "launch"; readonly seconds: number; readonly launch: string }
  | { readonly what: "start"; readonly seconds: number; readonly attempt: AttemptRef }
  | { readonly what: "lost-work"; readonly because: string; readonly attempt: AttemptRef }
);

/** Receives measured values. */
export type Measuring = {
  /** Undefined where nothing is measured, as in simulations. */
  readonly measured?: ((measure: Measure) => void) | undefined;
};

/**
 * Reports whether nothing but the fleet itself has kept a waiting job so far: it is its first attempt, and no reason to wait was recorded, such
 * as a limit, a budget, a lack of capacity or a paused pool.
 */
export const hasOnlyWaitedForUs = ({ attempt, reason, notBeforeMs }: QueueEntry): boolean =>
  ordinalOf(attempt) === 1 && reason === undefined && notBeforeMs === undefined;

/**
 * Returns from when the time until a program runs counts, for an attempt that gets its place on a node now: from its message if nothing but
 * the fleet has kept it, and otherwise from now. An attempt that moves to another node keeps its time.
 */
export function waitsSince(entry: QueueEntry | Assignment, nowMs: number): number {
  if ("phase" in entry) return entry.waitsSinceMs ?? nowMs;
  return hasOnlyWaitedForUs(entry) ? Math.min(entry.submittedAtMs, nowMs) : nowMs;
}
