import type { OfferRef } from "../../model/offer.ts";
import type { CapacitySchedule, RequestRate } from "./behaviour/behaviour.ts";
import type { InstanceRecord } from "./instances/instance.ts";
import type { OfferMatcher } from "./offers/capacity.ts";

/** A CreateFleet call and its outcome. */
export type FleetCall = {
  readonly atMs: number;
  readonly clientToken?: string | undefined;
  /** The tags for its instances, including `fleetwright:launch`. */
  readonly tags: Readonly<Record<string, string>>;
  /** Whether the response of an earlier call was returned and nothing was launched. */
  readonly replayed: boolean;
  readonly outcome: FleetOutcome;
};

export type FleetOutcome =
  | {
      readonly kind: "answered";
      readonly instances: readonly string[];
      readonly errors: readonly { readonly code: string; readonly offer: OfferRef }[];
    }
  | { readonly kind: "failed"; readonly code: string };

/** The record of what happened in this EC2, and the means to make things happen in it. */
export type Ec2Record = {
  /** In the order in which they ended. */
  readonly fleetCalls: readonly FleetCall[];
  /** In the order of their launches. Instances that have ended are kept. */
  readonly instances: readonly InstanceRecord[];
  /** Instances that are neither terminated nor vanished. */
  remaining(): readonly InstanceRecord[];
  /** Refuses matching offers with this code until the returned function is called. */
  refuse(matcher: OfferMatcher, code: string): () => void;
  /** Limits how many instances the offers `type/zone/market` (`*`: any) can hold at once, now or by a plan of times from now. */
  limitCapacity(pattern: string, plan: CapacitySchedule): void;
  /** `terminate`: as if someone terminated it in the console. `vanish`: EC2 forgets it and sends no event. */
  endInstance(id: string, how?: "terminate" | "vanish"): Promise<void>;
  /**
   * Interrupts a spot instance as EC2 does on AWS: with a warning on the bus and in the instance's metadata, then the end.
   * Returns the time of its end, ms since the epoch. A second call changes nothing.
   * Throws the Faults `no-instance`, `not-spot` and `not-running`.
   * @param noticeMs by default the behaviour's `interruptionNoticeMs`
   */
  interrupt(id: string, options?: { readonly noticeMs?: number }): number;
  /** Notifies a spot instance, once, that it is at elevated risk of interruption. Throws the same Faults as `interrupt`. */
  recommendRebalance(id: string): void;
  /** Loses the responses of the next `times` (1) calls of this action, which do happen. Callers get an error 500, or a `cut` connection. */
  loseNextResponse(action: string, times?: number, how?: "error" | "cut"): void;
  /** Delays the responses of the next `times` (1) calls of this action by `ms`. The calls happen at once. */
  delayNextResponse(action: string, ms: number, times?: number): void;
  /** Limits how often an action (`*`: every action without its own rate) may be called from now on. Undefined: no limit. */
  limitRequests(action: string, rate: RequestRate | undefined): void;
  /** How many calls were throttled, per action. */
  readonly refusedRequests: ReadonlyMap<string, number>;
  /** Refuses the next `times` (1) calls of this action with RequestLimitExceeded. Nothing else happens. */
  throttleNext(action: string, times?: number): void;
  /** Stops the worker and its processes (SIGSTOP). */
  pauseWorker(id: string): Promise<void>;
  resumeWorker(id: string): Promise<void>;
  /** Kills the worker and its processes. The worker is started again after `restartMs`. */
  crashWorker(id: string): Promise<void>;
  /** Kills the worker and its processes. The instance stays, but nothing runs on it. */
  killWorker(id: string): Promise<void>;
};

/** Orders for the next calls of an action. Each call takes one. */
export type Orders<T> = { add(action: string, times: number, what: T): void; take(action: string): T | undefined };

export function createOrders<T>(): Orders<T> {
  const left = new Map<string, T[]>();
  return {
    add: (action, times, what) => void left.set(action, [...(left.get(action) ?? []), ...Array.from({ length: times }, () => what)]),
    take: (action) => left.get(action)?.shift(),
  };
}
