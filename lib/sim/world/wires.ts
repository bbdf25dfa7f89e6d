import type { Submission } from "../../flows/submit-job.ts";
import type { AttemptRef, OutboxRef } from "../../model/job.ts";
import type { Chance } from "../faults/chance.ts";
import type { Faults } from "../faults/faults.ts";
import type { Outages } from "../faults/outages.ts";
import type { SimClock } from "./clock.ts";
import type { Handlers } from "./handlers.ts";
import { type Handled, SimQueue } from "./queue.ts";

export type QueuesWorld = { readonly clock: SimClock; readonly faults: Faults; readonly outages: Outages; readonly chance: Chance };

/** How often a run keeps the order of each team's messages. In the others they arrive in any order, as on the standard queues of a stack. */
const orderedRate = 0.3;

/** Returns the deployment's queues, each with the handler that it invokes. */
export function queuesOf(world: QueuesWorld, handlers: () => Handlers) {
  const group = world.chance.happens(orderedRate) ? teamOf : undefined;
  return {
    // All teams have one queue, so that a batch has messages of several teams. A stack's batch has those of one.
    jobs: new SimQueue<Submission>(world, {
      name: "jobs",
      visibilityMs: 120_000,
      group,
      mixes: world.chance.fork("batches"),
      handle: (submissions) => handlers().submit(submissions, group),
    }),
    lane: new SimQueue<{ readonly pool: string }>(world, {
      name: "lane",
      visibilityMs: 50_000,
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
    outboxes: new SimQueue<OutboxRef>(world, {
      name: "outboxes",
      visibilityMs: 3_600_000,
      handle: async ([first]) => (first ? handlers().takeOutbox(first) : "done"),
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

const teamOf = ({ team }: Submission): string => team;

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
