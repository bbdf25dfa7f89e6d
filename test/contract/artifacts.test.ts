import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DisableKeyCommand, EnableKeyCommand } from "@aws-sdk/client-kms";
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { s3Artifacts } from "../../lib/aws/artifacts/artifacts.ts";
import { s3Client } from "../../lib/aws/clients/s3.ts";
import { MemoryArtifacts } from "../../lib/sim/memory/artifacts.ts";
import { sealingStage } from "./sealing-stage.ts";
import { anAttempt, artifactsContract, sha256, upload } from "./suites/artifacts.ts";
import { wire } from "./wire.ts";

artifactsContract("in memory", () => {
  const memory = new MemoryArtifacts();
  const object = (key: string): Buffer => memory.sealed.get(key) ?? Buffer.alloc(0);
  return {
    artifacts: memory,
    reader: memory,
    putIncoming: async (key, bytes) => void memory.incoming.set(key, bytes),
    sealedKeys: async (prefix) => [...memory.sealed.keys()].filter((key) => key.startsWith(prefix)),
    readSealed: async (key) => object(key),
    writeSealed: async (key, bytes) => void memory.sealed.set(key, bytes),
  };
});

const { s3, kms, keyIds, overTheWire, incomingBucket, artifactsBucket, keyAliasPrefix, open } = sealingStage();

beforeAll(open);

artifactsContract("S3 and KMS", overTheWire);

describe("S3 and KMS", () => {
  test("a large upload that turns out to be corrupt at its end leaves no object and no parts", async () => {
    const stage = overTheWire();
    const attempt = anAttempt();
    const file = await upload(stage, attempt, "large.bin", randomBytes(20 * 1024 * 1024));
    expect(await stage.artifacts.seal(attempt, { ...file, sha256: sha256(Buffer.from("other")) })).toMatchObject({ kind: "lost" });
    expect(await stage.sealedKeys(`${attempt.team}/${attempt.job}/`)).toEqual([]);
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: artifactsBucket }));
    expect(Uploads ?? []).toEqual([]);
  });

  test("an upload that S3 refuses halfway ends with that error and leaves nothing", async () => {
    const failing = s3Client({ ...wire(inject("ministackUrl")), maxAttempts: 1 });
    failing.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName === "UploadPartCommand" && "PartNumber" in args.input && args.input.PartNumber === 2) {
          throw Object.assign(new Error("We encountered an internal error."), { name: "InternalError" });
        }
        return next(args);
      },
      { step: "initialize" },
    );
    const stage = overTheWire();
    const attempt = anAttempt();
    const file = await upload(stage, attempt, "large.bin", randomBytes(30 * 1024 * 1024));
    const artifacts = s3Artifacts({ s3: failing, kms, incomingBucket, artifactsBucket, keyAliasPrefix });
    await expect(artifacts.seal(attempt, file)).rejects.toMatchObject({ name: "InternalError" });
    expect(await stage.sealedKeys(`${attempt.team}/${attempt.job}/`)).toEqual([]);
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: artifactsBucket }));
    expect(Uploads ?? []).toEqual([]);
  });

  test("a team without a key cannot seal, and a team whose key is disabled can neither seal nor open", async () => {
    const stage = overTheWire();
    const stranger = anAttempt({ team: "nobody" });
    await expect(stage.artifacts.seal(stranger, await upload(stage, stranger, "a", Buffer.from("a")))).rejects.toMatchObject({
      code: "missing",
    });

    const attempt = anAttempt({ team: "audio" });
    const file = await upload(stage, attempt, "a", Buffer.from("a"));
    const outcome = await stage.artifacts.seal(attempt, file);
    if (outcome.kind !== "sealed") throw new Error(outcome.kind);
    const KeyId = keyIds.get("audio") ?? "";
    const folder = await mkdtemp(join(tmpdir(), "disabled-"));
    await kms.send(new DisableKeyCommand({ KeyId }));
    try {
      await expect(stage.artifacts.seal(attempt, file)).rejects.toMatchObject({ code: "key", retry: false });
      await expect(stage.reader.open(attempt, outcome.artifact, join(folder, "a"))).rejects.toMatchObject({ code: "key", retry: false });
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await kms.send(new EnableKeyCommand({ KeyId }));
      await rm(folder, { recursive: true });
    }
  });
});
