import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { archiveLimits } from "../../../lib/model/files/archive-entry.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { fetchCode } from "../../../lib/worker/code/code.ts";
import { craftArchive } from "./archives.ts";
import { ManualClock } from "./manual-clock.ts";

let folder: string;
let work: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-code-"));
  work = join(folder, "work");
  await mkdir(work);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const archive = craftArchive([{ path: "train.py", body: "print(1)" }]);
const sha256 = createHash("sha256").update(archive).digest("hex");

/** An S3 that returns these responses one after the other, and the last one again and again. */
function s3Of(...responses: (Buffer | Error)[]): Pick<S3Client, "send"> & { requests: number } {
  const s3 = {
    requests: 0,
    async send() {
      const response = responses[Math.min(s3.requests++, responses.length - 1)];
      if (response instanceof Error) throw response;
      return { Body: Readable.from([response]), ContentLength: response?.length };
    },
  };
  return s3;
}

const s3Error = (name: string, status: number) => Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });

async function fetch(s3: Pick<S3Client, "send">, over: { sha256?: string; packedBytes?: number } = {}): Promise<FleetError | undefined> {
  const clock = new ManualClock();
  const code = { s3: "s3://code/vision/train.tar.gz", ...(over.sha256 === undefined ? {} : { sha256: over.sha256 }) };
  const limits = { ...archiveLimits, packedBytes: over.packedBytes ?? 10_000 };
  const order = { code, archive: join(folder, "code.tar.gz"), folder: work, limits };
  const fetching = fetchCode(s3, order, { clock, random: () => 0, signal: new AbortController().signal, most: 3 });
  let over_ = false;
  const done = fetching.then(
    () => undefined,
    (error: unknown) => error,
  );
  void done.finally(() => {
    over_ = true;
  });
  while (!over_) await clock.pass(100);
  const error = await done;
  expect((await readdir(folder)).filter((name) => name !== "work")).toEqual([]);
  if (error !== undefined && !(error instanceof FleetError)) throw error;
  return error;
}

describe("a job's code", () => {
  test("a job's code is fetched, checked and unpacked", async () => {
    expect(await fetch(s3Of(archive), { sha256 })).toBeUndefined();
    expect(await readFile(join(work, "train.py"), "utf8")).toBe("print(1)");
  });

  test("a job's code is fetched again after an error, a bounded number of times", async () => {
    expect(await fetch(s3Of(new Error("socket hang up"), archive))).toBeUndefined();
    const down = s3Of(new Error("socket hang up"));
    expect(await fetch(down)).toMatchObject({ retry: true, message: expect.stringContaining("socket hang up") });
    expect(down.requests).toBe(3);
  });

  test.each([
    [s3Error("NoSuchKey", 404), "there is no code archive at s3://code/vision/train.tar.gz"],
    [s3Error("NoSuchBucket", 404), "there is no bucket"],
    [s3Error("AccessDenied", 403), "was denied"],
    [s3Error("InvalidObjectState", 403), "cannot be fetched: it is archived"],
    [s3Error("KMS.DisabledException", 400), "the KMS key that encrypts it is disabled or deleted"],
  ])("fetching a job's code fails permanently with %s", async (error, why) => {
    const s3 = s3Of(error);
    expect(await fetch(s3)).toMatchObject({ retry: false, message: expect.stringContaining(why) });
    expect(s3.requests).toBe(1);
  });

  test("fetching a job's code fails permanently if it is too large or has another checksum", async () => {
    expect(await fetch(s3Of(archive), { packedBytes: 10 })).toMatchObject({
      retry: false,
      message: expect.stringContaining("larger than 10 bytes"),
    });
    expect(await fetch(s3Of(archive), { sha256: "0".repeat(64) })).toMatchObject({
      retry: false,
      message: expect.stringContaining(sha256),
    });
    expect(await readdir(work)).toEqual([]);
  });
});

describe("where a job's code is", () => {
  test("code of exactly the largest size is fetched, and one byte more is refused", async () => {
    expect(await fetch(s3Of(archive), { packedBytes: archive.length })).toBeUndefined();
    const refused = await fetch(s3Of(archive), { packedBytes: archive.length - 1 });
    expect(refused).toMatchObject({
      code: "code",
      retry: false,
      message: `the code archive s3://code/vision/train.tar.gz is larger than ${archive.length - 1} bytes`,
    });
  });

  test("code that is larger than S3 announced is refused while it arrives", async () => {
    const s3 = { send: async () => ({ Body: Readable.from([archive]), ContentLength: undefined }) };
    expect(await fetch(s3 as unknown as Pick<S3Client, "send">, { packedBytes: 10 })).toMatchObject({
      message: expect.stringContaining("is larger than 10 bytes"),
    });
  });

  test.each(["s3://code", "s3://code/", "http://code/a", "s3:///a"])("an address that is none fails for good: %s", async (address) => {
    const clock = new ManualClock();
    const order = { code: { s3: address }, archive: join(folder, "code.tar.gz"), folder: work, limits: archiveLimits };
    const s3 = s3Of(archive);
    const fetching = fetchCode(s3, order, { clock, random: () => 0, signal: new AbortController().signal, most: 3 });
    await expect(fetching).rejects.toMatchObject({
      code: "code",
      retry: false,
      message: `"${address}" is not an address like s3://bucket/key.tar.gz`,
    });
    expect(s3.requests).toBe(0);
  });

  test.each([
    ["NoSuchBucket", 404, "there is no bucket for the code archive s3://code/vision/train.tar.gz", false],
    ["NoSuchKey", 404, "there is no code archive at s3://code/vision/train.tar.gz", false],
    [
      "AccessDenied",
      403,
      "access to the code archive s3://code/vision/train.tar.gz was denied: it does not exist, or this team's jobs may not read it",
      false,
    ],
    ["SlowDown", 503, "the code archive s3://code/vision/train.tar.gz could not be fetched: SlowDown", true],
  ])("an error %s of S3 becomes a reason for the team, with its cause", async (name, status, message, retry) => {
    const thrown = s3Error(name, status);
    const s3 = s3Of(thrown);
    expect(await fetch(s3)).toMatchObject({ code: "code", message, retry, cause: thrown });
    expect(s3.requests).toBe(retry ? 3 : 1);
  });

  test("a response without a body is asked for again", async () => {
    const s3 = { send: async () => ({}) };
    expect(await fetch(s3 as unknown as Pick<S3Client, "send">)).toMatchObject({
      retry: true,
      message: "S3 returned no body for s3://code/vision/train.tar.gz",
    });
  });
});
