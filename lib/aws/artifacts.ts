import { text } from "node:stream/consumers";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import * as z from "zod";
import { fileKey, Manifest, manifestKey } from "../../events/upload.ts";
import { Fault } from "../model/fault.ts";
import type { AttemptRef } from "../model/job.ts";
import type { Artifacts, UploadedFile } from "../ports/artifacts.ts";
import { encrypting, sealContext } from "./envelope.ts";
import { uploadObject } from "./object-upload.ts";
import { openObject } from "./objects.ts";
import { checking, Mismatch } from "./plaintext-check.ts";
import { teamKeys } from "./team-keys.ts";

export type S3ArtifactsConfig = {
  readonly s3: S3Client;
  readonly kms: Pick<KMSClient, "send">;
  readonly incomingBucket: string;
  readonly artifactsBucket: string;
  readonly keyAliasPrefix: string;
};

/** Far above what any job leaves: about 50,000 files. */
const mostManifestBytes = 8 * 1024 * 1024;

/** S3's own limit, in UTF-8. */
const mostKeyBytes = 1024;

export const s3Artifacts = (config: S3ArtifactsConfig): Artifacts => {
  const keyOf = teamKeys(config.kms, config.keyAliasPrefix);
  return {
    async uploaded(attempt) {
      const object = await openObject(config.s3, { Bucket: config.incomingBucket, Key: manifestKey(attempt) });
      if (object === undefined) return undefined;
      if (object.bytes > mostManifestBytes) {
        object.body.destroy();
        throw new Fault("manifest", `The manifest has ${object.bytes} bytes; ${mostManifestBytes} are the most`);
      }
      return filesOf(attempt, await text(object.body));
    },

    async seal(attempt, file) {
      const source = await openObject(config.s3, { Bucket: config.incomingBucket, Key: fileKey(attempt, file.path) });
      if (source === undefined) return { kind: "missing" };
      const key = sealedKey(attempt, file.path);
      try {
        if (source.bytes !== file.bytes) throw new Mismatch(`${source.bytes} bytes instead of ${file.bytes}`);
        const stages = [checking(file), encrypting(config.kms, await keyOf(attempt.team), sealContext(attempt, file.path))];
        const object = { Bucket: config.artifactsBucket, Key: key, ContentType: "application/octet-stream" };
        await uploadObject(config.s3, object, { source: source.body, stages, bytes: file.bytes });
        return { kind: "sealed", artifact: { path: file.path, bytes: file.bytes, sha256: file.sha256, key } };
      } catch (error) {
        source.body.destroy();
        if (error instanceof Mismatch) return { kind: "corrupt" };
        throw error;
      }
    },
  };
};

const sealedKey = ({ team, job, attempt }: AttemptRef, path: string): string => `${team}/${job}/${attempt}/${path}.sealed`;

function filesOf(attempt: AttemptRef, json: string): readonly UploadedFile[] {
  const manifest = parse(json);
  if (manifest.team !== attempt.team || manifest.job !== attempt.job || manifest.attempt !== attempt.attempt) {
    throw new Fault("manifest", `The manifest is of ${manifest.team}/${manifest.job}/${manifest.attempt}, not of where it lies`);
  }
  const paths = new Set(manifest.artifacts.map(({ path }) => path));
  if (paths.size !== manifest.artifacts.length) throw new Fault("manifest", "The manifest names a path twice");
  const long = manifest.artifacts.find(({ path }) => Buffer.byteLength(sealedKey(attempt, path)) > mostKeyBytes);
  if (long) throw new Fault("manifest", `The path ${long.path} is too long to be kept`);
  return manifest.artifacts;
}

function parse(json: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new Fault("manifest", "The manifest is not JSON", { cause });
  }
  const parsed = Manifest.safeParse(value);
  if (!parsed.success) throw new Fault("manifest", `The manifest is not one: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
