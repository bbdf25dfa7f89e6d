import type { AttemptRef } from "../../model/job.ts";
import type { Faults } from "../faults/faults.ts";
import type { SimClock } from "./clock.ts";
import type { Handlers } from "./handlers.ts";
import { type Handled, SimQueue } from "./queue.ts";

/** Returns the deployment's queues, each with the handler that it invokes. */
export function queuesOf(world: { readonly clock: SimClock; readonly faults: Faults }, handlers: () => Handlers) {
  return {
    jobs: new SimQueue<{ readonly team: string; readonly body: string; readonly id: string }>(world, {
      name: "jobs",
      visibilityMs: 120_000,
      handle: async ([first], sentAtMs) =>
        first ? handlers().submit({ team: first.team, messageId: first.id, body: first.body, sentAtMs }) : "done",
    }),
    lane: new SimQueue<{ readonly pool: string }>(world, {
      name: "lane",
      visibilityMs: 30_000,
      group: ({ pool }) => pool,
      handle: async ([first]) => (first ? handlers().place(first.pool) : "done"),
    }),
    later: new SimQueue<{ readonly pool: string }>(world, {
      name: "later",
      visibilityMs: 60_000,
      handle: async ([first]) => (first ? handlers().ringLater(first.pool) : "done"),
    }),
    seal: new SimQueue<AttemptRef>(world, {
      name: "seal",
      visibilityMs: 3_600_000,
      handle: async ([first]) => (first ? handlers().seal(first) : "done"),
    }),
    shards: new SimQueue<{ readonly team: string; readonly dataset: string; readonly relist: boolean }>(world, {
      name: "shards",
      visibilityMs: 720_000,
      handle: async ([first]) => (first ? handlers().rebalance(first) : "done"),
    }),
    objects: new SimQueue<{ readonly key: string }>(world, {
      name: "shards",
      visibilityMs: 720_000,
      handle: async ([first]) => (first ? handlers().objects([first.key]) : "done"),
    }),
  };
}

export type SimQueues = ReturnType<typeof queuesOf>;

/** Lambda retries a failed asynchronous invocation twice, after one minute and after two. */
const asyncRetryMs = [60_000, 120_000];

/** Calls that reach a handler without a queue. */
export class DirectCalls {
  readonly #clock: SimClock;
  #underWay = 0;

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  get areOver(): boolean {
    return this.#underWay === 0;
  }

  /** Calls a handler as a client that repeats the call until it succeeds. */
  insist(call: () => Promise<Handled>): void {
    this.#underWay += 1;
    void call().then((how) => {
      this.#underWay -= 1;
      if (how !== "done") this.#clock.after(5_000, () => this.insist(call));
    });
  }

  /** Calls a handler as Lambda does for an event: the caller never learns how it ended. */
  invoke(call: () => Promise<Handled>, tries = 0): void {
    this.#underWay += 1;
    void call().then((how) => {
      this.#underWay -= 1;
      const again = asyncRetryMs[tries];
      if (how !== "done" && again !== undefined) this.#clock.after(again, () => this.invoke(call, tries + 1));
    });
  }
}
