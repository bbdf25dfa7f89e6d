import { printable } from "./byte-name.ts";

/**
 * What a code archive may contain. `fleet submit --workdir` packs and a node unpacks by these rules, so that a node refuses nothing that
 * was packed. Paths and the targets of links are bytes: each character stands for one byte (0 to 255).
 */
export type ArchiveLimits = {
  /** Size of the archive itself. */
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly entries: number;
};

const GiB = 1024 ** 3;
export const archiveLimits: ArchiveLimits = { packedBytes: 5 * GiB, unpackedBytes: 20 * GiB, entries: 200_000 };

/** Linux accepts 4,095 bytes, of which the path of an attempt's folder uses some. */
const maxPathBytes = 3500;
const maxNameBytes = 255;
/** Deeper trees are mistakes, such as a folder that is copied into itself. Each entry costs work for each of its parents. */
const maxParents = 255;

/** The fields of an archive's entry that decide whether it is safe. */
export type ArchiveEntry = { readonly path: string; readonly type: string; readonly size: number; readonly linkpath?: string | undefined };

type Kind = "file" | "folder" | "symlink" | "hardlink";

const kinds: Readonly<Record<string, Kind | undefined>> = {
  File: "file",
  OldFile: "file",
  ContiguousFile: "file",
  Directory: "folder",
  GNUDumpDir: "folder",
  SymbolicLink: "symlink",
  Link: "hardlink",
};

/**
 * Returns a function that must see each entry in order, before it is written. That function returns why the archive is refused, or
 * undefined if the entry is safe.
 *
 * A link may use ".." only at its beginning, and no parent of a link may be a link itself. So each link's target is where its text says,
 * inside the folder, and by induction so is everything that is reached through it. A path that was once a link counts as a link from then
 * on. A hard link to a link is another link with the same text, which must not lead outside from its own place either.
 */
export function archiveInspector(limits: ArchiveLimits): (entry: ArchiveEntry) => string | undefined {
  /** The links seen so far, with their text. */
  const links = new Map<string, string>();
  let entries = 0;
  let bytes = 0;
  const throughLink = (path: string): boolean => links.size > 0 && parentsOf(path).some((parent) => links.has(parent));

  const tooMuch = (): string | undefined => {
    if (entries > limits.entries) return `it has more than ${limits.entries} entries`;
    return bytes > limits.unpackedBytes ? unpacksToTooMuch(limits) : undefined;
  };
  const symlinkTrouble = (path: string, text: string): string | undefined => {
    links.set(path, text);
    return linkStaysInside(path, text) ? undefined : `the link "${printable(path)}" points outside the working directory`;
  };
  const hardLinkTrouble = (path: string, linkpath: string): string | undefined => {
    const target = inside(linkpath);
    if (target !== undefined && isTooDeep(target)) return tooDeep(printable(target));
    if (target === undefined) return `the link "${printable(path)}" points outside the working directory`;
    if (throughLink(target)) return `the link "${printable(path)}" points through another link`;
    const text = links.get(target);
    return text === undefined ? undefined : symlinkTrouble(path, text);
  };

  const placeTrouble = (path: string, shown: string, kind: Kind): string | undefined => {
    if (path === "" && kind !== "folder") return `"${shown}" is a name for the working directory itself`;
    if (isTooLong(path)) return `the path "${shown.slice(0, 60)}…" is longer than Linux allows`;
    if (isTooDeep(path)) return tooDeep(shown);
    return throughLink(path) ? `"${shown}" would be written through a link` : undefined;
  };
  const linkTrouble = (path: string, kind: Kind, text: string): string | undefined => {
    if (kind === "symlink") return symlinkTrouble(path, text);
    return kind === "hardlink" ? hardLinkTrouble(path, text) : undefined;
  };

  return (entry) => {
    entries++;
    bytes += entry.size;
    const much = tooMuch();
    if (much !== undefined) return much;
    const kind = kinds[entry.type];
    const shown = printable(entry.path);
    if (kind === undefined) return `"${shown}" is a ${entry.type}, which is neither a file, a folder nor a link`;
    const path = inside(entry.path);
    if (path === undefined) return `"${shown}" lies outside the working directory`;
    return placeTrouble(path, shown, kind) ?? linkTrouble(path, kind, entry.linkpath ?? "");
  };
}

export const unpacksToTooMuch = (limits: ArchiveLimits): string => `it unpacks to more than ${limits.unpackedBytes} bytes`;

/** Returns the path as parts joined by single slashes, "" for the folder itself, or undefined if it is empty, absolute or contains "..". */
export function inside(path: string): string | undefined {
  if (path === "" || path.startsWith("/") || path.includes("\0")) return undefined;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") ? undefined : parts.join("/");
}

const isTooLong = (path: string): boolean => path.length > maxPathBytes || path.split("/").some((part) => part.length > maxNameBytes);

const isTooDeep = (path: string): boolean => depthOf(path) > maxParents;
const tooDeep = (shown: string): string => `the path "${shown.slice(0, 60)}…" leads through more than ${maxParents} folders`;

/** Whether a link at this path always leads inside the folder, whatever its text passes through. No parent of the path may be a link. */
export function linkStaysInside(path: string, text: string): boolean {
  if (text === "" || text.length > maxPathBytes || text.startsWith("/") || text.includes("\0")) return false;
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  const climbs = parts.findIndex((part) => part !== "..");
  const leading = climbs === -1 ? parts.length : climbs;
  return leading <= depthOf(path) && !parts.slice(leading).includes("..");
}

/** "a/b/c" → 2 */
const depthOf = (path: string): number => path.split("/").length - 1;

/** "a/b/c" → ["a", "a/b"] */
function parentsOf(path: string): readonly string[] {
  const parents: string[] = [];
  for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) parents.push(path.slice(0, end));
  return parents;
}
