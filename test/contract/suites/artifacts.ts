import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { manifestKey } from "../../../events/upload.ts";
import { Fault } from "../../../lib/model/fault.ts";
import type { AttemptRef, SealedArtifact } from "../../../lib/model/job.ts";
import type { ArtifactReader, Artifacts, UploadedFile } from "../../../lib/ports/artifacts.ts";

/** What a suite of artifacts runs on. Teams `vision` and `audio` have keys, the team `nobody` has none. */
export type ArtifactsStage = {
  readonly artifacts: Artifacts;
  readonly reader: ArtifactReader;
  /** Puts an object into the incoming bucket. */
  putIncoming(key: string, bytes: Buffer): Promise<void>;
  /** Keys in the artifacts bucket below a prefix. */
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
export const describing = (path: string, bytes: Buffer): UploadedFile => ({ path, bytes: bytes.length, sha256: sha256(bytes) });

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
      const answer = await stage.artifacts.seal(attempt, await upload(stage, attempt, path, bytes));
      if (answer.kind !== "sealed") throw new Error(answer.kind);
      return answer.artifact;
    };
    const refusal = async (opening: Promise<void>): Promise<string> => {
      const error: unknown = await opening.then(
        () => undefined,
        (caught: unknown) => caught,
      );
      expect(error).toBeInstanceOf(Fault);
      expect(await readdir(folder)).toEqual([]);
      return error instanceof Fault ? error.code : "";
    };
    const manifestOf = (attempt: AttemptRef, artifacts: readonly unknown[]): object => ({ version: 1, ...attempt, artifacts });
    const putManifest = (attempt: AttemptRef, manifest: unknown): Promise<void> =>
      stage.putIncoming(manifestKey(attempt), Buffer.from(typeof manifest === "string" ? manifest : JSON.stringify(manifest)));

    describe("what was uploaded", () => {
      test("is unknown until the manifest is there", async () => {
        const attempt = anAttempt();
        await upload(stage, attempt, "model.bin", Buffer.from("weights"));
        expect(await stage.artifacts.uploaded(attempt)).toBeUndefined();
      });

      test("is what the manifest lists, and may be nothing", async () => {
        const attempt = anAttempt();
        const files = [describing("out/a.txt", Buffer.from("a")), describing("ünïcode b.txt", Buffer.from("b"))];
        await putManifest(attempt, manifestOf(attempt, files));
        expect(await stage.artifacts.uploaded(attempt)).toEqual(files);
        await putManifest(attempt, manifestOf(attempt, []));
        expect(await stage.artifacts.uploaded(attempt)).toEqual([]);
      });

      const file = describing("a", Buffer.from("a"));
      test.each<[string, (attempt: AttemptRef) => unknown]>([
        ["that is not JSON", () => "{"],
        ["of another shape", () => ({ version: 2 })],
        ["of another attempt", (attempt) => manifestOf({ ...attempt, attempt: 2 }, [])],
        ["of another team", (attempt) => manifestOf({ ...attempt, team: "audio" }, [])],
        ["that names a path twice", (attempt) => manifestOf(attempt, [file, file])],
        ["that steps out of its folder", (attempt) => manifestOf(attempt, [{ ...file, path: "../../audio/job/1/files/a" }])],
        ["with an absolute path", (attempt) => manifestOf(attempt, [{ ...file, path: "/etc/passwd" }])],
      ])("a manifest %s is a fault", async (_what, manifest) => {
        const attempt = anAttempt();
        await putManifest(attempt, manifest(attempt));
        await expect(stage.artifacts.uploaded(attempt)).rejects.toMatchObject({ code: "manifest", retry: false });
      });
    });

    describe("sealing", () => {
      test.each([0, 1, 65_535, 65_536, 65_537, 300_000])("%i bytes come back as they were", async (size) => {
        const attempt = anAttempt();
        const bytes = randomBytes(size);
        const artifact = await sealed(attempt, "out/model.bin", bytes);
        expect(artifact).toEqual({
          ...describing("out/model.bin", bytes),
          key: `${attempt.team}/${attempt.job}/${attempt.attempt}/out/model.bin.sealed`,
        });
        await stage.reader.open(attempt, artifact, join(folder, "deep", "model.bin"));
        expect((await readFile(join(folder, "deep", "model.bin"))).equals(bytes)).toBe(true);
        expect(await readdir(join(folder, "deep"))).toEqual(["model.bin"]);
      });

      test("what rests does not show what it holds", async () => {
        const attempt = anAttempt();
        const artifact = await sealed(attempt, "secret.txt", Buffer.from("correct horse battery staple".repeat(100)));
        expect((await stage.readSealed(artifact.key)).includes("horse")).toBe(false);
      });

      test("twice leaves one, and it opens", async () => {
        const attempt = anAttempt();
        const first = await sealed(attempt, "a.txt", Buffer.from("a"));
        expect(await sealed(attempt, "a.txt", Buffer.from("a"))).toEqual(first);
        expect(await stage.sealedKeys(`${attempt.team}/${attempt.job}/`)).toEqual([first.key]);
        await stage.reader.open(attempt, first, join(folder, "a.txt"));
      });

      test("a file that was never uploaded is missing", async () => {
        expect(await stage.artifacts.seal(anAttempt(), describing("a.txt", Buffer.from("a")))).toEqual({ kind: "missing" });
      });

      test.each<[string, (file: UploadedFile) => UploadedFile]>([
        ["another checksum", (file) => ({ ...file, sha256: sha256(Buffer.from("other")) })],
        ["fewer bytes", (file) => ({ ...file, bytes: file.bytes - 1 })],
        ["more bytes", (file) => ({ ...file, bytes: file.bytes + 1 })],
      ])("a manifest that promised %s: corrupt, and nothing is left", async (_what, promised) => {
        const attempt = anAttempt();
        const file = await upload(stage, attempt, "a.bin", randomBytes(100_000));
        expect(await stage.artifacts.seal(attempt, promised(file))).toEqual({ kind: "corrupt" });
        expect(await stage.sealedKeys(`${attempt.team}/${attempt.job}/`)).toEqual([]);
      });
    });

    describe("opening leaves nothing behind when", () => {
      const bytes = randomBytes(100_000);

      test("there is no such file", async () => {
        const attempt = anAttempt();
        expect(
          await refusal(stage.reader.open(attempt, { ...describing("a", bytes), key: "vision/none/1/a.sealed" }, join(folder, "a"))),
        ).toBe("missing");
      });

      test.each<[string, (attempt: AttemptRef) => AttemptRef]>([
        ["attempt", (attempt) => ({ ...attempt, attempt: 2 })],
        ["job", (attempt) => ({ ...attempt, job: "another" })],
        ["team", (attempt) => ({ ...attempt, team: "audio" })],
      ])("it was sealed for another %s", async (_what, other) => {
        const attempt = anAttempt();
        const artifact = await sealed(attempt, "a", bytes);
        await refusal(stage.reader.open(other(attempt), artifact, join(folder, "a")));
      });

      test("it was sealed for another path", async () => {
        const attempt = anAttempt();
        const artifact = await sealed(attempt, "a", bytes);
        await refusal(stage.reader.open(attempt, { ...artifact, path: "b" }, join(folder, "b")));
      });

      test("another team's file lies in its place", async () => {
        const attempt = anAttempt();
        const mine = await sealed(attempt, "a", bytes);
        const theirs = await sealed({ ...attempt, team: "audio" }, "a", bytes);
        await stage.writeSealed(mine.key, await stage.readSealed(theirs.key));
        await refusal(stage.reader.open(attempt, mine, join(folder, "a")));
      });

      test.each<[string, (sealed: Buffer) => Buffer]>([
        ["a bit of its body changed", (sealed) => flipped(sealed, sealed.length - 1000)],
        ["a bit of its head changed", (sealed) => flipped(sealed, 10)],
        ["its end was cut off", (sealed) => sealed.subarray(0, sealed.length - 100)],
        ["only its head is left", (sealed) => sealed.subarray(0, 40)],
        ["nothing is left of it", () => Buffer.alloc(0)],
      ])("%s", async (_what, tamper) => {
        const attempt = anAttempt();
        const artifact = await sealed(attempt, "a", bytes);
        await stage.writeSealed(artifact.key, tamper(await stage.readSealed(artifact.key)));
        await refusal(stage.reader.open(attempt, artifact, join(folder, "a")));
      });

      test("it is not what the record says", async () => {
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
