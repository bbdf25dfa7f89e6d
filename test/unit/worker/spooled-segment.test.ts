import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OpenSegment } from "../../../lib/worker/logs/spooled-segment.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-segment-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a segment is a gzip file that only the worker can read, with its checksum and sizes", async () => {
  const file = join(folder, "log", "000000.gz");
  const segment = new OpenSegment(file, 70);
  expect([segment.write(Buffer.from("one\n")), segment.write(Buffer.from("two\n"))]).toEqual([undefined, undefined]);
  expect([segment.offset, segment.bytes]).toEqual([70, 8]);
  const spooled = await segment.end();
  const gzip = await readFile(file);
  expect(spooled).toEqual({
    file,
    sha256: createHash("sha256").update(gzip).digest("hex"),
    fileBytes: gzip.length,
    bytes: 8,
    offset: 70,
  });
  expect(gunzipSync(gzip).toString()).toBe("one\ntwo\n");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(segment.fileBytes).toBe(gzip.length);
});

test("a program must wait if 4 MiB wait for gzip, and goes on when they are written", async () => {
  const MiB = 1024 ** 2;
  const small = new OpenSegment(join(folder, "small"), 0);
  expect(small.write(randomBytes(4 * MiB - 1))).toBeUndefined();
  await small.end();
  const large = new OpenSegment(join(folder, "large"), 0);
  const room = large.write(randomBytes(4 * MiB));
  expect(room).toBeInstanceOf(Promise);
  await room;
  expect(large.write(Buffer.from("more"))).toBeUndefined();
  expect(await large.end()).toMatchObject({ bytes: 4 * MiB + 4 });
});

test("a program that waits goes on if the disk fails, and the segment is lost without a file", async () => {
  await writeFile(join(folder, "log"), "a file where the folder should be");
  const segment = new OpenSegment(join(folder, "log", "000000.gz"), 0);
  await segment.write(randomBytes(8 * 1024 ** 2));
  expect(await segment.end()).toBeUndefined();
  expect(segment.write(Buffer.alloc(8 * 1024 ** 2))).toBeUndefined();
  expect(await readdir(folder)).toEqual(["log"]);
});
