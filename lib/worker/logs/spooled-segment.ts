import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip, type Gzip } from "node:zlib";

/** A segment of a log that lies whole on this machine's disk, compressed. */
export type Spooled = {
  readonly file: string;
  readonly sha256: string;
  /** Of the gzip file. */
  readonly fileBytes: number;
  /** Of the log. */
  readonly bytes: number;
  /** Where in the log it begins. */
  readonly offset: number;
};

/** Fast rather than small: the job's own work comes first. Text shrinks to a fifth or so. */
const level = constants.Z_BEST_SPEED + 1;

/** A segment that is being written: bytes go through gzip into a file as they come. */
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

  /** So far; what gzip still holds comes on top. */
  get fileBytes(): number {
    return this.#fileBytes;
  }

  /** Resolves when more may come; undefined when it may come at once. */
  write(bytes: Buffer): Promise<void> | undefined {
    this.#bytes += bytes.length;
    if (this.#failed || this.#gzip.write(bytes) || this.#gzip.writableLength < mostPendingBytes) return undefined;
    return new Promise((resolve) => {
      this.#gzip.once("drain", resolve);
      this.#gzip.once("close", resolve);
    });
  }

  /** Resolves with undefined when the disk did not take it. */
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

/** What may wait for gzip before the program's output is left unread for a moment. */
const mostPendingBytes = 4 * 1024 * 1024;
