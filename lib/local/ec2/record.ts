import type { OfferRef } from "../../model/offer.ts";
import type { OfferMatcher } from "./capacity.ts";
import type { InstanceRecord } from "./instance.ts";

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
  /** How many instances offers named `type/zone/market` (`*`: any) can hold at once, from now on. */
  limitCapacity(pattern: string, count: number): void;
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
  /** The next `times` (1) calls of this action happen, and their callers get an error 500 instead of the answer. */
  loseNextAnswer(action: string, times?: number): void;
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

/** Counts down the calls of an action that something was ordered for. */
export type Orders = { add(action: string, times: number): void; take(action: string): boolean };

export function createOrders(): Orders {
  const left = new Map<string, number>();
  return {
    add: (action, times) => void left.set(action, (left.get(action) ?? 0) + times),
    take(action) {
      const count = left.get(action) ?? 0;
      if (count > 0) left.set(action, count - 1);
      return count > 0;
    },
  };
}
