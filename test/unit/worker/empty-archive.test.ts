import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { archiveLimits } from "../../../lib/model/files/archive-entry.ts";
import { unpack } from "../../../lib/worker/code/archive.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-empty-"));
  await mkdir(join(folder, "work"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function unpacked(tar: Buffer): Promise<readonly string[]> {
  const archive = join(folder, "code.tar.gz");
  await writeFile(archive, gzipSync(tar));
  await unpack(archive, { folder: join(folder, "work"), limits: archiveLimits });
  return readdir(join(folder, "work"));
}

test("a compressed file without any bytes is refused, because it is no archive", async () => {
  await expect(unpacked(Buffer.alloc(0))).rejects.toMatchObject({ retry: false, message: expect.stringContaining("tar.gz") });
});

test("an archive without entries is unpacked to an empty folder", async () => {
  expect(await unpacked(Buffer.alloc(1_024))).toEqual([]);
});
