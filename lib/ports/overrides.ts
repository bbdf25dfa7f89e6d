import type { Overrides } from "../model/overrides/overrides.ts";

/**
 * What admins have ordered about pools and their nodes, and under the name `acrossPools` what they have set for all pools together. Decisions
 * get both with their snapshot.
 */
export interface PoolOverrides {
  /** Returns a pool's overrides; of version 0 if there never were any, and `isUnknown` if they cannot be read. */
  get(pool: string): Promise<Overrides>;
  /** Replaces the overrides of the version before. `stale`: they are of another version; nothing was written. */
  replace(pool: string, next: Overrides): Promise<"done" | "stale">;
}
