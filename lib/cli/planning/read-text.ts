import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { inWords } from "../../model/errors/in-words.ts";
import { asMeant } from "../invocation/asked-from.ts";
import { UsageError } from "../invocation/exit.ts";
import { fileTrouble } from "../invocation/file-trouble.ts";

/** More than this is no list of jobs, and might be anything that unpacks without end. */
const mostBytes = 512 * 1024 * 1024;

/** The text of a file, unpacked if it is gzipped, whatever its name; `-` is standard input. */
export async function readText(file: string): Promise<string> {
  const bytes = file === "-" ? await buffer(process.stdin) : await bytesOf(file);
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = isPacked ? await unpacked(file, bytes) : bytes;
  return new TextDecoder().decode(text);
}

const unpacked = (file: string, bytes: Buffer): Promise<Buffer> =>
  promisify(gunzip)(bytes, { maxOutputLength: mostBytes }).catch((error: unknown) => {
    throw new UsageError(`${file} is gzipped and cannot be unpacked: ${inWords(error)}`, { cause: error });
  });

const bytesOf = (file: string): Promise<Buffer> =>
  readFile(asMeant(file)).catch((error: unknown) => {
    throw fileTrouble(error, file);
  });
