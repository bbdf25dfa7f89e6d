import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import { SealedManifestFile, sealedManifestKey, sealedManifestPath } from "../../../events/artifacts/upload.ts";
import type { SealedManifest as Listed } from "../../model/artifact.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { AttemptRef } from "../../model/job.ts";
import { openObject } from "../objects/objects.ts";
import { decrypting, sealContext } from "./envelope.ts";

/** The largest list that is read into memory, far above what sealing writes. */
const maxBytes = 32 * 1024 * 1024;

/** Returns an attempt's sealed list, or undefined if there is none. Throws a FleetError if it cannot be opened or is another attempt's. */
export async function readSealedManifest(
  from: {
    readonly s3: Pick<S3Client, "send">;
    readonly kms: Pick<KMSClient, "send">;
    readonly artifactsBucket: string;
    readonly keyArn: string;
  },
  attempt: AttemptRef,
): Promise<Listed | undefined> {
  const Key = sealedManifestKey(attempt);
  // S3 denies a missing object to a caller that may not list the bucket.
  const object = await openObject(from.s3, { Bucket: from.artifactsBucket, Key }, { ifDenied: "absent" });
  if (object === undefined) return undefined;
  if (object.bytes > maxBytes) {
    object.body.destroy();
    throw notOpened(attempt, `it has ${object.bytes} bytes; at most ${maxBytes} are allowed`);
  }
  try {
    const plain = await decrypting(from.kms, from.keyArn, sealContext(attempt, sealedManifestPath));
    const manifest = SealedManifestFile.parse(JSON.parse(await pipeline(object.body, plain, (stream) => text(stream))));
    if (manifest.team === attempt.team && manifest.job === attempt.job && manifest.attempt === attempt.attempt) return manifest;
  } catch (cause) {
    object.body.destroy();
    if (cause instanceof FleetError) throw cause;
    throw notOpened(attempt, "its content is not what was sealed", cause);
  }
  throw notOpened(attempt, "it belongs to another attempt");
}

const notOpened = ({ team, job, attempt }: AttemptRef, why: string, cause?: unknown): FleetError =>
  new FleetError("not-opened", `the list of artifacts of ${team}/${job}, attempt ${attempt}, could not be opened: ${why}`, { cause });
