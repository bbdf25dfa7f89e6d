import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { uploadAssets } from "../../../lib/local/template/assets.ts";

test("a deployment's files are uploaded after their buckets exist, each bucket is created once, and archives are left out", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fleetwright-assets-"));
  const path = join(folder, "worker.mjs");
  await writeFile(path, "x");
  const buckets = new Set<string>();
  const put: string[] = [];
  const send = async (command: { input: { Bucket: string; Key?: string } }): Promise<object> => {
    const { Bucket, Key } = command.input;
    if (Key === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(buckets.has(Bucket)).toBe(false);
      buckets.add(Bucket);
    } else {
      expect(buckets.has(Bucket)).toBe(true);
      put.push(`${Bucket}/${Key}`);
    }
    return {};
  };
  const asset = (bucket: string, key: string, packaging: "file" | "zip" = "file") => ({ path, packaging, bucket, key });
  await uploadAssets({ send } as unknown as S3Client, [asset("a", "1"), asset("a", "2"), asset("b", "3"), asset("c", "4", "zip")]);
  expect(put.toSorted()).toEqual(["a/1", "a/2", "b/3"]);
  expect([...buckets]).toEqual(["a", "b"]);
});
