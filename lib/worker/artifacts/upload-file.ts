import { createHash } from "node:crypto";
import { Transform } from "node:stream";
import type { PutObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { Manifest } from "../../../events/artifacts/upload.ts";
import { withCauses } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { ArtifactFile } from "./artifact-file.ts";
import { openSource, Unreadable } from "./file-source.ts";

const MiB = 1024 ** 2;
const partsAtOnce = 2;
/** S3 allows at most 10,000 parts per upload. */
const partSize = (bytes: number): number => Math.max(8 * MiB, Math.ceil(bytes / 9_000));

export type FileUpload = {
  /** Bucket, key and encryption of the object. */
  readonly target: Omit<PutObjectCommandInput, "Body">;
  readonly file: ArtifactFile;
  readonly signal: AbortSignal;
};

/**
 * Uploads one file. Returns its entry for the manifest: size and checksum describe the bytes that were sent, even if the file changes
 * meanwhile. Throws `Unreadable` if this file can never be kept, and a FleetError (`retry`) if another try may succeed.
 */
export async function uploadFile(s3: S3Client, { target, file, signal }: FileUpload): Promise<Manifest["artifacts"][number]> {
  const source = await openSource(file);
  const hash = createHash("sha256");
  let bytes = 0;
  let unread: unknown;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      done(null, chunk);
    },
  });
  source.stream.on("error", (error) => {
    unread = error;
    meter.destroy(error);
  });
  const upload = new Upload({
    client: s3,
    params: { ...target, Body: source.stream.pipe(meter) },
    queueSize: partsAtOnce,
    partSize: partSize(source.bytes),
  });
  const abort = () => {
    upload.abort().catch(() => undefined);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) throw new FleetError("upload", "the upload was stopped", { retry: true });
    await upload.done();
  } catch (error) {
    throw unread === undefined ? troubleWith(file, error) : new Unreadable("it cannot be read", unread);
  } finally {
    signal.removeEventListener("abort", abort);
    await source.close();
  }
  const { path, escaped, mode } = file;
  return { path, bytes, sha256: hash.digest("hex"), mode, ...(escaped ? { escaped } : {}) };
}

/** Errors that S3 returns every time for such an object. */
const forGood = new Set(["KeyTooLongError", "EntityTooLarge", "InvalidURI"]);

function troubleWith({ path }: ArtifactFile, error: unknown): Error {
  if (error instanceof FleetError) return error;
  if (error instanceof Error && forGood.has(error.name)) return new Unreadable(`S3 refuses it (${error.name})`, error);
  return uploadFault(`"${path}"`, error);
}

/** Makes the FleetError for a failed upload. Its code is `upload-refused` if S3 or KMS denied access, which rarely passes on its own. */
export const uploadFault = (what: string, error: unknown): FleetError => {
  const isRefused = error instanceof Error && /^(NoSuchBucket|AccessDenied|Forbidden|KMS\b.*)$/.test(error.name);
  return new FleetError(isRefused ? "upload-refused" : "upload", `${what} could not be uploaded: ${withCauses(error)}`, {
    retry: true,
    cause: error,
  });
};
