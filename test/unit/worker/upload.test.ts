import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFile, chmod, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Manifest } from "../../../events/artifacts/upload.ts";
import type { FleetError } from "../../../lib/model/fleet-error.ts";
import type { ArtifactRequest } from "../../../lib/model/job.ts";
import { artifactLimits } from "../../../lib/worker/artifacts/artifact-limits.ts";
import { collectArtifacts } from "../../../lib/worker/artifacts/artifacts.ts";
import { uploadArtifacts } from "../../../lib/worker/artifacts/upload.ts";
import { AttemptCredentials, s3Client } from "../../../lib/worker/runtime/s3.ts";
import { type FakeAws, fakeAws, someCredentials } from "./http-fakes.ts";
import { s3Error } from "./memory-s3.ts";

const attempt = { team: "vision", job: "train-1", attempt: 1 };
const prefix = "incoming/vision/train-1/1";

let folder: string;
let aws: FakeAws;
let s3: S3Client;
/** Is called before each key is sent. If it throws, S3 returns that error. */
let before: (key: string) => unknown;
/** The keys that were sent, in order. */
let sentKeys: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-upload-"));
  aws = await fakeAws();
  before = () => undefined;
  sentKeys = [];
  process.env["AWS_ENDPOINT_URL"] = aws.url;
  s3 = s3Client({ region: "eu-west-1", local: true }, new AttemptCredentials(someCredentials()));
  s3.middlewareStack.add(
    (next) => async (args) => {
      const key = "Key" in args.input ? String(args.input.Key).replace("vision/train-1/1/", "") : "";
      sentKeys.push(key);
      await before(key);
      return next(args);
    },
    { step: "initialize" },
  );
});
afterEach(async () => {
  delete process.env["AWS_ENDPOINT_URL"];
  s3.destroy();
  await Promise.all([aws.close(), rm(folder, { recursive: true, force: true })]);
});

const makePipe = (file: string): unknown => execFileSync("sh", ["-c", 'mkfifo "$0"', file]);
const put = (path: string, content: string) => writeFile(join(folder, path), content);
const listed = (): Manifest => Manifest.parse(JSON.parse(aws.objects.get(`${prefix}/manifest.json`)?.toString() ?? "null"));
const kept = (): string[] => listed().artifacts.map(({ path }) => path);
const sha256 = (content: string) => createHash("sha256").update(content).digest("hex");

/** Collects artifacts, calls `between`, and uploads. Pauses take no time. */
async function upload(of: {
  readonly requests?: readonly ArtifactRequest[];
  readonly between?: () => unknown;
  readonly signal?: AbortSignal;
}): Promise<FleetError | undefined> {
  const collected = await collectArtifacts(folder, of.requests ?? ["."], artifactLimits);
  await of.between?.();
  const after = (_ms: number, then: () => void) => {
    setImmediate(then);
    return () => undefined;
  };
  const clock = { monotonicMs: () => 0, wallMs: () => 0, after };
  const tries = { clock, random: () => 0, signal: of.signal ?? new AbortController().signal, most: 3 };
  return uploadArtifacts(s3, { attempt, collected, bucket: "incoming", kmsKey: "k" }, tries);
}

describe("an upload", () => {
  test("the manifest is uploaded last and lists the files with size, checksum and permissions, what is left out, and what is missing", async () => {
    await put("model.pt", "weights");
    await put("logs\\events.txt", "events");
    await put("empty", "");
    await chmod(join(folder, "model.pt"), 0o755);
    makePipe(join(folder, "pipe"));
    await upload({ requests: [".", "ckpt/*.pt", { path: "final.pt", required: true }] });
    expect(sentKeys.at(-1)).toBe("manifest.json");
    expect(aws.objects.get(`${prefix}/files/logs%5Cevents.txt`)?.toString()).toBe("events");
    expect(listed()).toEqual({
      version: 2,
      ...attempt,
      artifacts: [
        { path: "empty", bytes: 0, sha256: sha256(""), mode: 0o644 },
        { path: "logs%5Cevents.txt", bytes: 6, sha256: sha256("events"), mode: 0o644, escaped: true },
        { path: "model.pt", bytes: 7, sha256: sha256("weights"), mode: 0o755 },
      ],
      leftOut: [{ path: "pipe", because: "it is a named pipe (FIFO)" }],
      missing: ["ckpt/*.pt", "final.pt"],
      failed: 'the required artifact "final.pt" is missing',
    });
  });

  test("an upload sends four files at once, the smallest first", async () => {
    for (let n = 1; n <= 10; n++) await put(`f${n}`, "x".repeat(20 - n));
    const open = Promise.withResolvers<void>();
    before = () => {
      // The first four wait a moment, in which a fifth one would begin.
      if (sentKeys.length === 4) setTimeout(open.resolve, 50);
      return open.promise;
    };
    const uploaded = upload({});
    await open.promise;
    expect(sentKeys).toHaveLength(4);
    expect(await uploaded).toBeUndefined();
    expect(sentKeys.slice(0, 4).toSorted()).toEqual(["files/f10", "files/f7", "files/f8", "files/f9"]);
    expect(listed().artifacts).toHaveLength(10);
  });

  test("the reason why files were not uploaded is cut after 500 characters", async () => {
    await put("a", "1");
    before = (key) => {
      if (key.startsWith("files/")) throw s3Error(`SlowDown${"x".repeat(600)}`, 503);
    };
    expect(await upload({})).toMatchObject({ retry: true });
    const [left] = listed().leftOut;
    expect(left?.because).toHaveLength(500);
    expect(left?.because).toMatch(/^"a" could not be uploaded: SlowDownx+$/);
  });

  test.each([
    ["was removed", "it was removed while the files were uploaded", () => undefined],
    ["became a pipe", "it was replaced while the files were uploaded", (file: string) => makePipe(file)],
    ["became a link", "it was replaced while the files were uploaded", (file: string) => execFileSync("ln", ["-s", "/etc/hostname", file])],
    [
      "was replaced",
      "it was replaced while the files were uploaded",
      (file: string) => execFileSync("sh", ["-c", `echo x > ${file}.new && mv ${file}.new ${file}`]),
    ],
  ])("an upload leaves out a file that %s after it was collected, and keeps the others", async (_name, because, replace) => {
    await put("a", "1");
    await put("b", "2");
    const between = async (): Promise<void> => {
      // The inode is kept, so that the file that replaces it gets another one.
      execFileSync("ln", [join(folder, "a"), join(folder, "..", `${folder.split("/").at(-1)}-kept`)]);
      await rm(join(folder, "a"));
      replace(join(folder, "a"));
      await rm(join(folder, "..", `${folder.split("/").at(-1)}-kept`));
    };
    await upload({ between });
    expect(kept()).toEqual(["b"]);
    expect(listed().leftOut).toEqual([{ path: "a", because }]);
  });

  test("an upload reports a required file that was removed", async () => {
    await put("a", "1");
    await upload({ requests: [{ path: "a", required: true }], between: () => rm(join(folder, "a")) });
    expect(listed().failed).toBe('no file of the required artifact "a" could be kept');
  });

  test("the manifest has the size and checksum of the bytes that were sent if a file grows or shrinks", async () => {
    await put("grows", "12");
    await put("shrinks", "123456");
    await upload({
      between: () => Promise.all([appendFile(join(folder, "grows"), "345"), truncate(join(folder, "shrinks"), 3)]),
    });
    expect(listed().artifacts).toMatchObject([
      { path: "grows", bytes: 5, sha256: sha256("12345") },
      { path: "shrinks", bytes: 3, sha256: sha256("123") },
    ]);
    expect(aws.objects.get(`${prefix}/files/grows`)?.toString()).toBe("12345");
  });

  test("an upload retries only the files that failed", async () => {
    for (const name of ["a", "b", "c"]) await put(name, name);
    let failures = 0;
    before = (key) => {
      if (key === "files/b" && failures++ < 2) throw s3Error("InternalError", 500);
    };
    await upload({});
    expect(kept()).toEqual(["a", "b", "c"]);
    expect(sentKeys.toSorted()).toEqual(["files/a", "files/b", "files/b", "files/b", "files/c", "manifest.json"]);
  });

  test("an upload leaves out a file that S3 always refuses, and keeps the others", async () => {
    for (const name of ["a", "b"]) await put(name, name);
    before = (key) => {
      if (key === "files/a") throw s3Error("KeyTooLongError", 400);
    };
    await upload({});
    expect(kept()).toEqual(["b"]);
    expect(listed().leftOut).toEqual([{ path: "a", because: "S3 refuses it (KeyTooLongError)" }]);
  });

  test("an upload that fails half-way lists what was sent as incomplete, and returns why", async () => {
    for (const name of ["a", "b"]) await put(name, name);
    before = (key) => {
      if (key === "files/b") throw s3Error("InternalError", 500);
    };
    const why = expect.stringContaining('"b" could not be uploaded');
    expect(await upload({})).toMatchObject({ code: "upload", retry: true, message: why });
    expect(kept()).toEqual(["a"]);
    expect(listed()).toMatchObject({ leftOut: [{ path: "b", because: why }], incomplete: true });
  });

  test("an upload of all files is not listed as incomplete, even if some could not be read", async () => {
    await put("a", "a");
    makePipe(join(folder, "pipe"));
    expect(await upload({})).toBeUndefined();
    expect(listed().incomplete).toBeUndefined();
  });

  test("an upload sends small files first, and lists those that were sent when it is stopped", async () => {
    for (const name of ["a", "b", "c", "d"]) await put(name, "1234567");
    for (const name of ["w", "x", "y", "z"]) await put(name, "1");
    const stop = new AbortController();
    before = async (key) => {
      if (!/^files\/[a-d]$/.test(key)) return;
      await expect.poll(() => aws.objects.size).toBe(4);
      stop.abort();
      throw s3Error("InternalError", 500);
    };
    await upload({ signal: stop.signal });
    const { artifacts, leftOut } = listed();
    expect(leftOut.filter(({ because }) => because === "there was no time left to upload it").map(({ path }) => path)).toEqual(
      expect.arrayContaining(["a", "b", "c", "d"]),
    );
    // The response to the last small file may not have arrived yet.
    expect(artifacts.length).toBeGreaterThan(0);
    expect([...artifacts, ...leftOut].map(({ path }) => path).sort()).toEqual(["a", "b", "c", "d", "w", "x", "y", "z"]);
  });
});
