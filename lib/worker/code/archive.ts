import { createReadStream } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { type ArchiveLimits, archiveInspector, unpacksToTooMuch } from "../../model/files/archive-entry.ts";
import { ByteSource } from "../../model/files/byte-source.ts";
import type { User } from "../program/user.ts";
import { entryWriter } from "./entry-writer.ts";
import { refused } from "./refused-archive.ts";
import { notTar } from "./tar-header.ts";
import { tarEntries } from "./tar-reader.ts";

/** How much an entry's header, long name and padding may add to its unpacked bytes. */
const overheadBytes = 4 * 1024;

export type UnpackOptions = {
  readonly folder: string;
  readonly limits: ArchiveLimits;
  /** The user that owns the unpacked files. If undefined, the worker's own user owns them. */
  readonly owner?: User | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Unpacks a .tar.gz into an empty folder. It never writes outside that folder. Throws a FleetError that says what to change if the archive is
 * broken, too large, or tries to leave the folder. Entries that were unpacked before remain.
 */
export async function unpack(archive: string, options: UnpackOptions): Promise<void> {
  const { folder, limits, owner, signal } = options;
  const inspect = archiveInspector(limits);
  const write = entryWriter({ folder, owner, maxFolders: limits.entries });
  // Counts all bytes that come out of gzip, so that an archive bomb is refused even if it has no entries.
  let bytes = 0;
  const maxBytes = limits.unpackedBytes + limits.entries * overheadBytes;
  const guard = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(bytes > maxBytes ? refused(unpacksToTooMuch(limits)) : null, chunk);
    },
  });
  const entries = async (unzipped: AsyncIterable<Buffer>): Promise<void> => {
    let any = false;
    for await (const entry of tarEntries(new ByteSource(unzipped))) {
      any = true;
      const trouble = inspect(entry);
      if (trouble !== undefined) throw refused(trouble);
      await write(entry);
    }
    if (!any && bytes === 0) throw notTar();
  };
  try {
    await pipeline(createReadStream(archive), createGunzip({ chunkSize: 128 * 1024 }), guard, entries, ...(signal ? [{ signal }] : []));
  } catch (error) {
    throw isGzipTrouble(error) ? notTar() : error;
  }
}

const isGzipTrouble = (error: unknown): boolean =>
  error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("Z_");
