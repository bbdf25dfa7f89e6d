import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Shard } from "../../../lib/model/dataset.ts";

type Stored = { readonly body: Buffer; readonly etag: string; readonly encryption?: string };

export const md5 = (bytes: Buffer | string): string => createHash("md5").update(bytes).digest("hex");
export const s3Error = (name: string, status: number): Error =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });

/** The parts of S3 that fetching needs, in memory. */
export class MemoryS3 implements Pick<S3Client, "send"> {
  readonly objects = new Map<string, Stored>();
  /** The keys that were requested, in order. */
  readonly requested: string[] = [];
  /** Is called before each response. If it throws, the request fails with that error. */
  before: (key: string) => unknown = () => undefined;
  /** Bytes that are sent instead of the object's own. */
  spoil: (body: Buffer, key: string) => Buffer = (body) => body;
  /** Whether responses have no body. */
  bodiless = false;
  /** The greatest number of simultaneous downloads so far. */
  busiest = 0;
  #busy = 0;

  put(key: string, body: Buffer | string, over: Partial<Stored> = {}): Shard {
    const bytes = Buffer.from(body);
    const stored = { body: bytes, etag: md5(bytes), ...over };
    this.objects.set(key, stored);
    return { key, bytes: bytes.length, etag: stored.etag };
  }

  /** Puts a list of shards under the key that an order names. */
  putList(key: string, shards: readonly Shard[], over: object = {}): void {
    const source = { bucket: "data", prefix: "vision/mnist/" };
    const list = { format: 1, team: "vision", dataset: "mnist", source, listing: 1, shards, ...over };
    this.put(key, gzipSync(JSON.stringify(list)));
  }

  async send(command: unknown) {
    if (!(command instanceof GetObjectCommand)) throw new Error("only gets here");
    const { Key: key = "", IfMatch, ChecksumMode } = command.input;
    this.requested.push(key);
    this.#busy += 1;
    this.busiest = Math.max(this.busiest, this.#busy);
    try {
      await this.before(key);
      await new Promise((resolve) => setImmediate(resolve));
      const stored = this.objects.get(key);
      if (!stored) throw s3Error("NoSuchKey", 404);
      if (IfMatch !== undefined && IfMatch !== `"${stored.etag}"`) throw s3Error("PreconditionFailed", 412);
      const body = this.spoil(stored.body, key);
      // Without it, the SDK would not compare the checksum that S3 keeps.
      if (IfMatch !== undefined && ChecksumMode !== "ENABLED") throw s3Error("NoChecksum", 400);
      return {
        Body: this.bodiless ? undefined : Readable.from([body]),
        ContentLength: body.length,
        ServerSideEncryption: stored.encryption,
      };
    } finally {
      this.#busy -= 1;
    }
  }
}
