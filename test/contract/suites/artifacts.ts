import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { manifestKey } from "../../../events/artifacts/upload.ts";
import type { SealedManifest, UploadedFile } from "../../../lib/model/artifact.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import type { AttemptRef, SealedArtifact } from "../../../lib/model/job.ts";
import type { ArtifactReader, Artifacts } from "../../../lib/ports/artifacts.ts";

/** What the suite of artifacts runs on. The teams `vision` and `audio` must have keys, and the team `nobody` must have none. */
export type ArtifactsStage = {
  readonly artifacts: Artifacts;
  readonly reader: ArtifactReader;
  /** Puts an object into the incoming bucket. */
  putIncoming(key: string, bytes: Buffer): Promise<void>;
  /** Returns the keys in the artifacts bucket below a prefix. */
  sealedKeys(prefix: string): Promise<readonly string[]>;
  readSealed(key: string): Promise<Buffer>;
  writeSealed(key: string, bytes: Buffer): Promise<void>;
};

export const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
let count = 0;
export const anAttempt = (over: Partial<AttemptRef> = {}): AttemptRef => ({
  team: "vision",
  job: `job-${process.pid}-${++count}`,
  attempt: 1,
  ...over,
});
export const describing = (path: string, bytes: Buffer): UploadedFile => ({
  path,
  bytes: bytes.length,
  sha256: sha256(bytes),
  mode: 0o644,
});

export const upload = async (stage: ArtifactsStage, attempt: AttemptRef, path: string, bytes: Buffer): Promise<UploadedFile> => {
  await stage.putIncoming(`${attempt.team}/${attempt.job}/${attempt.attempt}/files/${path}`, bytes);
  return describing(path, bytes);
};

export function artifactsContract(name: string, make: () => ArtifactsStage): void {
  describe(`artifacts: ${name}`, () => {
    let stage: ArtifactsStage;
    let folder: string;
    beforeEach(async () => {
      stage = make();
      folder = await mkdtemp(join(tmpdir(), "artifacts-"));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    const sealed = async (attempt: AttemptRef, path: string, bytes: Buffer): Promise<SealedArtifact> => {
      const outcome = await stage.artifacts.seal(attempt, await upload(stage, attempt, path, bytes));
      if (outcome.kind !== "sealed") throw new Error(outcome.kind);
      return outcome.artifact;
    };
    const refusal = async (opening: Promise<void>): Promise<string> => {
      const error: unknown = await opening.then(
        () => undefined,
        (caught: unknown) => caught,
      );
      expect(error).toBeInstanceOf(FleetError);
      expect(await readdir(folder)).toEqual([]);
      return error instanceof FleetError ? error.code : "";
    };
    const nothing = { leftOut: [], missing: [] };
    const manifestOf = (attempt: AttemptRef, artifacts: readonly unknown[], more: object = nothing): object => ({
      version: 2,
      ...attempt,
      artifacts,
      ...more,
    });
    const putManifest = (attempt: AttemptRef, manifest: unknown): Promise<void> =>
      stage.putIncoming(manifestKey(attempt), Buffer.from(typeof manifest === "string" ? manifest : JSON.stringify(manifest)));

    describe("uploads", () => {
      test("an upload is unknown until its manifest exists", async () => {
        const attempt = anAttempt();
        await upload(stage, attempt, "model.bin", Buffer.from("weights"));
        expect(await stage.artifacts.uploaded(attempt)).toBeUndefined();
      });

      test("an upload is what its manifest lists, and may be empty", async () => {
        const attempt = anAttempt();
        const files = [
          describing("out/a.txt", Buffer.from("a")),
          { ...describing("caf%E9.sh", Buffer.from("b")), mode: 0o755, escaped: true },
        ];
        const more = { leftOut: [{ path: "s", because: "it is a socket" }], leftOutMore: 3, missing: ["*.pt"], failed: "there is no x" };
        await putManifest(attempt, manifestOf(attempt, files, more));
        expect(await stage.artifacts.uploaded(attempt)).toEqual({ artifacts: files, ...more, refused: [] });
        await putManifest(attempt, manifestOf(attempt, []));
        expect(await stage.artifacts.uploaded(attempt)).toEqual({ artifacts: [], ...nothing, refused: [] });
      });

      test.each<[string, (attempt: AttemptRef) => unknown]>([
        ["that is not JSON", () => "{"],
        ["of another shape", () => ({ version: 3 })],
        ["of another attempt", (attempt) => manifestOf({ ...attempt, attempt: 2 }, [])],
        ["of another team", (attempt) => manifestOf({ ...attempt, team: "audio" }, [])],
      ])("reading a manifest %s fails, and is not retried", async (_what, manifest) => {
        const attempt = anAttempt();
        await putManifest(attempt, manifest(attempt));
        await expect(stage.artifacts.uploaded(attempt)).rejects.toMatchObject({ code: "manifest", retry: false });
      });

      test("an entry that cannot be kept does not cost the other files of a manifest", async () => {
        const attempt = anAttempt();
        const file = describing("a", Buffer.from("a"));
        const climbing = { ...file, path: "../../audio/job/1/files/a" };
        await putManifest(attempt, manifestOf(attempt, [climbing, file]));
        expect(await stage.artifacts.uploaded(attempt)).toMatchObject({ artifacts: [file], refused: [{ path: climbing.path }] });
      });
    });

    describe("the sealed list", () => {
      const listOf = (attempt: AttemptRef, artifacts: readonly SealedArtifact[]): SealedManifest => ({
        version: 2,
        ...attempt,
        sealedAt: "2026-06-01T00:00:00.000Z",
        artifacts,
        leftOut: [{ path: "s", because: "it is a socket" }],
        missing: ["*.pt"],
        lost: [{ path: "b", because: "it was not uploaded" }],
      });

      test("the sealed list is undefined before it is sealed", async () => {
        expect(await stage.artifacts.sealedList(anAttempt())).toBeUndefined();
        expect(await stage.reader.list(anAttempt())).toBeUndefined();
      });

      test("the sealed list opens as it was written, may have thousands of files, and is unreadable without the key", async () => {
        const attempt = anAttempt();
        const many = Array.from({ length: 5_000 }, (_, n) => ({
          ...describing(`out/part-${n}.bin`, Buffer.from("x")),
          key: `${attempt.team}/${attempt.job}/1/files/out/part-${n}.bin.sealed`,
        }));
        const list = listOf(attempt, many);
        await stage.artifacts.sealList(list);
        expect(await stage.artifacts.sealedList(attempt)).toEqual(list);
        expect(await stage.reader.list(attempt)).toEqual(list);
        const key = `${attempt.team}/${attempt.job}/1/manifest.json.sealed`;
        expect(await stage.sealedKeys(`${attempt.team}/${attempt.job}/`)).toEqual([key]);
        expect((await stage.readSealed(key)).includes("part-7")).toBe(false);
      });

      test("another attempt's list, or a file of the job itself, does not open in the place of the sealed list", async () => {
        const attempt = anAttempt();
        const place = `${attempt.team}/${attempt.job}/1/manifest.json.sealed`;
        const text = Buffer.from(JSON.stringify(listOf(attempt, [])));
        const own = await sealed(attempt, "manifest.json", text);
        expect(own.key).not.toBe(place);
        await stage.writeSealed(place, await stage.readSealed(own.key));
        await expect(stage.reader.list(attempt)).rejects.toBeInstanceOf(FleetError);
        const other = { ...attempt, attempt: 2 };
        await stage.artifacts.sealList(listOf(other, []));
        await stage.writeSealed(place, await stage.readSealed(`${attempt.team}/${attempt.job}/2/manifest.json.sealed`));
        await expect(stage.reader.list(attempt)).rejects.toBeInstanceOf(FleetError);
      });
    });

    describe("sealing", () => {
      test.each([0, 1, 65_535, 65_536, 65_537, 300_000])("a sealed file of %i bytes opens as it was", async (size) => {
        const attempt = anAttempt();
        const bytes = randomBytes(size);
        const artifact = await sealed(attempt, "out/model.bin", bytes);
        expect(artifact).toEqual({
          ...describing("out/model.bin", bytes),
          key: `${attempt.team}/${attempt.job}/${attempt.attempt}/files/out/model.bin.sealed`,
        });
        await stage.reader.open(attempt, artifact, join(folder, "deep", "model.bin"));
        // The longest name that a file can have.
        await stage.reader.open(attempt, artifact, join(folder, "n".repeat(255)));
        expect((await readFile(join(folder, "deep", "model.bin"))).equals(bytes)).toBe(true);
        expect(await readdir(join(folder, "deep"))).toEqual(["model.bin"]);
      });

      test("a sealed file is unreadable without the key", async () => {
        const attempt = anAttempt();
        const artifact = await sealed(attempt, "secret.txt", Buffer.from("correct horse battery staple".repeat(100)));
        expect((await stage.readSealed(artifact.key)).includes("horse")).toBe(false);
      });

      test("sealing a file twice leaves one object, which opens", async () => {
        const attempt = anAttempt();
        const first = await sealed(attempt, "a.txt", Buffer.from("a"));
        expect(await sealed(attempt, "a.txt", Buffer.from("a"))).toEqual(first);
        expect(await stage.sealedKeys(`${attempt.team}/${attempt.job}/`)).toEqual([first.key]);
        await stage.reader.open(attempt, first, join(folder, "a.txt"));
      });

      test("a file that was never uploaded cannot be sealed and is lost", async () => {
        const lost = { kind: "lost", because: "it was not uploaded" };
        expect(await stage.artifacts.seal(anAttempt(), describing("a.txt", Buffer.from("a")))).toEqual(lost);
      });

      test("a file whose path is too long for a key cannot be sealed and is lost", async () => {
        const path = `${"deep/".repeat(199)}model.bin`;
        const lost = { kind: "lost", because: "its path is too long" };
        expect(await stage.artifacts.seal(anAttempt(), describing(path, Buffer.from("a")))).toEqual(lost);
      });

      test("a sealed file opens with its permission bits, also under a name that is not text", async () => {
        const attempt = anAttempt();
        for (const mode of [0o755, 0o640, 0o444]) {
          const artifact = { ...(await sealed(attempt, "run.sh", Buffer.from("#!/bin/sh"))), mode };
          const file = Buffer.concat([Buffer.from(join(folder, "caf")), Buffer.from([0xe9])]);
          await stage.reader.open(attempt, artifact, file);
          expect((await stat(file)).mode & 0o777).toBe(mode & ~process.umask());
        }
      });

      test.each<[string, (file: UploadedFile) => UploadedFile]>([
        ["another checksum", (file) => ({ ...file, sha256: sha256(Buffer.from("other")) })],
        ["fewer bytes", (file) => ({ ...file, bytes: file.bytes - 1 })],
        ["more bytes", (file) => ({ ...file, bytes: file.bytes + 1 })],
      ])("a file for which the manifest lists %s is lost, and nothing is left of it", async (_what, promised) => {
        const attempt = anAttempt();
        const file = await upload(stage, attempt, "a.bin", randomBytes(100_000));
        const lost = { kind: "lost", because: "it does not have the checksum that the worker computed" };
        expect(await stage.artifacts.seal(attempt, promised(file))).toEqual(lost);
        expect(await stage.sealedKeys(`${attempt.team}/${attempt.job}/`)).toEqual([]);
      });
    });

    describe("failed openings of artifacts", () => {
      const bytes = randomBytes(100_000);

      test("opening a file that does not exist leaves nothing behind", async () => {
        const attempt = anAttempt();
        expect(
          await refusal(stage.reader.open(attempt, { ...describing("a", bytes), key: "vision/none/1/a.sealed" }, join(folder, "a"))),
        ).toBe("missing");
      });

      test.each<[string, (attempt: AttemptRef) => AttemptRef]>([
        ["attempt", (attempt) => ({ ...attempt, attempt: 2 })],
        ["job", (attempt) => ({ ...attempt, job: "another" })],
        ["team", (attempt) => ({ ...attempt, team: "audio" })],
      ])("opening a file that was sealed for another %s leaves nothing behind", async (_what, other) => {
        const attempt = anAttempt();
        const artifact = await sealed(attempt, "a", bytes);
        await refusal(stage.reader.open(other(attempt), artifact, join(folder, "a")));
      });

      test("opening a file that was sealed for another path leaves nothing behind", async () => {
        const attempt = anAttempt();
        const artifact = await sealed(attempt, "a", bytes);
        await refusal(stage.reader.open(attempt, { ...artifact, path: "b" }, join(folder, "b")));
      });

      test("opening another team's file in the place of one's own leaves nothing behind", async () => {
        const attempt = anAttempt();
        const mine = await sealed(attempt, "a", bytes);
        const theirs = await sealed({ ...attempt, team: "audio" }, "a", bytes);
        await stage.writeSealed(mine.key, await stage.readSealed(theirs.key));
        await refusal(stage.reader.open(attempt, mine, join(folder, "a")));
      });

      test.each<[string, (sealed: Buffer) => Buffer]>([
        ["a bit of its body has changed", (sealed) => flipped(sealed, sealed.length - 1000)],
        ["a bit of its head has changed", (sealed) => flipped(sealed, 10)],
        ["its end was cut off", (sealed) => sealed.subarray(0, sealed.length - 100)],
        ["only its head is left", (sealed) => sealed.subarray(0, 40)],
        ["nothing is left of it", () => Buffer.alloc(0)],
      ])("opening a sealed file leaves nothing behind if %s", async (_what, tamper) => {
        const attempt = anAttempt();
        const artifact = await sealed(attempt, "a", bytes);
        await stage.writeSealed(artifact.key, tamper(await stage.readSealed(artifact.key)));
        await refusal(stage.reader.open(attempt, artifact, join(folder, "a")));
      });

      test("opening a file that differs from its record leaves nothing behind", async () => {
        const attempt = anAttempt();
        const artifact = await sealed(attempt, "a", bytes);
        await refusal(stage.reader.open(attempt, { ...artifact, sha256: sha256(Buffer.from("x")) }, join(folder, "a")));
        await refusal(stage.reader.open(attempt, { ...artifact, bytes: artifact.bytes - 1 }, join(folder, "a")));
        await refusal(stage.reader.open(attempt, { ...artifact, bytes: artifact.bytes + 1 }, join(folder, "a")));
      });
    });
  });
}

function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
  return changed;
}
