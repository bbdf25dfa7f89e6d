import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, type GetObjectCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import { s3Refusal, whyUnreadable } from "../../../events/s3-refusal.ts";
import type { Shard } from "../../model/dataset.ts";
import { withCauses } from "../../model/errors/in-words.ts";
import { Fault } from "../../model/fault.ts";

/** What a file has before all of it is there and was found right. */
export const partPrefix = ".part-";

export type ShardOrder = {
  readonly bucket: string;
  readonly shard: Shard;
  /** Where it goes, read-only; its folder is there. */
  readonly file: string;
  readonly signal: AbortSignal;
};

/**
 * Fetches one shard. Under its name a file appears only when it has the size and the ETag that were listed, and its bytes
 * have the checksum that S3 keeps: the MD5 that is the ETag of an object that was put in one piece without KMS, else the
 * checksum that S3 sends along, which the SDK compares. Throws a Fault; `retry`: the same again may do.
 */
export async function fetchShard(s3: Pick<S3Client, "send">, order: ShardOrder): Promise<void> {
  const { bucket, shard, file, signal } = order;
  const part = join(dirname(file), `${partPrefix}${randomUUID()}`);
  try {
    const get = new GetObjectCommand({ Bucket: bucket, Key: shard.key, IfMatch: `"${shard.etag}"`, ChecksumMode: "ENABLED" });
    const answer = await s3.send(get, { abortSignal: signal });
    if (!(answer.Body instanceof Readable)) throw new Fault("shard", `S3 sent no body for ${shard.key}`, { retry: true });
    const md5 = md5Of(shard.etag, answer);
    const meter = new Meter(shard, md5);
    await pipeline(answer.Body, meter, createWriteStream(part, { flags: "wx", mode: 0o444 }), { signal });
    await rename(part, file);
  } catch (error) {
    throw faultOf(error, order);
  } finally {
    await rm(part, { force: true });
  }
}

/** Counts and hashes what goes by; ends with a Fault when it is not what was listed. */
class Meter extends Transform {
  readonly #shard: Shard;
  readonly #md5: string | undefined;
  readonly #hash = createHash("md5");
  #bytes = 0;

  constructor(shard: Shard, md5: string | undefined) {
    super();
    this.#shard = shard;
    this.#md5 = md5;
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: Error | null, chunk?: Buffer) => void): void {
    this.#bytes += chunk.length;
    if (this.#md5 !== undefined) this.#hash.update(chunk);
    if (this.#bytes > this.#shard.bytes) done(this.#wrong(`more than its ${this.#shard.bytes} bytes`));
    else done(null, chunk);
  }

  override _flush(done: (error: Error | null) => void): void {
    const { bytes } = this.#shard;
    if (this.#bytes !== bytes) done(this.#wrong(`${this.#bytes} of its ${bytes} bytes`));
    else if (this.#md5 !== undefined && this.#hash.digest("hex") !== this.#md5) done(this.#wrong("bytes with another MD5 than S3 says"));
    else done(null);
  }

  #wrong(what: string): Fault {
    return new Fault("shard", `of the shard ${this.#shard.key}, ${what} came`, { retry: true });
  }
}

/** What the bytes' MD5 must be; undefined when the ETag is no MD5: of an object in parts, or one that KMS encrypts. */
function md5Of(etag: string, { ServerSideEncryption, SSECustomerAlgorithm }: GetObjectCommandOutput): string | undefined {
  const byKey = SSECustomerAlgorithm !== undefined || (ServerSideEncryption ?? "").startsWith("aws:kms");
  return byKey || !/^[0-9a-f]{32}$/.test(etag) ? undefined : etag;
}

function faultOf(error: unknown, { bucket, shard, signal }: ShardOrder): Fault {
  if (error instanceof Fault) return error;
  if (signal.aborted) return new Fault("stopped", "the attempt was stopped", { retry: true, cause: error });
  const name = `s3://${bucket}/${shard.key}`;
  if (isFull(error)) return new Fault("disk-full", "the node's disk is full", { cause: error });
  const refusal = s3Refusal(error);
  switch (refusal.kind) {
    case "changed":
    case "no-object":
      return new Fault(
        "shard-changed",
        `${name} has changed or gone since its dataset was listed; if nothing lists it anew, add it again`,
        {
          cause: error,
        },
      );
    case "denied":
      // S3 sends this for an object that has gone, too, because jobs may not list the bucket.
      return new Fault(
        "shard-denied",
        `${name} has gone since its dataset was listed, or a policy of its bucket keeps jobs out, or its bucket makes the requester pay`,
        { cause: error },
      );
    case "passing":
      return new Fault("shard", `${name} could not be fetched: ${withCauses(error)}`, { retry: true, cause: error });
    case "no-bucket":
    case "key-denied":
    case "key-unusable":
    case "archived":
    case "customer-key":
    case "elsewhere":
    case "refused":
      return new Fault("shard", `${name} cannot be fetched: ${whyUnreadable(refusal)}`, { cause: error });
  }
}

function isFull(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT";
}
