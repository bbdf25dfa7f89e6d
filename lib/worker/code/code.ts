import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { s3Refusal, whyUnreadable } from "../../../events/s3-refusal.ts";
import { withCauses } from "../../model/errors/in-words.ts";
import type { ArchiveLimits } from "../../model/files/archive-entry.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { User } from "../program/user.ts";
import { type Tries, tryAgain } from "../runtime/retry.ts";
import { unpack } from "./archive.ts";

export type CodeOrder = {
  readonly code: { readonly s3: string; readonly sha256?: string | undefined };
  /** The path of the archive until it is unpacked. */
  readonly archive: string;
  /** The folder that it is unpacked into. */
  readonly folder: string;
  readonly owner?: User | undefined;
  readonly limits: ArchiveLimits;
};

/** Fetches a job's code and unpacks it. Throws a FleetError whose message is meant for the team, with `retry` if another try may succeed. */
export async function fetchCode(s3: Pick<S3Client, "send">, order: CodeOrder, tries: Tries): Promise<void> {
  try {
    await tryAgain(tries, () => download(s3, order, tries.signal));
    await unpack(order.archive, { folder: order.folder, limits: order.limits, owner: order.owner, signal: tries.signal });
  } finally {
    await rm(order.archive, { force: true });
  }
}

async function download(s3: Pick<S3Client, "send">, order: CodeOrder, signal: AbortSignal): Promise<void> {
  const { code, limits } = order;
  const { bucket, key } = location(code.s3);
  const tooLarge = new FleetError("code", `the code archive ${code.s3} is larger than ${limits.packedBytes} bytes`);
  const hash = createHash("sha256");
  let bytes = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      done(bytes > limits.packedBytes ? tooLarge : null, chunk);
    },
  });
  try {
    const response = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
    if (!(response.Body instanceof Readable)) throw new FleetError("code", `S3 returned no body for ${code.s3}`, { retry: true });
    if ((response.ContentLength ?? 0) > limits.packedBytes) {
      response.Body.destroy();
      throw tooLarge;
    }
    await pipeline(response.Body, meter, createWriteStream(order.archive, { mode: 0o600 }), { signal });
  } catch (error) {
    throw error instanceof FleetError ? error : faultOf(error, code.s3);
  }
  const sha256 = hash.digest("hex");
  if (code.sha256 !== undefined && code.sha256 !== sha256) {
    throw new FleetError("code", `the code archive ${code.s3} has the SHA-256 ${sha256}, but the job expects ${code.sha256}`);
  }
}

function location(s3: string): { bucket: string; key: string } {
  const parts = /^s3:\/\/([^/]+)\/(.+)$/.exec(s3);
  if (!parts?.[1] || !parts[2]) throw new FleetError("code", `"${s3}" is not an address like s3://bucket/key.tar.gz`);
  return { bucket: parts[1], key: parts[2] };
}

function faultOf(error: unknown, s3: string): FleetError {
  const refusal = s3Refusal(error);
  switch (refusal.kind) {
    case "no-bucket":
      return new FleetError("code", `there is no bucket for the code archive ${s3}`, { cause: error });
    case "no-object":
      return new FleetError("code", `there is no code archive at ${s3}`, { cause: error });
    case "denied":
      return new FleetError("code", `access to the code archive ${s3} was denied: it does not exist, or this team's jobs may not read it`, {
        cause: error,
      });
    case "passing":
      return new FleetError("code", `the code archive ${s3} could not be fetched: ${withCauses(error)}`, { retry: true, cause: error });
    case "changed":
    case "key-denied":
    case "key-unusable":
    case "archived":
    case "customer-key":
    case "elsewhere":
    case "refused":
      return new FleetError("code", `the code archive ${s3} cannot be fetched: ${whyUnreadable(refusal)}`, { cause: error });
  }
}
