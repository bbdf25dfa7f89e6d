import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../runtime/clock.ts";
import type { LogUploads } from "./log-uploads.ts";
import { OpenSegment, type Spooled } from "./spooled-segment.ts";

export type RecordLimits = {
  /** A segment is closed this long after its first byte or at this size, so that the uploaded log is at most a minute behind. */
  readonly segmentMs: number;
  readonly segmentFileBytes: number;
  /** The largest segment before compression. It bounds segments that compress very well. */
  readonly segmentBytes: number;
  /** The beginning of the log up to this size is kept whole. */
  readonly wholeBytes: number;
  /** At least this much of the end is kept of a longer log. */
  readonly endBytes: number;
};

const MiB = 1024 ** 2;
export const recordLimits: RecordLimits = {
  segmentMs: 40_000,
  segmentFileBytes: 8 * MiB,
  segmentBytes: 64 * MiB,
  wholeBytes: 5 * 1024 * MiB,
  endBytes: 64 * MiB,
};

export type LogRecordOptions = {
  /** The folder that holds segments until they are uploaded. It is made for the first byte. */
  readonly folder: string;
  readonly uploads: Pick<LogUploads, "add" | "finish">;
  readonly clock: Clock;
  readonly limits?: RecordLimits;
  /** How much an earlier process of the worker has written; undefined for a new log. */
  readonly from?: RecordPosition | undefined;
};

type RecordPosition = { readonly bytes: number; readonly files: number };

/**
 * Keeps the whole output of one attempt, byte for byte. The output is compressed as it arrives and cut into segments, and each segment is
 * uploaded as soon as it is closed. A log that is longer than 5 GiB keeps its beginning and its end, and says how much is missing between
 * them. After the first 5 GiB, segments stay on the disk, the oldest are removed as more arrive, and the rest is uploaded when the attempt
 * ends. They must not be uploaded earlier, because an upload cannot be taken back and a job that never stops writing would fill the bucket.
 */
export class LogRecord {
  readonly #options: LogRecordOptions;
  readonly #limits: RecordLimits;
  #open: OpenSegment | undefined;
  #cancelTimer = () => {};
  /** Resolves when all closed segments are on the disk, in order. */
  #closing: Promise<void> = Promise.resolve();
  #files = 0;
  #bytes = 0;
  #finishedBytes = 0;
  #endsInLine = false;
  /** Bytes that could not be written to the disk and that the log does not mention yet. */
  #unnotedBytes = 0;
  #end: Spooled[] = [];
  #goneBytes = 0;

  constructor(options: LogRecordOptions) {
    this.#options = options;
    this.#limits = options.limits ?? recordLimits;
    const { bytes = 0, files = 0 } = options.from ?? {};
    this.#bytes = bytes;
    this.#finishedBytes = bytes;
    this.#files = files;
  }

  get position(): RecordPosition {
    return { bytes: this.#bytes, files: this.#files };
  }

  /** Returns a promise that resolves when more may be written, or undefined if more may be written at once. */
  write(bytes: Buffer): Promise<void> | undefined {
    if (bytes.length === 0) return undefined;
    const segment = this.#segment();
    this.#bytes += bytes.length;
    this.#endsInLine = bytes.at(-1) !== 0x0a;
    const room = segment.write(bytes);
    const { segmentFileBytes, segmentBytes, endBytes } = this.#limits;
    const most = this.#isAtEnd(segment) ? Math.min(segmentBytes, endBytes / 8) : segmentBytes;
    if (segment.bytes >= most || segment.fileBytes >= segmentFileBytes) this.#close();
    return room;
  }

  /** Writes a line of Fleetwright's own. */
  note(line: string): void {
    void this.write(Buffer.from(`${this.#endsInLine ? "\n" : ""}${line}\n`));
  }

  /** Closes the log, so that all of it waits on the disk or is uploaded. If more is written afterwards, it must be called again. */
  async close(): Promise<void> {
    if (this.#bytes !== this.#finishedBytes) await this.#addLast();
  }

  /**
   * Closes the open segment and uploads all segments, for at most `withinMs`. If more is written afterwards, it must be called again.
   */
  async finish(withinMs: number): Promise<void> {
    await this.close();
    await this.#options.uploads.finish(withinMs);
  }

  /** Adds the last segment, even if it is empty, because its mark shows a reader that nothing is missing after it. */
  async #addLast(): Promise<void> {
    const { uploads } = this.#options;
    const last = this.#segment();
    this.#cancelTimer();
    this.#open = undefined;
    this.#finishedBytes = this.#bytes;
    const spooled = await last.end();
    await this.#closing;
    if (this.#goneBytes > 0) await this.#addGap();
    for (const segment of this.#end.splice(0)) uploads.add(segment, { last: false });
    if (spooled !== undefined) uploads.add(spooled, { last: true });
  }

  async #addGap(): Promise<void> {
    const gap = new OpenSegment(this.#nextFile(), this.#bytes);
    const { wholeBytes, endBytes } = this.#limits;
    const limits = `the first ${wholeBytes} bytes and the last ${endBytes} bytes of a log are kept`;
    void gap.write(Buffer.from(`\n[fleetwright: ${this.#goneBytes} bytes were left out here: ${limits}]\n`));
    this.#goneBytes = 0;
    const spooled = await gap.end();
    if (spooled !== undefined) this.#options.uploads.add(spooled, { last: false });
  }

  #isAtEnd(segment: OpenSegment): boolean {
    return segment.offset >= this.#limits.wholeBytes;
  }

  #segment(): OpenSegment {
    if (this.#open !== undefined) return this.#open;
    this.#open = new OpenSegment(this.#nextFile(), this.#bytes);
    this.#cancelTimer = this.#options.clock.after(this.#limits.segmentMs, () => this.#close());
    const lost = this.#unnotedBytes;
    this.#unnotedBytes = 0;
    if (lost > 0) this.note(`[fleetwright: ${lost} bytes were lost here because they could not be written to the node's disk]`);
    return this.#open;
  }

  #nextFile(): string {
    return join(this.#options.folder, `${this.#files++}.gz`);
  }

  #close(): void {
    this.#cancelTimer();
    const segment = this.#open;
    if (segment === undefined) return;
    this.#open = undefined;
    const spooled = segment.end();
    this.#closing = this.#closing.then(async () => this.#keep(segment, await spooled));
  }

  #keep(segment: OpenSegment, spooled: Spooled | undefined): void {
    if (spooled === undefined) this.#unnotedBytes += segment.bytes;
    else if (this.#isAtEnd(segment)) this.#keepAtEnd(spooled);
    else this.#options.uploads.add(spooled, { last: false });
  }

  #keepAtEnd(segment: Spooled): void {
    this.#end.push(segment);
    let bytes = this.#end.reduce((sum, each) => sum + each.bytes, 0);
    for (let oldest = this.#end[0]; oldest !== undefined && bytes - oldest.bytes >= this.#limits.endBytes; oldest = this.#end[0]) {
      this.#end.shift();
      bytes -= oldest.bytes;
      this.#goneBytes += oldest.bytes;
      void rm(oldest.file, { force: true }).catch(() => undefined);
    }
  }
}
