import type { ArchiveEntry } from "../../model/files/archive-entry.ts";
import { printable } from "../../model/files/byte-name.ts";
import type { ByteSource } from "../../model/files/byte-source.ts";
import { type Extension, extensionOf, sparse } from "./pax.ts";
import { refused } from "./refused-archive.ts";
import { blockBytes, headerOf, notTar, type TarHeader } from "./tar-header.ts";

/**
 * An entry of a tar archive in one of the formats that are in use: v7, ustar, pax and GNU. We do not use a library, because none keeps
 * names as bytes: `tar` 7.5.23 decodes them as UTF-8, strips `w:` from `w:0.npy` as if it were a drive, and drops entries of unknown
 * types before its filter sees them; `tar-stream` 3.2.2 and `modern-tar` 0.8.6 decode the names in pax headers as UTF-8.
 *
 * Each entry is either returned or refused with a FleetError. Only volume labels are skipped, because they are not files.
 */
export type TarEntry = ArchiveEntry & {
  readonly mode: number;
  /** In seconds; undefined if the archive has none. */
  readonly mtime: number | undefined;
  /** Returns a file's content. It must be read before the next entry is requested. */
  readonly body: () => AsyncGenerator<Buffer>;
};

const types: Readonly<Record<string, string | undefined>> = {
  "0": "File",
  "1": "Link",
  "2": "SymbolicLink",
  "3": "CharacterDevice",
  "4": "BlockDevice",
  "5": "Directory",
  "6": "FIFO",
  "7": "ContiguousFile",
  D: "GNUDumpDir",
  V: "TapeVolumeHeader",
};
const files: ReadonlySet<string> = new Set(["0", "7"]);
/** Links and folders have no body, even if some programs write a size. A folder of a GNU dump has one that lists its entries. */
const bodiless: ReadonlySet<string> = new Set(["1", "2", "5"]);

/** The largest extended header or long name. It is limited because it is held in memory. */
const maxExtensionBytes = 1024 * 1024;

export async function* tarEntries(source: ByteSource): AsyncGenerator<TarEntry> {
  for (let next = await nextEntry(source); next !== undefined; next = await nextEntry(source)) {
    const { header, extension } = next;
    const { letter, ...entry } = entryOf(header, extension);
    const body = new Body(source, bodiless.has(letter) ? 0 : entry.size);
    if (letter !== "V") yield { ...entry, size: files.has(letter) ? entry.size : 0, body: () => body.read() };
    await body.skip();
  }
}

/** Returns the next entry's header, together with what the extended headers before it say about it. */
async function nextEntry(source: ByteSource): Promise<{ readonly header: TarHeader; readonly extension: Extension } | undefined> {
  let extension: Extension = {};
  for (let header = await nextHeader(source); header !== undefined; header = await nextHeader(source)) {
    const read = await extensionFrom(source, header);
    if (read === undefined) return { header, extension };
    extension = extended(extension, header.letter, read);
  }
  if (Object.keys(extension).length > 0) throw notTar();
  return undefined;
}

function extended(extension: Extension, letter: string, read: Extension): Extension {
  // A global header may say, for example, from which commit the archive was made. If it set a path, all entries would have that path.
  if (letter === "g" && (read.path ?? read.linkpath ?? read.size) !== undefined)
    throw refused("it contains a global header that renames all of its entries; pack it without that header");
  if (letter === "g") return extension;
  // A POSIX extended header overrides a GNU long name, in either order.
  return letter === "L" || letter === "K" ? { ...read, ...extension } : { ...extension, ...read };
}

/** Returns the next header, or undefined at the end of the archive. Throws a FleetError if data follows the end. */
async function nextHeader(source: ByteSource): Promise<TarHeader | undefined> {
  const block = await source.take(blockBytes);
  if (block.length === 0) return undefined;
  if (block.length < blockBytes) throw notTar();
  const header = headerOf(block);
  if (header !== undefined) return header;
  for (let more = await source.some(maxExtensionBytes); more !== undefined; more = await source.some(maxExtensionBytes))
    if (more.some((byte) => byte !== 0))
      throw refused("data follows after its end, such as a second archive; pack everything into one archive");
  return undefined;
}

/** Reads an extended header or a GNU long name, which describe the next entry. Returns undefined for the header of an entry itself. */
async function extensionFrom(source: ByteSource, { letter, size }: TarHeader): Promise<Extension | undefined> {
  if (!["x", "X", "g", "L", "K"].includes(letter)) return undefined;
  if (size > maxExtensionBytes) throw refused(`it contains an extended header of more than ${maxExtensionBytes} bytes`);
  const body = new Body(source, size);
  const bytes = await body.whole();
  await body.skip();
  const name = bytes.toString("latin1").split("\0", 1)[0];
  if (letter === "L") return name ? { path: name } : {};
  if (letter === "K") return name ? { linkpath: name } : {};
  return extensionOf(bytes);
}

function entryOf(header: TarHeader, { path = header.path, linkpath = header.linkpath, size = header.size, mtime }: Extension) {
  if (path === "") throw notTar();
  const shown = printable(path);
  // The oldest programs mark a folder only by a slash at the end of its path.
  const letter = header.letter === "0" && path.endsWith("/") ? "5" : header.letter;
  if (letter === "S") throw refused(`${sparse}: "${shown}"`);
  if (letter === "M") throw refused(`"${shown}" begins in another volume; pack everything into one archive`);
  const type = types[letter];
  if (type === undefined) throw refused(`"${shown}" has the type "${printable(letter)}", which is not supported`);
  return { letter, path, linkpath, size, type, mode: header.mode, mtime: mtime ?? header.mtime };
}

/** The bytes of an entry, and the padding of their last block. */
class Body {
  readonly #source: ByteSource;
  #left: number;
  readonly #padding: number;

  constructor(source: ByteSource, size: number) {
    this.#source = source;
    this.#left = size;
    this.#padding = (blockBytes - (size % blockBytes)) % blockBytes;
  }

  async *read(): AsyncGenerator<Buffer> {
    while (this.#left > 0) {
      const part = await this.#source.some(this.#left);
      if (part === undefined) throw notTar();
      this.#left -= part.length;
      yield part;
    }
  }

  async whole(): Promise<Buffer> {
    const bytes = await this.#source.take(this.#left);
    if (bytes.length < this.#left) throw notTar();
    this.#left = 0;
    return bytes;
  }

  /** Skips to the end of the last block. */
  async skip(): Promise<void> {
    const body = this.read();
    while (!(await body.next()).done);
    if ((await this.#source.take(this.#padding)).length < this.#padding) throw notTar();
  }
}
