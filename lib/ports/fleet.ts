import type { Launch, LaunchOutcome } from "../model/launch.ts";
import type { Catalogue } from "../model/offer.ts";
import type { Pool } from "../model/pool.ts";

/** EC2, as far as placing needs it. */
export interface Fleet {
  /**
   * Asks for `count` instances of any of the offers. What comes may be fewer, and of several offers; of a `whole` launch it is
   * all of them, of one type and in one zone, or none. Says of each offer that gave less than it was asked for, why.
   * Repeating the identical launch is safe: the client token makes it one.
   * Never throws for an answer of EC2's; throttling and lost answers are `unknown`.
   */
  launch(launch: Launch): Promise<LaunchOutcome>;
  /**
   * `accepted`: EC2 is ending it or has ended it (an instance that EC2 does not know any more counts). `unknown`: ask again.
   * Throws a Fault when it may not be asked at all.
   */
  terminate(instance: string): Promise<"accepted" | "unknown">;
  /**
   * `over`: shutting down, terminated or not known. A launch may be invisible for a minute, so ask only about old ones.
   * Throws a Fault when it may not be asked at all.
   */
  look(instance: string): Promise<"live" | "over" | "unknown">;
}

/** Where prices and shapes come from. */
export interface Market {
  /** Every offer of the pool's families, zones and markets, with today's prices. Throws when EC2 cannot be asked. */
  catalogue(pool: Pool, nowMs: number): Promise<Catalogue>;
}
