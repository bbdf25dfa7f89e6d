import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Shard } from "../../../lib/model/dataset.ts";

type Stored = { readonly body: Buffer; readonly etag: string; readonly encryption?: string };

export const md5 = (bytes: Buffer | string): string => createHash("md5").update(bytes).digest("hex");
export const s3Error = (name: string, status: number): Error =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });

/** As much of an S3 as fetching needs, in memory. */
export class MemoryS3 implements Pick<S3Client, "send"> {
  readonly objects = new Map<string, Stored>();
  /** Keys that were asked for, in order. */
  readonly asked: string[] = [];
  /** Happens before a key is answered; what it throws is the answer. */
  before: (key: string) => unknown = () => undefined;
  /** What is sent instead of the bytes. */
  spoil: (body: Buffer, key: string) => Buffer = (body) => body;
  /** Downloads under way at once, at most. */
  busiest = 0;
  #busy = 0;

  put(key: string, body: Buffer | string, over: Partial<Stored> = {}): Shard {
    const bytes = Buffer.from(body);
    const stored = { body: bytes, etag: md5(bytes), ...over };
    this.objects.set(key, stored);
    return { key, bytes: bytes.length, etag: stored.etag };
  }

  /** Puts a list of shards where an order names it. */
  putList(key: string, shards: readonly Shard[], over: object = {}): void {
    const source = { bucket: "data", prefix: "vision/mnist/" };
    const list = { format: 1, team: "vision", dataset: "mnist", source, listing: 1, shards, ...over };
    this.put(key, gzipSync(JSON.stringify(list)));
  }

  async send(command: unknown) {
    if (!(command instanceof GetObjectCommand)) throw new Error("only gets here");
    const { Key: key = "", IfMatch } = command.input;
    this.asked.push(key);
    this.#busy += 1;
    this.busiest = Math.max(this.busiest, this.#busy);
    try {
      await this.before(key);
      await new Promise((resolve) => setImmediate(resolve));
      const stored = this.objects.get(key);
      if (!stored) throw s3Error("NoSuchKey", 404);
      if (IfMatch !== undefined && IfMatch !== `"${stored.etag}"`) throw s3Error("PreconditionFailed", 412);
      const body = this.spoil(stored.body, key);
      return { Body: Readable.from([body]), ContentLength: body.length, ServerSideEncryption: stored.encryption };
    } finally {
      this.#busy -= 1;
    }
  }
}
