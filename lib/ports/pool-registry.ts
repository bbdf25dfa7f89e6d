import type { PoolState } from "../model/pool.ts";

/** The pools that may have something in the table, configured or not. */
export interface PoolRegistry {
  /** By name. */
  list(): Promise<readonly string[]>;
  /** Once and again. */
  add(pool: string): Promise<void>;
  /** `stale`: the pool was not at rest, or is not as `state` says any more; nothing was written. */
  remove(pool: string, state: PoolState): Promise<"done" | "stale">;
}
