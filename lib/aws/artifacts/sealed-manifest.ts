import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import { SealedManifest, sealedManifestKey, sealedManifestPath } from "../../../events/artifacts/upload.ts";
import type { SealedManifest as Listed } from "../../model/artifact.ts";
import { Fault } from "../../model/fault.ts";
import type { AttemptRef } from "../../model/job.ts";
import { openObject } from "../objects/objects.ts";
import { decrypting, sealContext } from "./envelope.ts";

/** A list is read into memory; this is far above what sealing writes. */
const mostBytes = 32 * 1024 * 1024;

/** An attempt's sealed list; undefined when there is none. Throws a Fault for one that does not open, or is another's. */
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
  // Who may not list the bucket is refused what is not there.
  const object = await openObject(from.s3, { Bucket: from.artifactsBucket, Key }, { ifDenied: "absent" });
  if (object === undefined) return undefined;
  if (object.bytes > mostBytes) {
    object.body.destroy();
    throw notOpened(attempt, `it has ${object.bytes} bytes; ${mostBytes} are the most`);
  }
  try {
    const plain = decrypting(from.kms, from.keyArn, sealContext(attempt, sealedManifestPath));
    const manifest = SealedManifest.parse(JSON.parse(await pipeline(object.body, plain, (stream) => text(stream))));
    if (manifest.team === attempt.team && manifest.job === attempt.job && manifest.attempt === attempt.attempt) return manifest;
  } catch (cause) {
    object.body.destroy();
    if (cause instanceof Fault) throw cause;
    throw notOpened(attempt, "it is not what was sealed", cause);
  }
  throw notOpened(attempt, "it is another attempt's");
}

const notOpened = ({ team, job, attempt }: AttemptRef, why: string, cause?: unknown): Fault =>
  new Fault("not-opened", `the list of what was kept of ${team}/${job}, attempt ${attempt}, could not be opened: ${why}`, { cause });
