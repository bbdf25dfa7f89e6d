import { readFile, rm } from "node:fs/promises";
import type { SegmentFacts } from "../../../events/artifacts/log-segment.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { tryAgain } from "../runtime/retry.ts";
import type { Spooled } from "./spooled-segment.ts";

export type SegmentToPut = { readonly number: number; readonly gzip: Buffer; readonly facts: SegmentFacts };
/** Puts one segment where it is sealed from. Throws a Fault (`retry`) when it could not. */
export type PutSegment = (segment: SegmentToPut, signal: AbortSignal) => Promise<void>;

export type LogUploadsOptions = {
  readonly put: PutSegment;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Its name, for the worker's log. */
  readonly attempt: string;
  /** How much may wait on the disk while S3 is slow; then the oldest that waits is given up. */
  readonly spoolBytes?: number;
};

type Waiting = { readonly number: number; readonly segment: Spooled; readonly last: boolean };

const usualSpoolBytes = 512 * 1024 ** 2;
const tries = 4;
/** A segment that has used up its tries waits so long until it is tried anew; and so long when the attempt is at its end. */
const againMs = { usual: 15_000, finishing: 1_000 } as const;

/** Uploads closed segments one after the other, oldest first, and tries again for as long as the attempt is on this machine. */
export class LogUploads {
  readonly #options: LogUploadsOptions;
  readonly #waiting: Waiting[] = [];
  #next = 0;
  #lostBytes = 0;
  #working: Promise<void> | undefined;
  #stop = new AbortController();
  #finishing = false;
  #cutPause = () => {};

  constructor(options: LogUploadsOptions) {
    this.#options = options;
  }

  /** Bytes of the log that were given up, or wait still. */
  get missingBytes(): number {
    return this.#lostBytes + this.#waiting.reduce((sum, { segment }) => sum + segment.bytes, 0);
  }

  add(segment: Spooled, { last }: { readonly last: boolean }): void {
    this.#waiting.push({ number: this.#next++, segment, last });
    const most = this.#options.spoolBytes ?? usualSpoolBytes;
    // The first one may be on its way.
    while (this.#waiting.length > 2 && this.#spooledBytes() > most) void this.#giveUp(...this.#waiting.splice(1, 1));
    this.#start();
  }

  /** Waits until all that was added is uploaded, for at most `withinMs`. What is left waits for the next call. */
  async finish(withinMs: number): Promise<void> {
    this.#finishing = true;
    this.#cutPause();
    const stop = this.#stop;
    const cancel = this.#options.clock.after(withinMs, () => stop.abort());
    this.#start();
    await this.#working;
    cancel();
    this.#stop = new AbortController();
    this.#finishing = false;
  }

  #start(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    const { signal } = this.#stop;
    for (let first = this.#waiting[0]; first !== undefined && !signal.aborted; first = this.#waiting[0]) {
      if (await this.#upload(first, signal)) this.#waiting.shift();
      else await this.#pause(signal);
    }
  }

  async #upload({ number, segment, last }: Waiting, signal: AbortSignal): Promise<boolean> {
    const { put, clock, random, log, attempt } = this.#options;
    const { sha256, bytes, offset } = segment;
    try {
      const gzip = await readFile(segment.file);
      const what = { number, gzip, facts: { sha256, bytes, offset, last } };
      await tryAgain({ clock, random, signal, most: tries }, () => put(what, signal));
      await remove(segment);
      return true;
    } catch (error) {
      log("warn", "a part of a job's log could not be uploaded yet", { attempt, number }, error);
      return false;
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const cut = new AbortController();
    this.#cutPause = () => cut.abort();
    const ms = this.#finishing ? againMs.finishing : againMs.usual;
    await sleep(this.#options.clock, ms, AbortSignal.any([cut.signal, signal]));
  }

  async #giveUp(oldest?: Waiting): Promise<void> {
    if (oldest === undefined) return;
    const { log, attempt } = this.#options;
    const { number, segment } = oldest;
    this.#lostBytes += segment.bytes;
    log("error", "a part of a job's log was lost, for too much waits to be uploaded", { attempt, number, bytes: segment.bytes });
    await remove(segment);
  }

  #spooledBytes(): number {
    return this.#waiting.reduce((sum, { segment }) => sum + segment.fileBytes, 0);
  }
}

/** The attempt's folder is removed at its end in any case. */
const remove = ({ file }: Spooled): Promise<void> => rm(file, { force: true }).catch(() => undefined);
