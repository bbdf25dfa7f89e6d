import type { AttemptRef } from "../../model/job.ts";
import type { SealAgainQueue } from "../../ports/artifacts.ts";
import type { Lane } from "../../ports/bell.ts";
import { Interruptions } from "./interruptions.ts";

/** The lane and `later` in memory. Only one message per pool is in flight at a time, as in a FIFO message group. */
export class MemoryLane implements Lane {
  readonly interruptions = new Interruptions<"send" | "sendLater">();
  /** The pool of each waiting message, the oldest first. */
  readonly waiting: string[] = [];
  readonly later: { readonly pool: string; readonly delaySeconds: number }[] = [];
  /** If true, messages are accepted and then lost. */
  losing = false;
  readonly #inFlight = new Set<string>();
  readonly #isFirst = deduplication();

  send(pool: string, once?: string): Promise<void> {
    return this.interruptions.call("send", () => {
      if (this.#isFirst(pool, once) && !this.losing) this.waiting.push(pool);
    });
  }

  sendLater(pool: string, delaySeconds: number): Promise<void> {
    return this.interruptions.call("sendLater", () => {
      if (!this.losing) this.later.push({ pool, delaySeconds: Math.min(Math.max(Math.ceil(delaySeconds), 0), 900) });
    });
  }

  /** Returns the next message whose pool has none in flight. It is in flight until `done` or `giveBack` is called. */
  receive(): { readonly pool: string; done(): void; giveBack(): void } | undefined {
    const at = this.waiting.findIndex((pool) => !this.#inFlight.has(pool));
    const pool = this.waiting[at];
    if (pool === undefined) return undefined;
    this.waiting.splice(at, 1);
    this.#inFlight.add(pool);
    return {
      pool,
      done: () => void this.#inFlight.delete(pool),
      giveBack: () => {
        this.#inFlight.delete(pool);
        this.waiting.unshift(pool);
      },
    };
  }

  /** Removes and returns the messages of `later` that are due after this many seconds, and reduces the delay of the others. */
  due(afterSeconds: number): readonly string[] {
    const all = this.later.splice(0);
    this.later.push(
      ...all.filter((one) => one.delaySeconds > afterSeconds).map((one) => ({ ...one, delaySeconds: one.delaySeconds - afterSeconds })),
    );
    return all.filter((one) => one.delaySeconds <= afterSeconds).map(({ pool }) => pool);
  }
}

/** Remembers the attempts that should be sealed again. */
export class MemorySealQueue implements SealAgainQueue {
  readonly sent: AttemptRef[] = [];

  async send({ team, job, attempt }: AttemptRef): Promise<void> {
    this.sent.push({ team, job, attempt });
  }
}

/**
 * Returns SQS's deduplication: a function that reports whether a message is the first of its pool with this id. One without an id always is.
 * SQS forgets ids after five minutes, and no two periods have the same one.
 */
export function deduplication(): (pool: string, once: string | undefined) => boolean {
  const sent = new Set<string>();
  return (pool, once) => {
    if (once === undefined) return true;
    const isFirst = !sent.has(`${pool} ${once}`);
    sent.add(`${pool} ${once}`);
    return isFirst;
  };
}
