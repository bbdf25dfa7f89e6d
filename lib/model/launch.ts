import type { JobRef } from "./job.ts";
import type { InstanceType, Market, Offer, OfferRef } from "./offer.ts";

/**
 * A ledger entry: the intent to have nodes that hold `jobs`, written before EC2 is asked.
 * EC2 picks among its offers, so each of them holds what any one of the nodes is for; `count` times the dearest one's price is reserved.
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
  /** As many nodes are wanted. */
  readonly count: number;
  /** All of them, of one type and in one zone, or none, as a gang needs them; otherwise what comes is kept, be it fewer. */
  readonly whole: boolean;
  /** EC2's idempotency token (≤ 64 ASCII characters): a repeat of the identical request launches nothing new. */
  readonly clientToken: string;
  readonly reserved: Reservation;
  readonly intendedAtMs: number;
  readonly because: string;
  /** What searching for it by its tag has shown; absent as long as it is only asked for. */
  readonly search?: LaunchSearch | undefined;
  /** The node that this one is to take over from. */
  readonly replaces?: string | undefined;
};

/** Reads of EC2 by a launch's tag that did not show all of it, the last from the first without a long gap. `why`: it is not asked for any more. */
export type LaunchSearch = { readonly why: string; readonly fromMs: number; readonly toMs: number };

/** What a pool's limits are held against. */
export type Reservation = { readonly usdPerHour: number; readonly gpus: number };

/** What came of asking EC2. `unknown`: nobody can tell yet. `error`: what the call threw, for the log. */
export type LaunchOutcome =
  /** At least one, all of a `whole` launch; `refusals`: the offers that gave less than they were asked for, if any. */
  | { readonly kind: "launched"; readonly instances: readonly LaunchedInstance[]; readonly refusals: readonly OfferRefusal[] }
  /** Nothing came, and nothing will under this token; `refusals` name at least one of its offers. */
  | { readonly kind: "refused"; readonly code: string; readonly message: string; readonly refusals: readonly OfferRefusal[] }
  /**
   * EC2 did not take the request, or it could not be made: it launched nothing, but an earlier one under the same token may have.
   * `isConflict`: there was an earlier one, in other words.
   */
  | {
      readonly kind: "turned-away";
      readonly code: string;
      readonly message: string;
      readonly refusals: readonly OfferRefusal[];
      readonly isConflict: boolean;
      readonly error?: unknown;
    }
  /**
   * Refused for its rate: nothing was launched, and no offer is to blame. The identical request will do, unless it is `final`:
   * EC2 took the request, was throttled by itself, and will answer the same to the same token for ever.
   */
  | { readonly kind: "throttled"; readonly message: string; readonly final?: true }
  | { readonly kind: "unknown"; readonly message: string; readonly error?: unknown };

export type LaunchedInstance = { readonly id: string; readonly instanceType: string; readonly zone: string };

/** One that bears a launch's tag. `over`: shutting down or terminated. */
export type FoundInstance = LaunchedInstance & { readonly over: boolean };

/** Why an offer gave nothing, or less than was asked for, in EC2's word and in ours. */
export type OfferRefusal = OfferRef & { readonly code: string; readonly why: RefusalKind };

/** `capacity`: there is none left just now. `limit`: the account's quota of vCPUs. `fault`: anything else; the offer may be fine. */
export type RefusalKind = "capacity" | "limit" | "fault";
