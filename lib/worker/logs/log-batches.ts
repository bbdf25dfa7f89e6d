import { eventOverheadBytes } from "../../../events/artifacts/log-line.ts";
import type { Clock } from "../runtime/clock.ts";

export type LogEvent = { readonly timestamp: number; readonly message: string };

/**
 * Receives batches. `put` must have its own timeout and bounded retries, and rejects when it gives up. It resolves with the number of
 * events that were refused although the batch was accepted.
 */
export type LogSink = { put(events: readonly LogEvent[]): Promise<number>; close(): void };

export type BatchLimits = {
  readonly batchLines: number;
  readonly batchBytes: number;
  /** The longest time that a line waits for others. */
  readonly batchMs: number;
};

/** CloudWatch Logs allows 10,000 events, 1,048,576 bytes and a span of 24 hours per batch (PutLogEvents). */
export const batchLimits: BatchLimits = { batchLines: 10_000, batchBytes: 1_000_000, batchMs: 1_000 };
const maxSpanMs = 23 * 3_600_000;
/** A clock that is set back by more than this is followed, because CloudWatch refuses events more than two hours ahead of its own clock. */
const maxBackMs = 3_600_000;

export const bytesOf = (message: string): number => Buffer.byteLength(message) + eventOverheadBytes;

/** Writes events in batches to a sink that may be slow or fail. */
export class LogBatches {
  readonly #sink: LogSink;
  readonly #clock: Clock;
  readonly #limits: BatchLimits;
  #waiting: LogEvent[] = [];
  #waitingBytes = 0;
  #writing = 0;
  #lost = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #flushing: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(sink: LogSink, clock: Clock, limits: BatchLimits) {
    this.#sink = sink;
    this.#clock = clock;
    this.#limits = limits;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** How many events were given up. */
  get lost(): number {
    return this.#lost;
  }

  add(message: string): void {
    this.#waiting.push({ timestamp: this.#timestamp(), message });
    this.#waitingBytes += bytesOf(message);
    if (this.#waitingBytes >= this.#limits.batchBytes || this.#waiting.length >= this.#limits.batchLines) this.#flush();
    else this.#cancelTimer ??= this.#clock.after(this.#limits.batchMs, () => this.#flush());
  }

  /** Writes the events that wait, for at most `withinMs`. Returns how many events never arrived. */
  async close(withinMs: number): Promise<number> {
    this.#flush();
    let cancel = () => {};
    const tooLate = new Promise<void>((resolve) => {
      cancel = this.#clock.after(withinMs, resolve);
    });
    await Promise.race([this.#flushing, tooLate]);
    cancel();
    this.#cancelTimer?.();
    this.#sink.close();
    return this.#lost + this.#writing + this.#waiting.length;
  }

  /** Returns the time for the next event. It never goes back, even if the clock does, because a batch must be in order of time. */
  #timestamp(): number {
    const nowMs = this.#clock.wallMs();
    this.#lastMs = this.#lastMs - nowMs > maxBackMs ? nowMs : Math.max(this.#lastMs, nowMs);
    return this.#lastMs;
  }

  #flush(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#flushing ??= this.#write().finally(() => {
      this.#flushing = undefined;
    });
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      this.#writing = batch.length;
      try {
        this.#lost += await this.#sink.put(batch);
      } catch {
        // The sink has already retried.
        this.#lost += batch.length;
      }
      this.#writing = 0;
    }
  }

  #nextBatch(): readonly LogEvent[] {
    const { batchBytes, batchLines } = this.#limits;
    const firstMs = this.#waiting[0]?.timestamp ?? 0;
    let [bytes, count, lastMs] = [0, 0, firstMs];
    for (const { message, timestamp } of this.#waiting) {
      const more = bytes + bytesOf(message);
      const fits = more <= batchBytes && count < batchLines && timestamp >= lastMs && timestamp - firstMs <= maxSpanMs;
      if (count > 0 && !fits) break;
      [bytes, lastMs] = [more, timestamp];
      count++;
    }
    const batch = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    this.#waitingBytes -= bytes;
    return batch;
  }
}
