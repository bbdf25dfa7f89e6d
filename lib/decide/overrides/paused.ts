import type { Overrides } from "../../model/overrides/overrides.ts";
import type { NodeSnapshot } from "../../model/plan.ts";
import { minuteName } from "../../model/values/period.ts";

/**
 * Returns why a pool starts nothing now; undefined if it is neither paused nor drained. Overrides that cannot be read may contain a pause, so they count
 * as one.
 */
export function whyPaused({ pool, overrides }: Pick<NodeSnapshot, "pool" | "overrides">): string | undefined {
  if (overrides?.isUnknown) return `the overrides of pool ${pool.name} cannot be read, so it starts nothing until they are repaired`;
  if (!overrides?.paused) return undefined;
  const { by, because, sinceMs, untilMs } = overrides.paused;
  const reason = because === undefined ? "" : ` (${because})`;
  const order = untilMs === undefined ? "is paused by" : "is drained by";
  return `pool ${pool.name} ${order} ${by} since ${minuteName(sinceMs)}${reason}; the job starts after an admin resumes the pool`;
}

/** Reports whether the pool starts nothing now. */
export const isPaused = (overrides: Overrides | undefined): boolean => overrides?.isUnknown === true || overrides?.paused !== undefined;
