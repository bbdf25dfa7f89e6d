import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip, type Gzip } from "node:zlib";

/** A complete, compressed segment of a log on this machine's disk. */
export type Spooled = {
  readonly file: string;
  readonly sha256: string;
  /** The size of the gzip file. */
  readonly fileBytes: number;
  /** The size before compression. */
  readonly bytes: number;
  /** The position in the log where it begins. */
  readonly offset: number;
};

/** Fast rather than small, because the job needs the CPU. Text shrinks to about a fifth. */
const level = constants.Z_BEST_SPEED + 1;

/** A segment that is being written. Bytes go through gzip into a file as they arrive. */
export class OpenSegment {
  readonly offset: number;
  readonly #file: string;
  readonly #gzip: Gzip;
  readonly #done: Promise<Spooled | undefined>;
  #bytes = 0;
  #fileBytes = 0;
  #failed = false;

  constructor(file: string, offset: number) {
    this.offset = offset;
    this.#file = file;
    this.#gzip = createGzip({ level });
    this.#done = this.#spool();
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The size of the file so far, without what gzip still holds. */
  get fileBytes(): number {
    return this.#fileBytes;
  }

  /** Returns a promise that resolves when more may be written, or undefined if more may be written at once. */
  write(bytes: Buffer): Promise<void> | undefined {
    this.#bytes += bytes.length;
    if (this.#failed || this.#gzip.write(bytes) || this.#gzip.writableLength < maxPendingBytes) return undefined;
    return new Promise((resolve) => {
      this.#gzip.once("drain", resolve);
      this.#gzip.once("close", resolve);
    });
  }

  /** Ends the segment. Resolves with undefined if it could not be written to the disk. */
  end(): Promise<Spooled | undefined> {
    if (!this.#failed) this.#gzip.end();
    return this.#done;
  }

  async #spool(): Promise<Spooled | undefined> {
    const hash = createHash("sha256");
    const meter = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        hash.update(chunk);
        this.#fileBytes += chunk.length;
        done(null, chunk);
      },
    });
    try {
      await mkdir(dirname(this.#file), { recursive: true });
      await pipeline(this.#gzip, meter, createWriteStream(this.#file, { mode: 0o600 }));
      const { offset } = this;
      return { file: this.#file, sha256: hash.digest("hex"), fileBytes: this.#fileBytes, bytes: this.#bytes, offset };
    } catch {
      this.#failed = true;
      this.#gzip.destroy();
      await rm(this.#file, { force: true }).catch(() => undefined);
      return undefined;
    }
  }
}

/** How much may wait for gzip before the program's output is left unread for a moment. */
const maxPendingBytes = 4 * 1024 * 1024;
