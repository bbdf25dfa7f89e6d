import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import pMap from "p-map";
import { fileKey, type Manifest, manifestKey } from "../../../events/artifacts/upload.ts";
import { inWords, withCauses } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { AttemptRef } from "../../model/job.ts";
import { type Tries, tryAgain } from "../runtime/retry.ts";
import type { ArtifactFile } from "./artifact-file.ts";
import { type Collected, whyFailed } from "./artifacts.ts";
import { Unreadable } from "./file-source.ts";
import { uploadFault, uploadFile } from "./upload-file.ts";

export type UploadOrder = {
  readonly attempt: AttemptRef;
  readonly collected: Collected;
  readonly bucket: string;
  /** The key that encrypts the objects at rest. */
  readonly kmsKey: string;
  /**
   * Whether only the whole upload counts, because it can be repeated later: if files are missing, no manifest is uploaded. A manifest of a part
   * is sealed at once, and no later one replaces it.
   */
  readonly whole?: boolean;
};

const filesAtOnce = 4;
/** Time for the manifest of an upload that was stopped, because the instance may be about to end. */
const lastListMs = 8_000;
const longestReason = 500;

/** A file, and its entry in the manifest: what was sent of it. */
export type SentFile = { readonly file: ArtifactFile; readonly artifact: Manifest["artifacts"][number] };

/**
 * Puts the files and then the manifest into the incoming bucket. A file that cannot be read is left out and does not affect the others.
 * If the upload fails half-way or is stopped, and is not `whole`, the manifest lists what was uploaded as incomplete, and the rest as left out. Returns
 * why not all files were uploaded, or undefined if all were. Throws a FleetError (`retry`) if even the manifest could not be.
 */
export async function uploadArtifacts(s3: S3Client, order: UploadOrder, tries: Tries): Promise<FleetError | undefined> {
  const { collected } = order;
  const sent = new Map<ArtifactFile, SentFile>();
  const left = new Set(collected.files);
  let trouble: FleetError | undefined;
  const send = async (file: ArtifactFile): Promise<void> => {
    if (trouble) return;
    try {
      sent.set(file, { file, artifact: await sendFile(s3, { order, file, tries }) });
      left.delete(file);
    } catch (error) {
      if (error instanceof Unreadable) {
        collected.leftOut.add(file.name, inWords(error));
        left.delete(file);
      } else trouble ??= error instanceof FleetError ? error : new FleetError("upload", withCauses(error), { retry: true, cause: error });
    }
  };
  // Small files first, so that most files are uploaded if time runs out.
  await pMap(
    collected.files.toSorted((a, b) => a.bytes - b.bytes),
    send,
    { concurrency: filesAtOnce },
  );
  if (trouble && order.whole) return trouble;
  const because = tries.signal.aborted
    ? "there was no time left to upload it"
    : trouble && inWords(trouble).slice(0, longestReason).toWellFormed();
  for (const file of left) collected.leftOut.add(file.name, because ?? "");
  const kept = collected.files.flatMap((file) => sent.get(file) ?? []);
  const list = { order, kept, incomplete: trouble !== undefined };
  await sendList(s3, list, tries.signal.aborted ? { ...tries, signal: AbortSignal.timeout(lastListMs) } : tries);
  return trouble;
}

function sendFile(s3: S3Client, of: { order: UploadOrder; file: ArtifactFile; tries: Tries }): Promise<Manifest["artifacts"][number]> {
  const { order, file, tries } = of;
  const target = { ...encrypted(order), Key: fileKey(order.attempt, file.path) };
  return tryAgain(tries, () => uploadFile(s3, { target, file, signal: tries.signal }));
}

async function sendList(
  s3: S3Client,
  of: { order: UploadOrder; kept: readonly SentFile[]; incomplete: boolean },
  tries: Tries,
): Promise<void> {
  const manifest = manifestOf(of.order, of.kept, of);
  await tryAgain(tries, async () => {
    try {
      const Body = JSON.stringify(manifest);
      const put = { ...encrypted(of.order), Key: manifestKey(of.order.attempt), Body, ContentType: "application/json" };
      await s3.send(new PutObjectCommand(put), { abortSignal: tries.signal });
    } catch (error) {
      throw uploadFault("the list of artifacts", error);
    }
  });
}

/** Returns the manifest of an attempt. `kept`: the files that it lists. */
export function manifestOf(
  { attempt, collected }: Pick<UploadOrder, "attempt" | "collected">,
  kept: readonly SentFile[],
  { incomplete }: { readonly incomplete: boolean },
): Manifest {
  const failed = whyFailed(
    collected,
    kept.map(({ file }) => file),
  );
  const { team, job, attempt: number } = attempt;
  return {
    version: 2,
    team,
    job,
    attempt: number,
    artifacts: kept.map(({ artifact }) => artifact),
    ...collected.leftOut.listed,
    missing: [...collected.missing],
    ...(failed === undefined ? {} : { failed }),
    ...(incomplete && { incomplete: true }),
  };
}

const encrypted = ({ bucket, kmsKey }: UploadOrder) => ({ Bucket: bucket, ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKey }) as const;
