import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { uploadAssets } from "../../../lib/local/template/assets.ts";

test("a deployment's files are uploaded after their buckets exist, each bucket is created once, and archives are left out", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fleetwright-assets-"));
  const path = join(folder, "worker.mjs");
  await writeFile(path, "x");
  const buckets = new Set<string>();
  const put: string[] = [];
  const s3 = new S3Client({ region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } });
  s3.middlewareStack.add(
    () =>
      async ({ input }) => {
        const Bucket = "Bucket" in input ? String(input.Bucket) : "";
        if ("Key" in input) {
          expect(buckets.has(Bucket)).toBe(true);
          put.push(`${Bucket}/${String(input.Key)}`);
        } else {
          await new Promise((resolve) => setTimeout(resolve, 5));
          expect(buckets.has(Bucket)).toBe(false);
          buckets.add(Bucket);
        }
        return { output: { $metadata: {} }, response: undefined };
      },
    { step: "initialize" },
  );
  const asset = (bucket: string, key: string, packaging: "file" | "zip" = "file") => ({ path, packaging, bucket, key });
  await uploadAssets(s3, [asset("a", "1"), asset("a", "2"), asset("b", "3"), asset("c", "4", "zip")]);
  expect(put.toSorted()).toEqual(["a/1", "a/2", "b/3"]);
  expect([...buckets]).toEqual(["a", "b"]);
});
