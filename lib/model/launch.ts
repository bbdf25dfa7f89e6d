import type { JobRef } from "./job.ts";
import type { InstanceType, Market, Offer } from "./offer.ts";

/**
 * A ledger entry: the intent to have nodes that hold `jobs`, written before EC2 is asked.
 * All its offers hold the whole bundle, for EC2 picks among them; `count` times the dearest one's price is reserved.
 */
export type Launch = {
  readonly id: string;
  readonly pool: string;
  readonly team?: string | undefined;
  readonly market: Market;
  readonly offers: readonly Offer[];
  /** The shapes of what the offers buy: what comes is known even if the catalogue changes meanwhile. */
  readonly types: readonly InstanceType[];
  readonly jobs: readonly JobRef[];
  /** More than one: all of them, of one type and in one zone, or none. */
  readonly count: number;
  /** EC2's idempotency token (≤ 64 ASCII characters): a repeat of the identical request launches nothing new. */
  readonly clientToken: string;
  readonly reserved: Reservation;
  readonly intendedAtMs: number;
  readonly because: string;
};

/** What a pool's limits are held against. */
export type Reservation = { readonly usdPerHour: number; readonly gpus: number };

/** What came of asking EC2. `unknown`: nobody can tell yet; repeat the identical request. */
export type LaunchOutcome =
  | { readonly kind: "launched"; readonly instances: readonly LaunchedInstance[] }
  | { readonly kind: "refused"; readonly code: string; readonly message: string; readonly capacity: boolean }
  | { readonly kind: "unknown"; readonly message: string };

export type LaunchedInstance = { readonly id: string; readonly instanceType: string; readonly zone: string };
