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
import { FleetError } from "../../model/fleet-error.ts";

/** The prefix of a file's name until it is complete and verified. */
export const partPrefix = ".part-";

export type ShardOrder = {
  readonly bucket: string;
  readonly shard: Shard;
  /** The path of the read-only file. Its folder must exist. */
  readonly file: string;
  readonly signal: AbortSignal;
};

/**
 * Fetches one shard. The file gets its name only if it has the listed size and ETag and its bytes match S3's checksum. That is the ETag,
 * which is the MD5 of an object that was put in one piece without KMS. For other objects the SDK compares the checksum that S3 sends.
 * Throws a FleetError, with `retry` if the same request may succeed later.
 */
export async function fetchShard(s3: Pick<S3Client, "send">, order: ShardOrder): Promise<void> {
  const { bucket, shard, file, signal } = order;
  const part = join(dirname(file), `${partPrefix}${randomUUID()}`);
  try {
    const get = new GetObjectCommand({ Bucket: bucket, Key: shard.key, IfMatch: `"${shard.etag}"`, ChecksumMode: "ENABLED" });
    const response = await s3.send(get, { abortSignal: signal });
    if (!(response.Body instanceof Readable)) throw new FleetError("shard", `S3 returned no body for ${shard.key}`, { retry: true });
    const md5 = md5Of(shard.etag, response);
    const meter = new Meter(shard, md5);
    await pipeline(response.Body, meter, createWriteStream(part, { flags: "wx", mode: 0o444 }), { signal });
    await rename(part, file);
  } catch (error) {
    throw faultOf(error, order);
  } finally {
    await rm(part, { force: true });
  }
}

/** Counts and hashes the bytes of a shard. Fails with a FleetError if they are not what was listed. */
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
    if (this.#bytes > this.#shard.bytes) done(this.#wrong(`it has more than the ${this.#shard.bytes} bytes that were listed`));
    else done(null, chunk);
  }

  override _flush(done: (error: Error | null) => void): void {
    const { bytes } = this.#shard;
    if (this.#bytes !== bytes) done(this.#wrong(`only ${this.#bytes} of its ${bytes} bytes arrived`));
    else if (this.#md5 !== undefined && this.#hash.digest("hex") !== this.#md5)
      done(this.#wrong("its bytes have another MD5 than S3 reports"));
    else done(null);
  }

  #wrong(what: string): FleetError {
    return new FleetError("shard", `the shard ${this.#shard.key} could not be fetched: ${what}`, { retry: true });
  }
}

/** Returns the MD5 that the bytes must have, or undefined if the ETag is not an MD5: the object has parts or is encrypted with KMS. */
function md5Of(etag: string, { ServerSideEncryption, SSECustomerAlgorithm }: GetObjectCommandOutput): string | undefined {
  const byKey = SSECustomerAlgorithm !== undefined || (ServerSideEncryption ?? "").startsWith("aws:kms");
  return byKey || !/^[0-9a-f]{32}$/.test(etag) ? undefined : etag;
}

function faultOf(error: unknown, { bucket, shard, signal }: ShardOrder): FleetError {
  if (error instanceof FleetError) return error;
  if (signal.aborted) return new FleetError("stopped", "the attempt was stopped", { retry: true, cause: error });
  const name = `s3://${bucket}/${shard.key}`;
  if (isFull(error)) return new FleetError("disk-full", "the node's disk is full", { cause: error });
  const refusal = s3Refusal(error);
  switch (refusal.kind) {
    case "changed":
    case "no-object":
      return new FleetError(
        "shard-changed",
        `${name} was changed or removed after its dataset was listed; if the dataset is not listed again by itself, add it again`,
        {
          cause: error,
        },
      );
    case "denied":
      // S3 also returns this if the object does not exist, because jobs may not list the bucket.
      return new FleetError(
        "shard-denied",
        `${name} was removed after its dataset was listed, or its bucket's policy denies access to jobs, or its bucket makes the requester pay`,
        { cause: error },
      );
    case "passing":
      return new FleetError("shard", `${name} could not be fetched: ${withCauses(error)}`, { retry: true, cause: error });
    case "no-bucket":
    case "key-denied":
    case "key-unusable":
    case "archived":
    case "customer-key":
    case "elsewhere":
    case "refused":
      return new FleetError("shard", `${name} cannot be fetched: ${whyUnreadable(refusal)}`, { cause: error });
  }
}

function isFull(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT";
}
