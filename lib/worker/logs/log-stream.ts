import { type LogPiece, messageOf } from "../../../events/artifacts/log-line.ts";
import { ByteAllowance, type ByteLimits } from "../../model/byte-allowance.ts";
import type { Clock } from "../runtime/clock.ts";
import { type BatchLimits, batchLimits, bytesOf, LogBatches, type LogSink } from "./log-batches.ts";
import { Newest } from "./newest.ts";

export type LogLimits = ByteLimits &
  BatchLimits & {
    /** How many bytes may wait while the sink is slow. */
    readonly waitingBytes: number;
    /** How much of the newest output is held back while the stream is over its limits. */
    readonly newestBytes: number;
  };

const KiB = 1024;
const MiB = 1024 * KiB;

/**
 * What an attempt may send to CloudWatch Logs if its order does not say. It is limited because CloudWatch charges per byte. The whole
 * output is kept elsewhere (log-record.ts). Bytes are counted as CloudWatch does, with 26 extra per line.
 */
const liveLimits: ByteLimits = { burstBytes: 4 * MiB, bytesPerSecond: 256 * KiB, totalBytes: 512 * MiB };
export const logLimits: LogLimits = { ...liveLimits, ...batchLimits, waitingBytes: 8 * MiB, newestBytes: 256 * KiB };

/**
 * The live log of an attempt. It never makes the program wait. Over its limits, or while the sink is slow, it holds back the newest output
 * and drops older output. As soon as the limits allow it, and at the end in any case, it sends a line that says how much was left out and
 * how to read it, and then the newest output. So it shows both the beginning and the end of the output.
 */
export class LogStream {
  readonly #clock: Clock;
  readonly #limits: LogLimits;
  readonly #whole: string;
  readonly #allowance: ByteAllowance;
  readonly #batches: LogBatches;
  readonly #held: Newest<string>;
  #cancelTimer: (() => void) | undefined;
  #notedLost = 0;
  #notedTotal = false;

  /** `whole` is the command that prints the whole log. */
  constructor(
    sink: LogSink,
    clock: Clock,
    { whole, limits = logLimits }: { readonly whole: string; readonly limits?: LogLimits | undefined },
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#whole = whole;
    this.#allowance = new ByteAllowance(limits, clock.monotonicMs());
    this.#batches = new LogBatches(sink, clock, limits);
    this.#held = new Newest(limits.newestBytes);
  }

  push(piece: LogPiece): void {
    this.#noteLost();
    const message = messageOf(piece);
    if (!this.#held.isEmpty) this.#release();
    if (this.#held.isEmpty && this.#mayTake(bytesOf(message))) {
      this.#batches.add(message);
      return;
    }
    this.#held.push(message, bytesOf(message));
    this.#releaseLater();
  }

  /** Writes the lines that wait and those that are held back, for at most `withinMs`. Returns how many lines never arrived. */
  async close(withinMs: number): Promise<{ readonly lost: number }> {
    this.#cancelTimer?.();
    this.#noteLost();
    this.#letGo();
    return { lost: await this.#batches.close(withinMs) };
  }

  #mayTake(bytes: number): boolean {
    return this.#batches.waitingBytes + bytes <= this.#limits.waitingBytes && this.#allowance.take(bytes, this.#clock.monotonicMs());
  }

  /** Sends all held lines if the limits allow all of them. */
  #release(): void {
    if (this.#mayTake(this.#held.bytes)) this.#letGo();
  }

  #letGo(): void {
    const { items, bytes } = this.#held.gone;
    if (items > 0) this.#batches.add(`[fleetwright: ${amount(items, bytes)} left out here; to read the whole log: ${this.#whole}]`);
    for (const message of this.#held.takeAll()) this.#batches.add(message);
  }

  /** Waits until the limits allow a full buffer of held lines, because the buffer may fill in the meantime. */
  #releaseLater(): void {
    if (this.#cancelTimer !== undefined) return;
    const waitMs = this.#allowance.waitMs(this.#limits.newestBytes, this.#clock.monotonicMs());
    if (waitMs === undefined) {
      this.#noteTotal();
      return;
    }
    this.#cancelTimer = this.#clock.after(Math.max(waitMs, this.#limits.batchMs), () => {
      this.#cancelTimer = undefined;
      this.#release();
      if (!this.#held.isEmpty) this.#releaseLater();
    });
  }

  #noteTotal(): void {
    if (this.#notedTotal) return;
    this.#notedTotal = true;
    const most = `${Math.round(this.#limits.totalBytes / MiB)} MiB`;
    this.#batches.add(
      `[fleetwright: the live log has reached its limit of ${most} per attempt; only the newest output will be shown, when the attempt ends; to read the whole log: ${this.#whole}]`,
    );
  }

  #noteLost(): void {
    const { lost } = this.#batches;
    if (lost === this.#notedLost) return;
    const lines = lost - this.#notedLost;
    this.#notedLost = lost;
    this.#batches.add(`[fleetwright: ${amount(lines)} lost here, refused by CloudWatch Logs; to read the whole log: ${this.#whole}]`);
  }
}

function amount(lines: number, bytes?: number): string {
  const size = bytes === undefined ? "" : ` (${bytes >= MiB ? `${(bytes / MiB).toFixed(1)} MiB` : `${Math.ceil(bytes / KiB)} KiB`})`;
  return lines === 1 ? `1 line${size} was` : `${lines} lines${size} were`;
}
