import { readFile, rm } from "node:fs/promises";
import type { SegmentFacts } from "../../../events/artifacts/log-segment.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import type { WorkerLog } from "../runtime/log.ts";
import { tryAgain } from "../runtime/retry.ts";
import type { Spooled } from "./spooled-segment.ts";

export type SegmentToPut = { readonly number: number; readonly gzip: Buffer; readonly facts: SegmentFacts };
/** Puts one segment into the bucket from which it is sealed. Throws a FleetError (`retry`) if it fails. */
export type PutSegment = (segment: SegmentToPut, signal: AbortSignal) => Promise<void>;

export type LogUploadsOptions = {
  readonly put: PutSegment;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: WorkerLog;
  /** The attempt's name, for the worker's log. */
  readonly attempt: string;
  /** How much may wait on the disk while S3 is slow. If more waits, the oldest segment is given up. */
  readonly spoolBytes?: number;
  /** What an earlier process of the worker left; undefined for a new log. */
  readonly from?: { readonly next: number; readonly waiting: readonly WaitingSegment[] } | undefined;
};

/** A segment that is not uploaded yet. `number`: its place among the attempt's segments. */
export type WaitingSegment = { readonly number: number; readonly segment: Spooled; readonly last: boolean };

const usualSpoolBytes = 512 * 1024 ** 2;
const tries = 4;
/** How long a segment waits after it has used up its tries: usually, and when the attempt is ending. */
const againMs = { usual: 15_000, finishing: 1_000 } as const;

/** Uploads closed segments one at a time, oldest first. It retries for as long as the attempt is on this machine. */
export class LogUploads {
  readonly #options: LogUploadsOptions;
  readonly #waiting: WaitingSegment[] = [];
  #next = 0;
  #lostBytes = 0;
  #working: Promise<void> | undefined;
  #stop = new AbortController();
  #finishing = false;
  #cutPause = () => {};

  constructor(options: LogUploadsOptions) {
    this.#options = options;
    this.#next = options.from?.next ?? 0;
    this.#waiting.push(...(options.from?.waiting ?? []));
  }

  /** The number of the next segment. */
  get next(): number {
    return this.#next;
  }

  /** How many bytes of the log were given up or still wait. */
  get missingBytes(): number {
    return this.#lostBytes + this.#waiting.reduce((sum, { segment }) => sum + segment.bytes, 0);
  }

  /** The segments that still wait, oldest first. */
  get waiting(): readonly WaitingSegment[] {
    return [...this.#waiting];
  }

  add(segment: Spooled, { last }: { readonly last: boolean }): void {
    this.#waiting.push({ number: this.#next++, segment, last });
    const most = this.#options.spoolBytes ?? usualSpoolBytes;
    // The first segment is never given up here, because its upload may be in progress.
    while (this.#waiting.length > 2 && this.#spooledBytes() > most) void this.#giveUp(...this.#waiting.splice(1, 1));
    this.#start();
  }

  /** Waits until all segments are uploaded, for at most `withinMs`. Segments that are left wait for the next call. */
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

  async #upload({ number, segment, last }: WaitingSegment, signal: AbortSignal): Promise<boolean> {
    const { put, clock, random, log, attempt } = this.#options;
    const { sha256, bytes, offset } = segment;
    try {
      const gzip = await readFile(segment.file);
      const what = { number, gzip, facts: { sha256, bytes, offset, last } };
      await tryAgain({ clock, random, signal, most: tries }, () => put(what, signal));
      await remove(segment);
      return true;
    } catch (error) {
      log("warn", "log segment not uploaded yet", { attempt, number }, error);
      return false;
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const cut = new AbortController();
    this.#cutPause = () => cut.abort();
    const ms = this.#finishing ? againMs.finishing : againMs.usual;
    await sleep(this.#options.clock, ms, AbortSignal.any([cut.signal, signal]));
  }

  async #giveUp(oldest?: WaitingSegment): Promise<void> {
    if (oldest === undefined) return;
    const { log, attempt } = this.#options;
    const { number, segment } = oldest;
    this.#lostBytes += segment.bytes;
    const because = "too many bytes wait to be uploaded";
    log("error", "log segment lost", { attempt, number, bytes: segment.bytes, because });
    await remove(segment);
  }

  #spooledBytes(): number {
    return this.#waiting.reduce((sum, { segment }) => sum + segment.fileBytes, 0);
  }
}

/** Removes a segment's file. Errors are ignored, because the attempt's whole folder is removed at its end. */
const remove = ({ file }: Spooled): Promise<void> => rm(file, { force: true }).catch(() => undefined);
