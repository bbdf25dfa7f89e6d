import type { FoundInstance, Launch, LaunchOutcome } from "../model/launch.ts";
import type { Catalogue } from "../model/offer.ts";
import type { Pool } from "../model/pool.ts";

/** EC2, as far as placing needs it. */
export interface Fleet {
  /**
   * Asks for `count` instances of any of the offers. What comes may be fewer, and of several offers; of a `whole` launch it is
   * all of them, of one type and in one zone, or none. Says of each offer that gave less than it was asked for, why.
   * Repeating the identical launch is safe: the client token makes it one.
   * Never throws for an answer of EC2's; lost answers are `unknown`.
   */
  launch(launch: Launch): Promise<LaunchOutcome>;
  /**
   * All instances that bear the launch's tag, be they over. One that was launched within the last minute may be missing, and
   * so may one that ended an hour ago. `unknown`: not all could be read. Never throws for an answer of EC2's.
   */
  find(launch: string): Promise<FoundInstances>;
  /** Asks in one call for the end of `mostAtOnce` instances at most, and answers for each. Never throws for an answer of EC2's. */
  terminate(instances: readonly string[]): Promise<ReadonlyMap<string, Ended>>;
  /**
   * Looks in one call at `mostAtOnce` instances at most, and answers for each. A launch may be invisible for a minute, so
   * ask only about old ones. Never throws for an answer of EC2's.
   */
  look(instances: readonly string[]): Promise<ReadonlyMap<string, Seen>>;
}

export type FoundInstances =
  | { readonly kind: "read"; readonly instances: readonly FoundInstance[] }
  | { readonly kind: "unknown"; readonly message: string; readonly error?: unknown };

/** As many instances one call may name. EC2 takes 1,000 and asks for less. */
export const mostAtOnce = 100;

/**
 * What came of asking for an instance's end. `accepted`: EC2 is ending it or has ended it (one that EC2 does not know any
 * more counts). `apart`: EC2 refused the whole call for one of those it named, or would not say for which: ask for this one
 * in a smaller call; never for one that was asked for alone. `throttled`: nothing was done. `unknown`: ask again.
 * `denied`: it may not be asked for.
 */
export type Ended = "accepted" | "apart" | "throttled" | "unknown" | "denied";

/** `over`: shutting down, terminated or not known. */
export type Seen = "live" | "over" | "throttled" | "unknown" | "denied";

/** Where prices and shapes come from. */
export interface Market {
  /** Every offer of the pool's families, zones and markets, with today's prices. Throws when EC2 cannot be asked. */
  catalogue(pool: Pool, nowMs: number): Promise<Catalogue>;
}
