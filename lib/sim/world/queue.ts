import { pauseSeconds, receivesOf, type WorkQueueKind } from "../../model/queue/message-retries.ts";
import type { Chance } from "../faults/chance.ts";
import type { Faults } from "../faults/faults.ts";
import type { Outages } from "../faults/outages.ts";
import type { SimClock } from "./clock.ts";

/** The result of a message or of a whole batch. If it failed or its handler died, it is delivered again. */
export type Handled = "done" | "failed" | "died";

export type QueueOptions<Body> = {
  readonly name: WorkQueueKind;
  readonly visibilityMs: number;
  /** Returns the message group, for a FIFO queue. Messages of a group are delivered in order, one batch at a time. */
  readonly group?: ((body: Body) => string) | undefined;
  /**
   * Draws which of the messages that wait are in a batch: up to ten, of any groups. If undefined, a batch has the messages of one group,
   * or one message.
   */
  readonly mixes?: Chance;
  /** Handles a batch. Returns one result for the whole batch, or that of each message (a partial batch response). */
  readonly handle: (bodies: readonly Body[]) => Promise<Handled | readonly Handled[]>;
};

type Message<Body> = {
  readonly body: Body;
  readonly group: string | undefined;
  /** Its place in the order in which the messages were sent. */
  readonly order: number;
  readyMs: number;
  received: number;
  isGone: boolean;
};

const maxInBatch = 10;
/** How often all of Lambda's pollers are busy when a message of a queue that mixes becomes ready, so that others join it. */
const busyRate = 0.4;
/** How often a group that waits is in a batch of several groups. */
const joinRate = 0.7;

/**
 * SQS together with Lambda's poller and the pauses that functions ask for: it delivers at least once, in any order, and after hours of
 * failures to the dead letters.
 */
export class SimQueue<Body> {
  readonly #options: QueueOptions<Body>;
  readonly #clock: SimClock;
  readonly #faults: Faults;
  readonly #outages: Outages;
  #waiting: Message<Body>[] = [];
  readonly #locked = new Set<string>();
  #dead: Message<Body>[] = [];
  #inFlight = 0;
  #sent = 0;

  constructor(world: { readonly clock: SimClock; readonly faults: Faults; readonly outages: Outages }, options: QueueOptions<Body>) {
    this.#clock = world.clock;
    this.#faults = world.faults;
    this.#outages = world.outages;
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#inFlight === 0;
  }

  send(body: Body, delayMs = 0): void {
    const { name, group } = this.#options;
    const late = this.#faults.strikes("sqs.delay", name) ? this.#faults.chance("sqs.delay").between(1_000, 60_000) : 0;
    const message = { body, group: group?.(body), order: this.#sent++, received: 0, isGone: false };
    this.#await({ ...message, readyMs: this.#clock.nowMs + delayMs + late });
    if (this.#faults.strikes("sqs.duplicate", name)) {
      this.#await({ ...message, readyMs: this.#clock.nowMs + delayMs + this.#faults.chance("sqs.duplicate").between(0, 90_000) });
    }
  }

  /** The number of messages that were given up and not redriven. */
  get dead(): number {
    return this.#dead.length;
  }

  /** Moves the dead letters back to the queue, as an operator does after the alarm. Returns their number. */
  redrive(): number {
    const dead = this.#dead.splice(0);
    for (const message of dead) this.#await({ ...message, readyMs: this.#clock.nowMs, received: 0 });
    return dead.length;
  }

  #await(message: Message<Body>): void {
    const { mixes } = this.#options;
    this.#waiting.push(message);
    const pollMs = mixes?.happens(busyRate) ? mixes.between(1_000, 20_000) : this.#faults.chance("sqs.delay").between(1, 40);
    this.#clock.at(message.readyMs + pollMs, () => this.#poll(message.group));
  }

  #poll(group: string | undefined): void {
    // Without Lambda, nothing is received, so nothing is received in vain.
    const outMinutes = this.#outages.minutesLeft("functions");
    if (outMinutes > 0) return void this.#clock.after(Math.ceil(outMinutes * 60_000), () => this.#poll(group));
    const { mixes } = this.#options;
    const isDue = (each: Message<Body>): boolean =>
      each.readyMs <= this.#clock.nowMs && !this.#isLocked(each) && (mixes !== undefined || each.group === group);
    const ready = this.#waiting.filter(isDue).toSorted((a, b) => a.order - b.order);
    if (ready.length === 0) return;
    const batch = mixes ? drawn(ready, mixes) : ready.slice(0, group === undefined ? 1 : maxInBatch);
    this.#waiting = this.#waiting.filter((each) => !batch.includes(each));
    for (const name of groupsOf(batch)) if (name !== undefined) this.#locked.add(name);
    void this.#deliver(batch);
    if ((mixes || group === undefined) && ready.length > batch.length) this.#poll(group);
  }

  #isLocked({ group }: Message<Body>): boolean {
    return group !== undefined && this.#locked.has(group);
  }

  async #deliver(batch: readonly Message<Body>[]): Promise<void> {
    const { name, visibilityMs, handle } = this.#options;
    for (const each of batch) each.received += 1;
    this.#inFlight += 1;
    const isOver = { yes: false };
    // Another poller gets the messages while the handler of this one still runs.
    if (this.#faults.draws("sqs.lapse")) {
      this.#clock.after(this.#faults.chance("sqs.lapse").between(50, 15_000), () => {
        if (isOver.yes) return;
        this.#faults.count("sqs.lapse", name);
        this.#giveBack(batch, groupsOf(batch), 0);
      });
    }
    const receivedMs = this.#clock.nowMs;
    const handled = this.#faults.strikes("sqs.drop", name) ? "died" : await handle(batch.map(({ body }) => body));
    isOver.yes = true;
    this.#inFlight -= 1;
    const left = batch.filter((_, n) => (typeof handled === "string" ? handled : handled[n]) !== "done");
    for (const each of batch) if (!left.includes(each)) each.isGone = true;
    this.#waiting = this.#waiting.filter((each) => !each.isGone);
    const held = groupsOf(left);
    const isVisibleMs = Math.max(0, receivedMs + visibilityMs - this.#clock.nowMs);
    // A function that died did not postpone its messages.
    const isPostponed = handled !== "died";
    const [first] = left;
    const pauseMs = first && isPostponed ? pauseSeconds(name, first.received, this.#faults.chance("sqs.delay").next()) * 1000 : isVisibleMs;
    this.#giveBack(left, held, pauseMs);
    // A group is free for its next messages as soon as these are deleted. One with a message that failed waits for that message.
    this.#giveBack([], new Set([...groupsOf(batch)].filter((group) => !held.has(group))), 0);
  }

  /** Makes messages visible after some time, and lets their groups go on. */
  #giveBack(batch: readonly Message<Body>[], groups: ReadonlySet<string | undefined>, afterMs: number): void {
    for (const each of batch) {
      if (each.isGone || this.#waiting.includes(each)) continue;
      each.readyMs = this.#clock.nowMs + afterMs;
      if (each.received >= receivesOf(this.#options.name)) this.#dead.push(each);
      else this.#waiting.push(each);
    }
    for (const group of groups)
      this.#clock.after(afterMs, () => {
        if (group !== undefined) this.#locked.delete(group);
        this.#poll(group);
      });
  }
}

const groupsOf = (batch: readonly { readonly group: string | undefined }[]): ReadonlySet<string | undefined> =>
  new Set(batch.map(({ group }) => group));

/** Draws a batch from messages that are ready, in their order: from some of their groups, at least the oldest's. */
function drawn<Body>(ready: readonly Message<Body>[], mixes: Chance): readonly Message<Body>[] {
  const [oldest, ...others] = groupsOf(ready);
  const joining = new Set([oldest, ...others.filter(() => mixes.happens(joinRate))]);
  return ready.filter(({ group }) => joining.has(group)).slice(0, mixes.between(1, maxInBatch));
}

/**
 * Handles the messages of a batch: groups side by side, and those of a group in order. Once one has failed, the rest of its group fails,
 * too, because a later message must not be handled before it. Without groups, all are handled side by side.
 */
export async function inGroups<T>(
  messages: readonly T[],
  groupOf: ((message: T) => string) | undefined,
  work: (message: T) => Promise<unknown>,
): Promise<readonly Handled[]> {
  const failed = new Set<T>();
  const groups = groupOf ? Map.groupBy(messages, groupOf).values() : messages.map((each) => [each]);
  const handle = async (group: readonly T[]): Promise<void> => {
    for (const [n, message] of group.entries()) {
      try {
        await work(message);
      } catch {
        for (const each of group.slice(n)) failed.add(each);
        return;
      }
    }
  };
  await Promise.all(Array.from(groups, handle));
  return messages.map((each) => (failed.has(each) ? "failed" : "done"));
}
