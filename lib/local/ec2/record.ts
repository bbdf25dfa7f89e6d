import type { OfferRef } from "../../model/offer.ts";
import type { CapacityPlan, RequestRate } from "./behaviour/behaviour.ts";
import type { InstanceRecord } from "./instances/instance.ts";
import type { OfferMatcher } from "./offers/capacity.ts";

/** One CreateFleet call, as it arrived and ended. */
export type FleetCall = {
  readonly atMs: number;
  readonly clientToken?: string | undefined;
  /** The tags for its instances, `fleetwright:launch` among them. */
  readonly tags: Readonly<Record<string, string>>;
  /** Answered from memory: nothing was launched. */
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

/** What happened in this EC2, and the means to make things happen in it. */
export type Ec2Record = {
  /** In the order of their ends. */
  readonly fleetCalls: readonly FleetCall[];
  /** In the order of their launches; those that are over stay. */
  readonly instances: readonly InstanceRecord[];
  /** Instances that are neither terminated nor vanished. */
  remaining(): readonly InstanceRecord[];
  /** Refuses matching offers with this code until the returned function is called. */
  refuse(matcher: OfferMatcher, code: string): () => void;
  /** How many instances offers named `type/zone/market` (`*`: any) can hold at once, from now on or by a plan of times from now on. */
  limitCapacity(pattern: string, plan: CapacityPlan): void;
  /** `terminate`: as if somebody ended it in the console. `vanish`: EC2 forgets it, and no event says so. */
  endInstance(id: string, how?: "terminate" | "vanish"): Promise<void>;
  /**
   * EC2 takes a spot instance back, as it does on AWS: a warning on the bus and in the instance's metadata, then the end.
   * Answers when it ends, ms since the epoch; a second call changes nothing.
   * Throws the Faults `no-instance`, `not-spot` and `not-running`.
   * @param noticeMs the behaviour's `interruptionNoticeMs`
   */
  interrupt(id: string, options?: { readonly noticeMs?: number }): number;
  /** Tells a spot instance, once, that it is at elevated risk of being interrupted. Throws as `interrupt` does. */
  recommendRebalance(id: string): void;
  /** The next `times` (1) calls of this action happen, and their callers get an error 500 instead of the answer, or nothing: the connection is `cut`. */
  loseNextAnswer(action: string, times?: number, how?: "error" | "cut"): void;
  /** The next `times` (1) calls of this action happen at once, and are answered after `ms`. */
  delayNextAnswer(action: string, ms: number, times?: number): void;
  /** At what rate an action (`*`: each without a rate of its own) may be called from now on; undefined: at any. */
  limitRequests(action: string, rate: RequestRate | undefined): void;
  /** How many calls were refused for their rate, by action. */
  readonly refusedRequests: ReadonlyMap<string, number>;
  /** The next `times` (1) calls of this action are refused with RequestLimitExceeded; nothing happens. */
  throttleNext(action: string, times?: number): void;
  /** Stops the worker and what it runs in the middle of whatever they do. */
  pauseWorker(id: string): Promise<void>;
  resumeWorker(id: string): Promise<void>;
  /** The worker and what it runs die; the worker is started again after `restartMs`. */
  crashWorker(id: string): Promise<void>;
  /** The worker and what it runs die; the instance stays, and nothing runs on it. */
  killWorker(id: string): Promise<void>;
};

/** What was ordered for the next calls of an action, call by call. */
export type Orders<T> = { add(action: string, times: number, what: T): void; take(action: string): T | undefined };

export function createOrders<T>(): Orders<T> {
  const left = new Map<string, T[]>();
  return {
    add: (action, times, what) => void left.set(action, [...(left.get(action) ?? []), ...Array.from({ length: times }, () => what)]),
    take: (action) => left.get(action)?.shift(),
  };
}
