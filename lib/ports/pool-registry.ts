import type { PoolState } from "../model/pool.ts";

/** The pools that may have items in the table, whether or not they are configured. */
export interface PoolRegistry {
  /** Returns all pools by name. */
  list(): Promise<readonly string[]>;
  /** Adds a pool. Adding it again changes nothing. */
  add(pool: string): Promise<void>;
  /** Removes a pool. `stale`: the pool is not at rest, or no longer in `state`; nothing was written. */
  remove(pool: string, state: PoolState): Promise<"done" | "stale">;
}
