import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { JobMessage } from "../../events/job.ts";
import { s3CodeStore } from "../../lib/aws/artifacts/code.ts";
import { s3Client } from "../../lib/aws/clients/s3.ts";
import { served } from "./served.ts";
import { sha256 } from "./suites/artifacts.ts";
import { unique, wire } from "./wire.ts";

const s3 = s3Client(wire(inject("ministackUrl")));
const codeBucket = unique("code");
const code = s3CodeStore({ s3, codeBucket });
let folder: string;

beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket: codeBucket }));
  folder = await mkdtemp(join(tmpdir(), "code-"));
});
afterAll(() => rm(folder, { recursive: true }));

const archive = async (name: string, bytes: Buffer): Promise<string> => {
  await writeFile(join(folder, name), bytes);
  return join(folder, name);
};

test.each([0, 10, 20 * 1024 * 1024])(
  "an archive of %i bytes is stored once, under a key of its content that a job can name",
  async (size) => {
    const bytes = Buffer.alloc(size, "code");
    const kept = await code.putCode({ team: "vision", file: await archive("a.tar.gz", bytes) });
    expect(kept).toEqual({ code: { s3: `s3://${codeBucket}/vision/${sha256(bytes)}.tar.gz`, sha256: sha256(bytes) }, sent: true });
    expect(JobMessage.safeParse({ command: ["sh"], code: kept.code }).success).toBe(true);

    expect(await code.putCode({ team: "vision", file: await archive("b.tar.gz", bytes) })).toEqual({ ...kept, sent: false });
    const Key = `vision/${sha256(bytes)}.tar.gz`;
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: codeBucket, Prefix: Key }));
    expect(Contents?.length).toBe(1);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: codeBucket, Key }));
    expect(sha256(Buffer.from((await Body?.transformToByteArray()) ?? []))).toBe(sha256(bytes));
  },
);

test.each([
  ["may not list the bucket, so that S3 denies what does not exist", 403],
  ["is refused by S3 without a reason, as every HEAD is", 400],
])("a caller that %s uploads the archive nevertheless", async (_who, status) => {
  const calls: string[] = [];
  const store = await served(async ({ method, path }) => {
    calls.push(`${method} ${path.split("?")[0]}`);
    return method === "HEAD" ? { status, headers: {}, body: "" } : { status: 200, headers: { etag: '"x"' }, body: "" };
  });
  try {
    const theirs = s3CodeStore({ s3: s3Client(wire(store.url)), codeBucket });
    const kept = await theirs.putCode({ team: "vision", file: await archive("c.tar.gz", Buffer.from("new")) });
    expect(kept.sent).toBe(true);
    const key = `/${codeBucket}/vision/${kept.code.sha256}.tar.gz`;
    expect(calls).toEqual([`HEAD ${key}`, `PUT ${key}`]);
  } finally {
    await store.close();
  }
});

test("a path that is not a file is refused by name", async () => {
  await expect(code.putCode({ team: "vision", file: join(folder, "none.tar.gz") })).rejects.toMatchObject({
    code: "no-file",
    message: expect.stringContaining("none.tar.gz"),
  });
  await expect(code.putCode({ team: "vision", file: folder })).rejects.toMatchObject({ code: "no-file" });
});
