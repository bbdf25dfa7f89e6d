import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { printable } from "../../model/files/byte-name.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { bytesOf, errorCode } from "./disk.ts";
import type { PackedItem } from "./listing.ts";
import { endOfArchive, headOf, paddingOf } from "./tar-writer.ts";

/** How much is read or yielded at a time. */
const chunkBytes = 256 * 1024;

/** Yields the tar archive of listed items, piece by piece. `root` is bytes. Throws a FleetError if a file was removed or shrinks meanwhile. */
export async function* contentsOf(root: string, items: readonly PackedItem[]): AsyncGenerator<Buffer> {
  // Small pieces are joined, because the stream's overhead per piece would take longer than all other work.
  let pieces: Buffer[] = [];
  let gathered = 0;
  for (const item of items) {
    for (const piece of piecesOf(root, item)) {
      pieces.push(piece);
      gathered += piece.length;
      if (gathered < chunkBytes) continue;
      yield Buffer.concat(pieces);
      pieces = [];
      gathered = 0;
    }
  }
  yield Buffer.concat([...pieces, endOfArchive]);
}

function* piecesOf(root: string, item: PackedItem): Generator<Buffer> {
  const { path } = item;
  if (item.kind === "folder") yield headOf({ path, kind: "folder", mode: (item.mode | 0o700) & 0o755, bytes: 0 });
  else if (item.kind === "link") yield headOf({ path, kind: "link", mode: 0o777, bytes: 0, target: item.target });
  else yield* fileOf(root, path);
}

/** Yields a file with its present size: data that is appended during the read is not packed. Removes write access of others. */
function* fileOf(root: string, path: string): Generator<Buffer> {
  const file = opened(root, path);
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw changed(path);
    yield headOf({ path, kind: "file", mode: (found.mode | 0o600) & 0o755, bytes: found.size });
    for (let left = found.size; left > 0; ) {
      const chunk = Buffer.allocUnsafe(Math.min(left, chunkBytes));
      const read = readSync(file, chunk);
      if (read === 0) throw changed(path);
      left -= read;
      yield chunk.subarray(0, read);
    }
    yield paddingOf(found.size);
  } finally {
    closeSync(file);
  }
}

function opened(root: string, path: string): number {
  try {
    // Since it was listed, the file may have become a link, or a named pipe without a writer.
    return openSync(bytesOf(`${root}/${path}`), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (["EMFILE", "ENFILE", "EIO"].includes(errorCode(error) ?? "")) throw error;
    throw changed(path);
  }
}

const changed = (path: string): FleetError =>
  new FleetError(
    "folder-changed",
    `${printable(path)} was changed or removed while the folder was packed; try again when no program writes to it`,
  );
