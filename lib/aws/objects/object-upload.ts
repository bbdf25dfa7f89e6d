import { type Duplex, PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { PutObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";

/** The usual size of a part. Two parts are uploaded at a time, and only they are held in memory. */
const partBytes = 8 * 1024 * 1024;
/** S3 allows 10,000 parts. */
const maxParts = 9_000;

/** Returns the size of the parts in which an object is uploaded. An object of at most this size is uploaded in one piece. */
export const partBytesOf = (bytes: number): number => Math.max(partBytes, Math.ceil((bytes * 1.01) / maxParts));

/**
 * Streams `source` through `stages` into an object. The object appears complete or not at all: if a stage fails, the upload
 * is aborted and that stage's error is thrown.
 */
export async function uploadObject(
  s3: S3Client,
  object: Omit<PutObjectCommandInput, "Body">,
  from: { readonly source: Readable; readonly stages: readonly Duplex[]; readonly bytes: number },
): Promise<void> {
  const body = new PassThrough();
  const upload = new Upload({
    client: s3,
    params: { ...object, Body: body },
    queueSize: 2,
    partSize: partBytesOf(from.bytes),
    leavePartsOnError: false,
  });
  const sent = upload.done().catch((error: unknown) => {
    // Nothing reads the stages any more, so they must be ended or they would wait for ever.
    body.destroy(error instanceof Error ? error : new Error("the upload failed", { cause: error }));
    throw error;
  });
  const ends = await Promise.allSettled([pipeline([from.source, ...from.stages, body]), sent]);
  const failures = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
  if (failures.length > 0) throw failures.find((failure) => !isEcho(failure)) ?? failures[0];
}

/** Returns whether an error only reports that the stream was ended because the other side had failed. */
const isEcho = (failure: unknown): boolean =>
  failure instanceof Error && (failure.name === "AbortError" || ("code" in failure && failure.code === "ERR_STREAM_PREMATURE_CLOSE"));
