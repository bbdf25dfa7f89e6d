import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { FleetError } from "../../model/fleet-error.ts";
import { isDefinite } from "../errors.ts";
import { uploadObject } from "../objects/object-upload.ts";
import { checking } from "../objects/plaintext-check.ts";

/** A stored archive. `code` is the value for a job's `code` field; `sent` says whether the archive was uploaded now. */
export type KeptCode = { readonly code: { readonly s3: string; readonly sha256: string }; readonly sent: boolean };

/** Stores code archives before jobs are submitted. */
export type CodeStore = {
  /** Uploads an archive (.tar.gz) unless it exists. */
  putCode(of: { readonly team: string; readonly file: string }): Promise<KeptCode>;
};

/** Archives are named by their content below the team's prefix, so that each is stored once. The bucket encrypts them at rest. */
export const s3CodeStore = (config: { readonly s3: S3Client; readonly codeBucket: string }): CodeStore => ({
  async putCode({ team, file }) {
    const { bytes, sha256 } = await measure(file);
    const object = { Bucket: config.codeBucket, Key: `${team}/${sha256}.tar.gz` };
    const sent = !(await exists(config.s3, object));
    if (sent) {
      // The file is read twice, and the check fails if it changed in between.
      await uploadObject(
        config.s3,
        { ...object, ContentType: "application/gzip" },
        { source: createReadStream(file), stages: [checking({ bytes, sha256 })], bytes },
      );
    }
    return { code: { s3: `s3://${object.Bucket}/${object.Key}`, sha256 }, sent };
  },
});

async function measure(file: string): Promise<{ bytes: number; sha256: string }> {
  const found = await stat(file).catch((cause: unknown) => {
    throw new FleetError("no-file", `${file} cannot be read`, { cause });
  });
  if (!found.isFile()) throw new FleetError("no-file", `${file} is not a file`);
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return { bytes: found.size, sha256: hash.digest("hex") };
}

/**
 * Returns whether S3 confirms that the archive exists. Any definite error counts as "does not exist", because without
 * s3:ListBucket, which teams lack on this bucket, S3 returns 403 for a missing object, and a HEAD response has no body that says
 * more. The archive is then uploaded again, which is harmless, and a real obstacle appears as the upload's error.
 */
async function exists(s3: Pick<S3Client, "send">, object: { readonly Bucket: string; readonly Key: string }): Promise<boolean> {
  try {
    await s3.send(new HeadObjectCommand(object));
    return true;
  } catch (error) {
    if (isDefinite(error)) return false;
    throw error;
  }
}
