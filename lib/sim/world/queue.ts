import type { Faults } from "../faults/faults.ts";
import type { SimClock } from "./clock.ts";

/** The result of a batch. If it failed or its handler died, it is delivered again. */
export type Handled = "done" | "failed" | "died";

export type QueueOptions<Body> = {
  readonly name: string;
  readonly visibilityMs: number;
  /** Returns the message group, for a FIFO queue. Messages of a group are delivered in order, one batch at a time. */
  readonly group?: (body: Body) => string;
  /** Handles a batch. `sentAtMs` is when its first message was sent. */
  readonly handle: (bodies: readonly Body[], sentAtMs: number) => Promise<Handled>;
};

type Message<Body> = {
  readonly body: Body;
  readonly group: string | undefined;
  readonly sentAtMs: number;
  readyMs: number;
  received: number;
  isGone: boolean;
};

const maxReceives = 5;
const maxInBatch = 10;

/** SQS together with Lambda's poller: it delivers at least once, in any order, and after five failures to the dead letters. */
export class SimQueue<Body> {
  readonly #options: QueueOptions<Body>;
  readonly #clock: SimClock;
  readonly #faults: Faults;
  #waiting: Message<Body>[] = [];
  readonly #locked = new Set<string>();
  #dead: Message<Body>[] = [];
  #inFlight = 0;

  constructor(world: { readonly clock: SimClock; readonly faults: Faults }, options: QueueOptions<Body>) {
    this.#clock = world.clock;
    this.#faults = world.faults;
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#inFlight === 0;
  }

  send(body: Body, delayMs = 0): void {
    const { name, group } = this.#options;
    const late = this.#faults.strikes("sqs.delay", name) ? this.#faults.chance("sqs.delay").between(1_000, 60_000) : 0;
    const message = { body, group: group?.(body), sentAtMs: this.#clock.nowMs, received: 0, isGone: false };
    this.#await({ ...message, readyMs: this.#clock.nowMs + delayMs + late });
    if (this.#faults.strikes("sqs.duplicate", name)) {
      this.#await({ ...message, readyMs: this.#clock.nowMs + delayMs + this.#faults.chance("sqs.duplicate").between(0, 90_000) });
    }
  }

  /** Moves the dead letters back to the queue, as an operator does after the alarm. Returns their number. */
  redrive(): number {
    const dead = this.#dead.splice(0);
    for (const message of dead) this.#await({ ...message, readyMs: this.#clock.nowMs, received: 0 });
    return dead.length;
  }

  #await(message: Message<Body>): void {
    this.#waiting.push(message);
    this.#clock.at(message.readyMs + this.#faults.chance("sqs.delay").between(1, 40), () => this.#poll(message.group));
  }

  #poll(group: string | undefined): void {
    if (group !== undefined && this.#locked.has(group)) return;
    const ready = this.#waiting.filter((each) => each.group === group && each.readyMs <= this.#clock.nowMs);
    const batch = ready.slice(0, group === undefined ? 1 : maxInBatch);
    if (batch.length === 0) return;
    this.#waiting = this.#waiting.filter((each) => !batch.includes(each));
    if (group !== undefined) this.#locked.add(group);
    void this.#deliver(batch, group);
    if (group === undefined && ready.length > 1) this.#poll(group);
  }

  async #deliver(batch: readonly Message<Body>[], group: string | undefined): Promise<void> {
    const { name, visibilityMs, handle } = this.#options;
    for (const each of batch) each.received += 1;
    this.#inFlight += 1;
    const isOver = { yes: false };
    // Another poller gets the messages while the handler of this one still runs.
    if (this.#faults.draws("sqs.lapse")) {
      this.#clock.after(this.#faults.chance("sqs.lapse").between(50, 15_000), () => {
        if (isOver.yes) return;
        this.#faults.count("sqs.lapse", name);
        this.#giveBack(batch, group, 0);
      });
    }
    const receivedMs = this.#clock.nowMs;
    const handled = this.#faults.strikes("sqs.drop", name)
      ? "died"
      : await handle(
          batch.map(({ body }) => body),
          batch[0]?.sentAtMs ?? receivedMs,
        );
    isOver.yes = true;
    this.#inFlight -= 1;
    if (handled === "done") for (const each of batch) each.isGone = true;
    if (handled === "done") this.#waiting = this.#waiting.filter((each) => !each.isGone);
    // A group is free for its next messages as soon as these are deleted.
    if (handled === "done") this.#giveBack([], group, 0);
    else this.#giveBack(batch, group, Math.max(0, receivedMs + visibilityMs - this.#clock.nowMs));
  }

  #giveBack(batch: readonly Message<Body>[], group: string | undefined, afterMs: number): void {
    for (const each of batch) {
      if (each.isGone || this.#waiting.includes(each)) continue;
      each.readyMs = this.#clock.nowMs + afterMs;
      if (each.received >= maxReceives) this.#dead.push(each);
      else this.#waiting.push(each);
    }
    this.#clock.after(afterMs, () => {
      if (group !== undefined) this.#locked.delete(group);
      this.#poll(group);
    });
  }
}
