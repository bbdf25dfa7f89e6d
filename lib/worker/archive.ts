import { createReadStream } from "node:fs";
import { posix } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { type ReadEntry, Unpack } from "tar";
import { Fault } from "../model/fault.ts";
import type { User } from "./program.ts";

export type ArchiveLimits = {
  /** Of the archive itself. */
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly entries: number;
};

const GiB = 1024 ** 3;
export const archiveLimits: ArchiveLimits = { packedBytes: 5 * GiB, unpackedBytes: 20 * GiB, entries: 200_000 };

/** What an entry's own blocks may add to the unpacked bytes: its header, a long name, padding. */
const overheadBytes = 4 * 1024;

/** An entry of an archive, as far as its safety goes. */
export type Entry = { readonly path: string; readonly type: string; readonly size: number; readonly linkpath?: string | undefined };

const kinds: Readonly<Record<string, "file" | "folder" | "symlink" | "hardlink">> = {
  File: "file",
  OldFile: "file",
  ContiguousFile: "file",
  Directory: "folder",
  GNUDumpDir: "folder",
  SymbolicLink: "symlink",
  Link: "hardlink",
};

/**
 * Looks at entries in their order, before any of them is written. It answers why the archive is refused, or undefined.
 *
 * A link may climb only with leading "..", from a parent that is no link itself: so each link's target is really where
 * its text says, inside the folder, and by induction so is whatever is reached through it. What was once a link counts as
 * one for good.
 */
export function archiveInspector(limits: ArchiveLimits): (entry: Entry) => string | undefined {
  const links = new Set<string>();
  let entries = 0;
  let bytes = 0;
  const throughLink = (path: string): boolean => parentsOf(path).some((parent) => links.has(parent));

  const tooMuch = (): string | undefined => {
    if (entries > limits.entries) return `it has more than ${limits.entries} entries`;
    return bytes > limits.unpackedBytes ? tooLarge(limits) : undefined;
  };
  const linkTrouble = (path: string, kind: "symlink" | "hardlink", linkpath: string): string | undefined => {
    if (kind === "symlink") return staysInside(path, linkpath) ? undefined : `the link "${path}" points outside the working directory`;
    const target = inside(linkpath);
    if (target === undefined) return `the link "${path}" points outside the working directory`;
    return throughLink(target) ? `the link "${path}" points through another link` : undefined;
  };

  return (entry) => {
    entries++;
    bytes += entry.size;
    const much = tooMuch();
    if (much !== undefined) return much;
    const kind = kinds[entry.type];
    if (kind === undefined) return `"${entry.path}" is a ${entry.type}, which is neither file, folder nor link`;
    const path = inside(entry.path);
    if (path === undefined) return `"${entry.path}" lies outside the working directory`;
    if (throughLink(path)) return `"${entry.path}" would be written through a link`;
    if (kind === "symlink") links.add(path);
    return kind === "symlink" || kind === "hardlink" ? linkTrouble(path, kind, entry.linkpath ?? "") : undefined;
  };
}

const tooLarge = (limits: ArchiveLimits): string => `it unpacks to more than ${limits.unpackedBytes} bytes`;

/** The path, normalized; undefined when it is absolute, empty or climbs. */
function inside(path: string): string | undefined {
  if (path === "" || path.startsWith("/") || path.includes("\0") || path.includes("\\") || path.split("/").includes("..")) return undefined;
  return posix.normalize(path).replace(/\/$/, "");
}

function staysInside(link: string, target: string): boolean {
  if (target === "" || target.startsWith("/") || target.includes("\0") || target.includes("\\")) return false;
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const climbs = parts.findIndex((part) => part !== "..");
  const leading = climbs === -1 ? parts.length : climbs;
  return leading <= parentsOf(link).length && !parts.slice(leading).includes("..");
}

/** "a/b/c" → ["a", "a/b"] */
function parentsOf(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

export type UnpackOptions = {
  readonly folder: string;
  readonly limits: ArchiveLimits;
  /** Who shall own what is unpacked; absent: the worker's own user. */
  readonly owner?: User | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Unpacks a .tar.gz into a folder. Throws a Fault that says what to change for an archive that is broken, too large,
 * or tries to leave the folder; nothing is ever written outside. What was unpacked until then remains.
 */
export async function unpack(archive: string, options: UnpackOptions): Promise<void> {
  const { folder, limits, owner, signal } = options;
  const refuse = (why: string) => new Fault("archive", `the code archive was refused: ${why}`);
  const inspect = archiveInspector(limits);
  let refused: string | undefined;
  const writer = new Unpack({
    cwd: folder,
    strict: true,
    maxReadSize: 1024 * 1024,
    ...(owner ? { uid: owner.uid, gid: owner.gid } : { preserveOwner: false }),
    filter: (_path, stat) => {
      const entry = stat as ReadEntry;
      refused ??= inspect({ path: entry.path, type: entry.type, size: entry.size, linkpath: entry.linkpath });
      // No set-uid, set-gid or sticky bits.
      if (entry.mode !== undefined) entry.mode &= 0o777;
      return refused === undefined;
    },
  });
  // Counts what comes out of gzip, entries or not: nobody is kept busy by a bomb.
  let bytes = 0;
  const mostBytes = limits.unpackedBytes + limits.entries * overheadBytes;
  const guard = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > mostBytes) refused ??= tooLarge(limits);
      done(refused === undefined ? null : refuse(refused), chunk);
    },
  });
  try {
    await pipeline(createReadStream(archive), createGunzip(), guard, writer, ...(signal ? [{ signal }] : []));
  } catch (error) {
    if (refused !== undefined) throw refuse(refused);
    if (error instanceof Fault || signal?.aborted || isMachinesTrouble(error)) throw error;
    throw refuse(`it is not a whole .tar.gz (${error instanceof Error ? error.message : String(error)})`);
  }
  if (refused !== undefined) throw refuse(refused);
}

/** A full or broken disk says nothing about the archive. */
function isMachinesTrouble(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT" || code === "EIO" || code === "EMFILE" || code === "ENFILE";
}
