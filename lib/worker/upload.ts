import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Transform } from "node:stream";
import { PutObjectCommand, type PutObjectCommandInput, type S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { fileKey, type Manifest, manifestKey } from "../../events/upload.ts";
import { Fault } from "../model/fault.ts";
import type { AttemptRef } from "../model/job.ts";
import type { ArtifactFile } from "./artifacts.ts";
import { describe } from "./log.ts";
import { type Tries, tryAgain } from "./retry.ts";

export type UploadOrder = {
  readonly attempt: AttemptRef;
  readonly files: readonly ArtifactFile[];
  readonly bucket: string;
  /** Encrypts at rest. */
  readonly kmsKey: string;
};

const MiB = 1024 ** 2;
const filesAtOnce = 4;
const partsAtOnce = 2;
/** S3 takes 10,000 parts. */
const partSize = (bytes: number): number => Math.max(8 * MiB, Math.ceil(bytes / 9_000));

/**
 * Puts the files and, last, the manifest into the incoming bucket. Doing it again after a part was lost is safe: the
 * same keys are written again. Throws a Fault (`retry`) once its tries are used up.
 */
export async function uploadArtifacts(s3: S3Client, order: UploadOrder, tries: Tries): Promise<void> {
  const { attempt, files, bucket, kmsKey } = order;
  const encryption = { Bucket: bucket, ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKey } as const;
  const artifacts: Manifest["artifacts"] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < files.length; index = next++) {
      const file = files[index];
      if (file === undefined) return;
      const target = { ...encryption, Key: fileKey(attempt, file.path) };
      try {
        artifacts[index] = await tryAgain(tries, () => uploadFile(s3, { target, file, signal: tries.signal }));
      } catch (error) {
        // The upload has failed as a whole: the others begin no further file.
        next = files.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: filesAtOnce }, worker));
  const manifest: Manifest = {
    version: 2,
    team: attempt.team,
    job: attempt.job,
    attempt: attempt.attempt,
    artifacts,
    leftOut: [],
    missing: [],
  };
  await tryAgain(tries, async () => {
    try {
      const Body = JSON.stringify(manifest);
      const put = { ...encryption, Key: manifestKey(attempt), Body, ContentType: "application/json" };
      await s3.send(new PutObjectCommand(put), { abortSignal: tries.signal });
    } catch (error) {
      throw uploadFault("the list of artifacts", error);
    }
  });
}

const uploadFault = (what: string, error: unknown): Fault =>
  new Fault("upload", `${what} could not be uploaded: ${describe(error)}`, { retry: true, cause: error });

async function uploadFile(
  s3: S3Client,
  what: { target: Omit<PutObjectCommandInput, "Body">; file: ArtifactFile; signal: AbortSignal },
): Promise<Manifest["artifacts"][number]> {
  const { target, file, signal } = what;
  const hash = createHash("sha256");
  let bytes = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const source = createReadStream(file.file, { highWaterMark: MiB });
  source.on("error", (error) => meter.destroy(error));
  const upload = new Upload({
    client: s3,
    params: { ...target, Body: source.pipe(meter) },
    queueSize: partsAtOnce,
    partSize: partSize(file.bytes),
  });
  const abort = () => {
    upload.abort().catch(() => undefined);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) throw new Fault("upload", "the upload was stopped");
    await upload.done();
  } catch (error) {
    throw error instanceof Fault ? error : uploadFault(`"${file.path}"`, error);
  } finally {
    signal.removeEventListener("abort", abort);
    source.destroy();
  }
  return { path: file.path, bytes, sha256: hash.digest("hex"), mode: 0o644 };
}
