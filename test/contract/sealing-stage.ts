import { CreateAliasCommand, CreateKeyCommand } from "@aws-sdk/client-kms";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { inject } from "vitest";
import { s3ArtifactReader } from "../../lib/aws/artifacts/artifact-reader.ts";
import { s3Artifacts } from "../../lib/aws/artifacts/artifacts.ts";
import { kmsClient } from "../../lib/aws/clients/kms.ts";
import { s3Client } from "../../lib/aws/clients/s3.ts";
import type { ArtifactsStage } from "./suites/artifacts.ts";
import { unique, wire } from "./wire.ts";

/** A stage with its own buckets and, once it is opened, a key for each of the teams vision and audio. */
export function sealingStage() {
  const s3 = s3Client(wire(inject("ministackUrl")));
  const kms = kmsClient(wire(inject("ministackUrl")));
  const incomingBucket = unique("incoming");
  const artifactsBucket = unique("artifacts");
  const keyAliasPrefix = `alias/${unique("fleetwright")}/`;
  const keyIds = new Map<string, string>();

  const open = async (): Promise<void> => {
    for (const Bucket of [incomingBucket, artifactsBucket]) await s3.send(new CreateBucketCommand({ Bucket }));
    for (const team of ["vision", "audio"]) {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
      const KeyId = KeyMetadata?.KeyId ?? "";
      keyIds.set(team, KeyId);
      await kms.send(new CreateAliasCommand({ AliasName: `${keyAliasPrefix}${team}`, TargetKeyId: KeyId }));
    }
  };

  const overTheWire = (): ArtifactsStage => ({
    artifacts: s3Artifacts({ s3, kms, incomingBucket, artifactsBucket, keyAliasPrefix }),
    reader: s3ArtifactReader({ s3, kms, artifactsBucket, keyAliasPrefix }),
    putIncoming: async (Key, Body) => void (await s3.send(new PutObjectCommand({ Bucket: incomingBucket, Key, Body }))),
    sealedKeys: async (Prefix) => {
      const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: artifactsBucket, Prefix }));
      return (Contents ?? []).map(({ Key }) => Key ?? "");
    },
    readSealed: async (Key) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: artifactsBucket, Key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    writeSealed: async (Key, Body) => void (await s3.send(new PutObjectCommand({ Bucket: artifactsBucket, Key, Body }))),
  });
  return { s3, kms, keyIds, incomingBucket, artifactsBucket, keyAliasPrefix, overTheWire, open };
}
