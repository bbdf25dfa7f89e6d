import type { Clock } from "./clock.ts";

export type LogEvent = { readonly timestamp: number; readonly message: string };

/** Where batches go. `put` has its own time-out and bounded retries; it rejects when it gave up. */
export type LogSink = { put(events: readonly LogEvent[]): Promise<void>; close(): void };

export type LogLimits = {
  readonly batchLines: number;
  readonly batchBytes: number;
  /** The longest a line waits for others. */
  readonly batchMs: number;
  readonly linesPerSecond: number;
  /** Lines that may wait while the sink is slow. */
  readonly waitingLines: number;
};

export const logLimits: LogLimits = {
  batchLines: 1_000,
  batchBytes: 256 * 1024,
  batchMs: 1_000,
  linesPerSecond: 500,
  waitingLines: 10_000,
};

/** What CloudWatch Logs adds to each event when it counts a batch's bytes. */
const overheadBytes = 26;

/**
 * One attempt's log. It takes lines without ever making the program wait: beyond the rate, or while the sink is slow,
 * lines are dropped and a line says how many. A batch that cannot be written is counted as lost; the job goes on.
 */
export class LogStream {
  readonly #sink: LogSink;
  readonly #clock: Clock;
  readonly #limits: LogLimits;
  #waiting: LogEvent[] = [];
  #second = { number: 0, lines: 0 };
  #dropped = 0;
  /** Lines in the batch under way. */
  #writing = 0;
  #lost = 0;
  #saidLost = 0;
  #flushing: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(sink: LogSink, clock: Clock, limits: LogLimits = logLimits) {
    this.#sink = sink;
    this.#clock = clock;
    this.#limits = limits;
  }

  push(message: string): void {
    const second = Math.floor(this.#clock.monotonicMs() / 1000);
    if (second !== this.#second.number) {
      this.#noteDropped();
      this.#second = { number: second, lines: 0 };
    }
    if (this.#second.lines >= this.#limits.linesPerSecond || this.#waiting.length >= this.#limits.waitingLines) {
      this.#dropped++;
      return;
    }
    this.#second.lines++;
    this.#add(message);
    if (this.#waiting.length >= this.#limits.batchLines) this.#flush();
    else this.#cancelTimer ??= this.#clock.after(this.#limits.batchMs, () => this.#flush());
  }

  /** Writes what waits, for at most `withinMs`, and answers how many lines never arrived. */
  async close(withinMs: number): Promise<{ readonly lost: number }> {
    this.#noteDropped();
    this.#flush();
    let cancel = () => {};
    const tooLate = new Promise<void>((resolve) => {
      cancel = this.#clock.after(withinMs, resolve);
    });
    await Promise.race([this.#flushing, tooLate]);
    cancel();
    this.#cancelTimer?.();
    this.#sink.close();
    return { lost: this.#lost + this.#writing + this.#waiting.length };
  }

  #noteDropped(): void {
    if (this.#dropped === 0) return;
    this.#add(`[fleetwright: ${this.#dropped} lines were left out: more than ${this.#limits.linesPerSecond} a second]`);
    this.#dropped = 0;
  }

  /** CloudWatch Logs takes no empty message. */
  #add(message: string): void {
    this.#waiting.push({ timestamp: this.#clock.wallMs(), message: message === "" ? " " : message });
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
        await this.#sink.put(batch);
        this.#noteLost();
      } catch {
        // The sink has tried again already. It is counted, and said as soon as writing works again.
        this.#lost += batch.length;
      }
      this.#writing = 0;
    }
  }

  #noteLost(): void {
    if (this.#lost === this.#saidLost) return;
    this.#add(`[fleetwright: ${this.#lost - this.#saidLost} lines were lost: the log could not be written]`);
    this.#saidLost = this.#lost;
  }

  #nextBatch(): readonly LogEvent[] {
    let bytes = 0;
    let count = 0;
    for (const event of this.#waiting) {
      bytes += Buffer.byteLength(event.message) + overheadBytes;
      if (count > 0 && (bytes > this.#limits.batchBytes || count >= this.#limits.batchLines)) break;
      count++;
    }
    const batch = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return batch;
  }
}
