import { printable } from "./byte-name.ts";

/**
 * What a code archive may hold. `fleet submit --workdir` packs by these rules and a node unpacks by them, so that a node refuses
 * nothing that was packed. Paths and the targets of links are bytes: each character stands for one (0 to 255).
 */
export type ArchiveLimits = {
  /** Of the archive itself. */
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly entries: number;
};

const GiB = 1024 ** 3;
export const archiveLimits: ArchiveLimits = { packedBytes: 5 * GiB, unpackedBytes: 20 * GiB, entries: 200_000 };

/** Linux takes 4,095 bytes, of which the folder of an attempt takes some. */
const mostPathBytes = 3500;
const mostNameBytes = 255;

/** An entry of an archive, as far as its safety goes. */
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
 * Looks at entries in their order, before any of them is written. It returns why the archive is refused, or undefined.
 *
 * A link may climb only with leading "..", from a parent that is no link itself: so each link's target is really where
 * its text says, inside the folder, and by induction so is whatever is reached through it. What was once a link counts as
 * one for good. A hard link to a link is one more link with the same text, and must stay inside from where it lies.
 */
export function archiveInspector(limits: ArchiveLimits): (entry: ArchiveEntry) => string | undefined {
  /** The links until now, with their text. */
  const links = new Map<string, string>();
  let entries = 0;
  let bytes = 0;
  const throughLink = (path: string): boolean => parentsOf(path).some((parent) => links.has(parent));

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
    if (target === undefined) return `the link "${printable(path)}" points outside the working directory`;
    if (throughLink(target)) return `the link "${printable(path)}" points through another link`;
    const text = links.get(target);
    return text === undefined ? undefined : symlinkTrouble(path, text);
  };

  const placeTrouble = (path: string, shown: string, kind: Kind): string | undefined => {
    if (path === "" && kind !== "folder") return `"${shown}" is a name for the working directory itself`;
    if (isTooLong(path)) return `the path "${shown.slice(0, 60)}…" is longer than Linux allows`;
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
    if (kind === undefined) return `"${shown}" is a ${entry.type}, which is neither file, folder nor link`;
    const path = inside(entry.path);
    if (path === undefined) return `"${shown}" lies outside the working directory`;
    return placeTrouble(path, shown, kind) ?? linkTrouble(path, kind, entry.linkpath ?? "");
  };
}

export const unpacksToTooMuch = (limits: ArchiveLimits): string => `it unpacks to more than ${limits.unpackedBytes} bytes`;

/** The path as parts joined by single slashes, "" for the top; undefined when it is absolute, empty or climbs. */
export function inside(path: string): string | undefined {
  if (path === "" || path.startsWith("/") || path.includes("\0")) return undefined;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") ? undefined : parts.join("/");
}

const isTooLong = (path: string): boolean => path.length > mostPathBytes || path.split("/").some((part) => part.length > mostNameBytes);

/** Whether a link at this path, none of whose parents is a link, leads nowhere but inside, whatever its text goes through. */
export function linkStaysInside(path: string, text: string): boolean {
  if (text === "" || text.length > mostPathBytes || text.startsWith("/") || text.includes("\0")) return false;
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  const climbs = parts.findIndex((part) => part !== "..");
  const leading = climbs === -1 ? parts.length : climbs;
  return leading <= parentsOf(path).length && !parts.slice(leading).includes("..");
}

/** "a/b/c" → ["a", "a/b"] */
function parentsOf(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}
