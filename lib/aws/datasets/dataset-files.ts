import { createHash, type Hash } from "node:crypto";
import { type Readable, Transform } from "node:stream";
import { DeleteObjectsCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { s3Refusal } from "../../../events/s3-refusal.ts";
import type { DatasetRef } from "../../model/dataset.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { partBytesOf, uploadObject } from "../objects/object-upload.ts";
import { allPages } from "../pages.ts";
import { objectsOf } from "./source-listing.ts";

export type DatasetFile = { readonly path: string; readonly bytes: number; open(): Readable };
/** A file as it is stored on S3. */
export type StoredFile = { readonly path: string; readonly bytes: number; readonly etag: string };
export type NotDone = { readonly path: string; readonly because: string };

/**
 * The files of a team's dataset, below `TEAM/NAME/` of the datasets bucket.
 *
 * Size and ETag show whether a file is unchanged. A listing contains both, so 1,000 files cost one call, no other state must
 * be kept, and files uploaded by other tools count as well. A time stamp would be cheaper to compare, but copies and checkouts
 * change it without changing the content, or keep it with another content.
 */
export type DatasetFiles = {
  /** Returns the stored files, without folder markers. Throws a FleetError if they cannot be listed. */
  list(of: DatasetRef): Promise<readonly StoredFile[]>;
  /** Returns whether a file has the content of a stored one. Reads the file. */
  isSame(stored: StoredFile, file: DatasetFile): Promise<boolean>;
  /** Uploads a file. `onBytes` is called as bytes are read. Throws a FleetError if the file does not have its stated size. */
  put(of: DatasetRef, file: DatasetFile, onBytes?: (bytes: number) => void): Promise<void>;
  /** Removes files, and returns those that could not be removed. */
  remove(of: DatasetRef, paths: readonly string[]): Promise<readonly NotDone[]>;
};

/** S3's limit of deletions per call. */
const maxDeletes = 1_000;

type Place = { readonly s3: S3Client; readonly bucket: string };

export const s3DatasetFiles = ({ s3, bucket }: Place): DatasetFiles => ({
  list: (of) => listFiles({ s3, bucket }, prefixOf(of)),
  isSame: async (stored, file) => stored.bytes === file.bytes && hasSameBytes(stored.etag, file),
  put: (of, { path, bytes, open }, onBytes = () => undefined) =>
    uploadObject(s3, { Bucket: bucket, Key: `${prefixOf(of)}${path}` }, { source: open(), stages: [counting(bytes, onBytes)], bytes }),
  async remove(of, paths) {
    const left: NotDone[] = [];
    for (let at = 0; at < paths.length; at += maxDeletes) {
      const Objects = paths.slice(at, at + maxDeletes).map((path) => ({ Key: `${prefixOf(of)}${path}` }));
      const { Errors } = await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
      for (const { Key, Code, Message } of Errors ?? [])
        left.push({ path: (Key ?? "").slice(prefixOf(of).length), because: `${Code ?? "unknown"}: ${Message ?? "no message"}` });
    }
    return left;
  },
});

const prefixOf = ({ team, dataset }: DatasetRef): string => `${team}/${dataset}/`;

async function listFiles({ s3, bucket }: Place, prefix: string): Promise<StoredFile[]> {
  try {
    const objects = await allPages(async (token) => {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, EncodingType: "url", ...(token ? { ContinuationToken: token } : {}) }),
      );
      return { items: objectsOf(page), next: page.NextContinuationToken };
    });
    return objects
      .filter(({ key, bytes }) => !(key.endsWith("/") && bytes === 0))
      .map(({ key, bytes, etag }) => ({ path: key.slice(prefix.length), bytes, etag }));
  } catch (error) {
    if (error instanceof FleetError) throw error;
    throw new FleetError("dataset-files", `s3://${bucket}/${prefix} could not be listed: ${s3Refusal(error).message}`, { cause: error });
  }
}

/** Returns a stream that counts bytes. It fails at the end if their number is not `expected`, because then the file has changed. */
function counting(expected: number, onBytes: (bytes: number) => void): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      onBytes(chunk.length);
      done(null, chunk);
    },
    flush(done) {
      done(bytes === expected ? null : new FleetError("file-changed", "it changed while it was being sent"));
    },
  });
}

/**
 * Returns whether an object with this ETag holds the same bytes. The ETag of an object that was uploaded in one piece is its MD5.
 * For an upload in parts it is the MD5 of the parts' MD5s, which can be computed for the part sizes of `uploadObject`.
 * Returns false if that cannot be shown: for parts of another size, and for objects encrypted with a KMS key, whose ETag is not an MD5.
 */
async function hasSameBytes(etag: string, of: { readonly bytes: number; open(): Readable }): Promise<boolean> {
  const partBytes = partBytesOf(of.bytes);
  const parts = /-(\d+)$/.exec(etag)?.[1];
  if (parts === undefined) return (await md5OfParts(of.open(), Number.POSITIVE_INFINITY)).at(0)?.toString("hex") === etag;
  if (Number(parts) !== Math.ceil(of.bytes / partBytes)) return false;
  const digests = await md5OfParts(of.open(), partBytes);
  return `${createHash("md5").update(Buffer.concat(digests)).digest("hex")}-${digests.length}` === etag;
}

async function md5OfParts(source: Readable, partBytes: number): Promise<Buffer[]> {
  const digests: Buffer[] = [];
  let hash: Hash = createHash("md5");
  let room = partBytes;
  for await (const read of source) {
    let chunk: Buffer = Buffer.from(read);
    while (chunk.length > room) {
      digests.push(hash.update(chunk.subarray(0, room)).digest());
      chunk = chunk.subarray(room);
      hash = createHash("md5");
      room = partBytes;
    }
    hash.update(chunk);
    room -= chunk.length;
  }
  return [...digests, hash.digest()];
}
