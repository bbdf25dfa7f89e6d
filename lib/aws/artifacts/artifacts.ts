import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import { readManifest } from "../../../events/artifacts/manifest.ts";
import { fileKey, manifestKey, sealedFileKey, sealedManifestKey, sealedManifestPath } from "../../../events/artifacts/upload.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { Artifacts } from "../../ports/artifacts.ts";
import { uploadObject } from "../objects/object-upload.ts";
import { openObject } from "../objects/objects.ts";
import { checking, Mismatch } from "../objects/plaintext-check.ts";
import { encrypting, sealContext } from "./envelope.ts";
import { readSealedManifest } from "./sealed-manifest.ts";
import { teamKeys } from "./team-keys.ts";

export type S3ArtifactsConfig = {
  readonly s3: S3Client;
  readonly kms: Pick<KMSClient, "send">;
  readonly incomingBucket: string;
  readonly artifactsBucket: string;
  readonly keyAliasPrefix: string;
};

/** Enough for about 50,000 files, far more than any job leaves. */
const maxManifestBytes = 8 * 1024 * 1024;

/** S3's limit for keys, in UTF-8. */
const maxKeyBytes = 1024;

const ContentType = "application/octet-stream";

export const s3Artifacts = (config: S3ArtifactsConfig): Artifacts => {
  const { s3, kms, incomingBucket, artifactsBucket } = config;
  const keyOf = teamKeys(kms, config.keyAliasPrefix);
  return {
    async uploaded(attempt) {
      const object = await openObject(s3, { Bucket: incomingBucket, Key: manifestKey(attempt) });
      if (object === undefined) return undefined;
      if (object.bytes > maxManifestBytes) {
        object.body.destroy();
        throw new FleetError(
          "manifest",
          `the list of files that the worker uploaded has ${object.bytes} bytes; at most ${maxManifestBytes} are allowed`,
        );
      }
      return readManifest(attempt, await text(object.body));
    },

    async seal(attempt, file) {
      const Key = sealedFileKey(attempt, file.path);
      if (Buffer.byteLength(Key) > maxKeyBytes) return { kind: "lost", because: "its path is too long" };
      const source = await openObject(s3, { Bucket: incomingBucket, Key: fileKey(attempt, file.path) });
      if (source === undefined) return { kind: "lost", because: "it was not uploaded" };
      try {
        if (source.bytes !== file.bytes) throw new Mismatch(`${source.bytes} bytes instead of ${file.bytes}`);
        const stages = [checking(file), await encrypting(kms, await keyOf(attempt.team), sealContext(attempt, file.path))];
        await uploadObject(s3, { Bucket: artifactsBucket, Key, ContentType }, { source: source.body, stages, bytes: file.bytes });
        return { kind: "sealed", artifact: { ...file, key: Key } };
      } catch (error) {
        source.body.destroy();
        if (error instanceof Mismatch) return { kind: "lost", because: "it does not have the checksum that the worker computed" };
        throw error;
      }
    },

    sealedList: async (attempt) => readSealedManifest({ s3, kms, artifactsBucket, keyArn: await keyOf(attempt.team) }, attempt),

    async sealList(manifest) {
      const bytes = Buffer.from(JSON.stringify(manifest));
      const stages = [await encrypting(kms, await keyOf(manifest.team), sealContext(manifest, sealedManifestPath))];
      const object = { Bucket: artifactsBucket, Key: sealedManifestKey(manifest), ContentType };
      await uploadObject(s3, object, { source: Readable.from([bytes]), stages, bytes: bytes.length });
    },
  };
};
