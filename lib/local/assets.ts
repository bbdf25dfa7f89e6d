import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { CreateBucketCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Asset } from "./template/template.ts";

/** A node here runs this machine's own Node, so the binary that a deployment ships need not be kept in memory. */
const limitBytes = 20 * 1024 * 1024;

/** Puts the small files that a deployment would upload where the template says that they are. */
export async function uploadAssets(s3: S3Client, all: readonly Asset[]): Promise<void> {
  const assets = all.filter((asset) => asset.packaging === "file");
  for (const Bucket of new Set(assets.map((asset) => asset.bucket))) await s3.send(new CreateBucketCommand({ Bucket }));
  await Promise.all(
    assets.map(async ({ path, bucket, key }) => {
      const { size } = await stat(path);
      if (size > limitBytes) return;
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: createReadStream(path), ContentLength: size }));
    }),
  );
}
