import type { JobRef } from "./job.ts";
import type { InstanceType, Market, Offer, OfferRef } from "./offer.ts";

/**
 * The intent to launch nodes for `jobs`, written to the ledger before EC2 is asked. EC2 chooses among the offers, so each of them must
 * have room for the jobs of any of the nodes, and `count` times the price of the most expensive one is reserved.
 */
export type Launch = {
  readonly id: string;
  readonly pool: string;
  /** The team that the nodes serve; undefined in a shared pool. */
  readonly team?: string | undefined;
  readonly market: Market;
  readonly offers: readonly Offer[];
  /** The shapes of the offers' instance types, so that the nodes' shapes are known even if the catalogue changes meanwhile. */
  readonly types: readonly InstanceType[];
  readonly jobs: readonly JobRef[];
  /** How many nodes are wanted. */
  readonly count: number;
  /** True for a gang: launch all nodes, of one type and in one zone, or none. False: keep the nodes that EC2 launches, even if fewer. */
  readonly whole: boolean;
  /** EC2's idempotency token (≤ 64 ASCII characters): a repeat of the identical request launches nothing new. */
  readonly clientToken: string;
  readonly reserved: Reservation;
  readonly intendedAtMs: number;
  readonly because: string;
  /** The result so far of the search for its instances by tag; undefined as long as the request itself is still repeated. */
  readonly search?: LaunchSearch | undefined;
  /** The node that the new node will replace; undefined for none. */
  readonly replaces?: string | undefined;
};

/**
 * A series of reads of EC2, by a launch's tag, that did not show all of its instances. `fromMs` and `toMs` are the first and the last
 * read, without a long gap between them. `why`: why the request is no longer repeated. `came`: each instance that
 * any read has shown, as it was last shown, because a later read may leave it out; undefined for none. `newAtMs`: when a read last showed one
 * that no read before it had shown.
 */
export type LaunchSearch = {
  readonly why: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly came?: readonly FoundInstance[] | undefined;
  readonly newAtMs?: number | undefined;
};

/** An amount that counts against limits: dollars per hour, and GPUs. */
export type Reservation = { readonly usdPerHour: number; readonly gpus: number };

/** The outcome of a request to EC2. `unknown`: EC2 may or may not have launched something. `error`: what the call threw, for the log. */
export type LaunchOutcome =
  /** EC2 launched at least one instance, or all of a `whole` launch. `refusals`: the offers that gave fewer than asked for, if any. */
  | { readonly kind: "launched"; readonly instances: readonly LaunchedInstance[]; readonly refusals: readonly OfferRefusal[] }
  /** EC2 launched nothing, and will launch nothing under this token. `refusals` has at least one of the offers. */
  | { readonly kind: "refused"; readonly code: string; readonly message: string; readonly refusals: readonly OfferRefusal[] }
  /**
   * EC2 did not accept the request, or it could not be sent. It launched nothing, but an earlier request under the same token may have.
   * `isConflict`: there was such a request, with other parameters.
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
   * EC2 throttled the request: it launched nothing, and no offer is to blame. The identical request may succeed later, unless `final` is
   * set: EC2 accepted the request, was throttled internally, and will return the same result for the same token forever.
   */
  | { readonly kind: "throttled"; readonly message: string; readonly final?: true }
  | { readonly kind: "unknown"; readonly message: string; readonly error?: unknown };

export type LaunchedInstance = { readonly id: string; readonly instanceType: string; readonly zone: string };

/** An instance that has a launch's tag. `over`: shutting down or terminated. */
export type FoundInstance = LaunchedInstance & { readonly over: boolean };

/** Why an offer gave nothing, or fewer instances than asked for: EC2's error code, and the kind of refusal. */
export type OfferRefusal = OfferRef & { readonly code: string; readonly why: RefusalKind };

/** `capacity`: EC2 has none at present. `limit`: the account's vCPU quota is reached. `fault`: anything else; the offer may be fine. */
export type RefusalKind = "capacity" | "limit" | "fault";
