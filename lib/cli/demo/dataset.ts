import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { DatasetFile } from "../../aws/datasets/dataset-files.ts";

/** A file of the demonstration's dataset. */
export type DataFile = DatasetFile & { readonly body: Buffer };

const pages = 24;
const pageBytes = 16 * 1024;

/** Returns data that is the same on every machine: chained hashes, which do not compress. */
function page(number: number): Buffer {
  const blocks: Buffer[] = [];
  for (let block = createHash("sha256").update(`page ${number}`).digest(); blocks.length * 32 < pageBytes; ) {
    blocks.push(block);
    block = createHash("sha256").update(block).digest();
  }
  return Buffer.concat(blocks);
}

function file(number: number): DataFile {
  const body = page(number);
  return { path: `pages/${String(number).padStart(2, "0")}.bin`, body, bytes: body.length, open: () => Readable.from([body]) };
}

/** The files of the dataset when the first jobs are sent. */
export const firstFiles: readonly DataFile[] = Array.from({ length: pages }, (_, number) => file(number));
/** A file that is added while they run, so that the shard map must change. */
export const laterFile: DataFile = file(pages);

/** Returns the output of `sha256sum` for these files, sorted by path. */
export const checksums = (files: readonly DataFile[]): string =>
  files
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, body }) => `${createHash("sha256").update(body).digest("hex")}  ${path}\n`)
    .join("");
