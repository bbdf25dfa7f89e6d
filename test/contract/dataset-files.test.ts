import { Readable } from "node:stream";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { beforeAll, expect, inject, test } from "vitest";
import { s3Client } from "../../lib/aws/clients/s3.ts";
import { s3DatasetFiles } from "../../lib/aws/datasets/dataset-files.ts";
import { unique, wire } from "./wire.ts";

const s3 = s3Client(wire(inject("ministackUrl")));
const bucket = unique("sync");
const files = s3DatasetFiles({ s3, bucket });
const of = { team: "vision", dataset: "mnist" };
const MiB = 1024 ** 2;

beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
});

/** Returns a file that is read in chunks that do not end where the upload's parts end. */
const aFile = (path: string, content: Buffer) => ({
  path,
  bytes: content.length,
  open: () =>
    Readable.from(
      (function* () {
        for (let at = 0; at < content.length; at += 3_000_000) yield content.subarray(at, at + 3_000_000);
      })(),
    ),
});
const find = async (path: string) => {
  const found = (await files.list(of)).find((each) => each.path === path);
  if (!found) throw new Error(`there is no ${path}`);
  return found;
};

test.each([0, 8 * MiB, 8 * MiB + 1, 17 * MiB])(
  "a file of %i bytes counts as the same after it is sent, and a different file does not",
  async (size) => {
    const content = Buffer.alloc(size, "data");
    const file = aFile(`of/${size} ü+`, content);
    let passed = 0;
    await files.put(of, file, (bytes) => {
      passed += bytes;
    });
    expect(passed).toBe(size);
    const stored = await find(file.path);
    expect(await files.isSame(stored, file)).toBe(true);
    expect(await files.isSame(stored, aFile(file.path, Buffer.concat([content, Buffer.from("x")])))).toBe(false);
    if (size === 0) return;
    const edited = Buffer.from(content);
    edited[size - 1] = 0;
    expect(await files.isSame(stored, aFile(file.path, edited))).toBe(false);
  },
);

test("an object that another tool uploaded in one part counts as the same, however large it is", async () => {
  const content = Buffer.alloc(9 * MiB, "x");
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "vision/mnist/whole", Body: content }));
  expect(await files.isSame(await find("whole"), aFile("whole", content))).toBe(true);
});

test("a file whose length changes during the upload is not stored", async () => {
  const file = { ...aFile("moving", Buffer.alloc(10)), bytes: 12 };
  await expect(files.put(of, file)).rejects.toMatchObject({ code: "file-changed" });
  expect((await files.list(of)).map(({ path }) => path)).not.toContain("moving");
});

test("files are removed by name, and other datasets' files and folder markers are not listed", async () => {
  const set = { team: "vision", dataset: "many" };
  for (const key of ["many/a", "many/b c", "many/d/", "many-2/f"])
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `vision/${key}`, Body: key.endsWith("/") ? "" : "x" }));
  expect((await files.list(set)).map(({ path }) => path)).toEqual(["a", "b c"]);
  expect(await files.remove(set, ["b c", "never there"])).toEqual([]);
  expect((await files.list(set)).map(({ path }) => path)).toEqual(["a"]);
});

test("a listing that S3 refuses is reported in words", async () => {
  const none = s3DatasetFiles({ s3, bucket: `${bucket}-none` });
  await expect(none.list(of)).rejects.toMatchObject({
    code: "dataset-files",
    message: expect.stringContaining("could not be listed: NoSuchBucket"),
  });
});
