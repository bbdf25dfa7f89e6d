import type { FoundInstance, Launch, LaunchOutcome } from "../model/launch.ts";
import type { Catalogue } from "../model/offer.ts";
import type { Pool } from "../model/pool.ts";

/** The part of EC2 that `place` uses. */
export interface Fleet {
  /**
   * Asks for `count` instances of any of the offers. EC2 may launch fewer, and of several offers; a `whole` launch gets all of them, of
   * one type and in one zone, or none. The outcome has a reason for each offer that gave less than it was asked for.
   * Repeating the identical launch is safe, because its client token makes EC2 launch it only once.
   * Never throws because of a response of EC2. If the response is lost, the outcome is `unknown`.
   */
  launch(launch: Launch): Promise<LaunchOutcome>;
  /**
   * Returns all instances that have the launch's tag, including ended ones. An instance that was launched within the last minute may
   * be missing, and so may one that ended an hour ago. `unknown`: not all could be read. Never throws because of a response of EC2.
   */
  find(launch: string): Promise<FoundInstances>;
  /** Terminates at most `maxAtOnce` instances in one call, and returns an outcome for each. Never throws because of a response of EC2. */
  terminate(instances: readonly string[]): Promise<ReadonlyMap<string, TerminateOutcome>>;
  /**
   * Describes at most `maxAtOnce` instances in one call, and returns a state for each. Callers should ask only about instances that are
   * older than a minute, because EC2 may not show newer ones. Never throws because of a response of EC2.
   */
  look(instances: readonly string[]): Promise<ReadonlyMap<string, InstanceStatus>>;
  /**
   * Returns those of at most `maxAtOnce` instances that fail EC2's status checks, or undefined if EC2 did not respond. Never throws because of
   * a response of EC2.
   */
  impaired(instances: readonly string[]): Promise<ReadonlySet<string> | undefined>;
}

export type FoundInstances =
  | { readonly kind: "read"; readonly instances: readonly FoundInstance[] }
  | { readonly kind: "unknown"; readonly message: string; readonly error?: unknown };

/** The most instances that one call may name. EC2 accepts 1,000 and recommends fewer. */
export const maxAtOnce = 100;

/**
 * The outcome of terminating an instance. `accepted`: EC2 is terminating it, has terminated it or does not know it any more.
 * `apart`: the call failed because of one of its instances, which EC2 may not have named, and EC2 may or may not be terminating this one;
 * the caller should ask for it in a smaller call. Never `apart` for an instance that was alone in its call. `throttled`: nothing was done. `unknown`: the caller
 * should ask again. `denied`: the caller may not terminate it. `refused`: why EC2 does not end it, for example because somebody has protected it.
 */
export type TerminateOutcome = "accepted" | "apart" | "throttled" | "unknown" | "denied" | { readonly refused: string };

/**
 * The state of an instance, or why it could not be read. `ending`: it is stopping or shutting down, and its programs may still run.
 * `stopped` and `terminated`: nothing runs there any more. `absent`: EC2 does not know it, because it ended long ago, or because what
 * EC2 shows is behind.
 */
export type InstanceStatus = "live" | "ending" | "stopped" | "terminated" | "absent" | "throttled" | "unknown" | "denied";

/** The source of prices and of the shapes of instance types. */
export interface PriceSource {
  /** Returns every offer of the pool's families, zones and markets, with current prices. Throws if EC2 cannot be asked. */
  catalogue(pool: Pool, nowMs: number): Promise<Catalogue>;
}
