import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { DatasetFile } from "../../aws/datasets/dataset-files.ts";

/** A file of the demonstration's dataset, below its prefix. */
export type DataFile = DatasetFile & { readonly body: Buffer };

const pages = 24;
const pageBytes = 16 * 1024;

/** Data that is the same on every machine: chained hashes, which no compression makes small. */
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

/** What lies in the dataset when the first jobs are sent. */
export const firstFiles: readonly DataFile[] = Array.from({ length: pages }, (_, number) => file(number));
/** What comes while they run: the shard map has to change. */
export const laterFile: DataFile = file(pages);

/** What `sha256sum` says of these files, in the order of their paths. */
export const checksums = (files: readonly DataFile[]): string =>
  files
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, body }) => `${createHash("sha256").update(body).digest("hex")}  ${path}\n`)
    .join("");
