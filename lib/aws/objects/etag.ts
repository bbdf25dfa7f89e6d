import { createHash, type Hash } from "node:crypto";
import type { Readable } from "node:stream";
import { partBytesOf } from "./object-upload.ts";

/**
 * Whether an object whose ETag is known holds the same bytes. An object that was put in one piece has their MD5 as its ETag; one
 * that was put in parts has the MD5 of the parts' MD5s, which can be computed for the parts that `uploadObject` makes.
 * `false` means "cannot be shown to be the same": parts of another size, and objects that a KMS key encrypts, whose ETag is no MD5.
 */
export async function hasSameBytes(etag: string, of: { readonly bytes: number; open(): Readable }): Promise<boolean> {
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
