import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import * as z from "zod";

const Assets = z.looseObject({
  files: z.record(
    z.string(),
    z.looseObject({
      source: z.looseObject({ path: z.string().optional(), packaging: z.enum(["file", "zip"]).optional() }),
      destinations: z.record(z.string(), z.looseObject({ bucketName: z.string(), objectKey: z.string() })),
    }),
  ),
});

/** A file, or a folder as an archive, that a deployment would upload. */
export type Asset = { readonly path: string; readonly packaging: "file" | "zip"; readonly bucket: string; readonly key: string };

/** Returns the stack's assets, except the template itself. `names` contains the values of `${AWS::AccountId}` and other names. */
export async function readAssets(folder: string, stack: string, names: Readonly<Record<string, string>>): Promise<Asset[]> {
  const assets = Assets.parse(JSON.parse(await readFile(join(folder, `${stack}.assets.json`), "utf8")));
  return Object.values(assets.files).flatMap(({ source: { path, packaging }, destinations }) => {
    if (path === undefined || packaging === undefined || path.endsWith(".template.json")) return [];
    return Object.values(destinations).map((to) => ({
      path: join(folder, path),
      packaging,
      bucket: to.bucketName.replace(/\$\{([^}]+)\}/g, (all, name: string) => names[name] ?? all),
      key: to.objectKey,
    }));
  });
}

/** Excludes the Node binary: nodes here run this machine's Node, and the emulator would keep the binary in memory. */
const limitBytes = 20 * 1024 * 1024;

/** Uploads the small files of a deployment to the places where the template refers to them. */
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
