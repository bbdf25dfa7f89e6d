import type { Dirent } from "node:fs";
import { posix } from "node:path";
import { archiveLimits, linkStaysInside } from "../../model/files/archive-entry.ts";
import { printable } from "../../model/files/byte-name.ts";
import { UsageError } from "../invocation/exit.ts";
import { errorCode, isDenied, isGone, localDisk, type PackDisk, pathOf } from "./disk.ts";
import { type Rules, reachesInto, ruleOn } from "./ignore.ts";
import { gitIgnoreFile, ignoreFile, rulesAbove, withFile } from "./ignore-files.ts";
import { type CountLimits, countLimits, type Ignored, IgnoredCount } from "./ignored.ts";
import { isEnvironment, isNeverPacked } from "./never-packed.ts";

/** An entry of an archive. Its path is bytes, one character per byte. */
export type PackedItem =
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly bytes: number }
  | { readonly kind: "folder"; readonly path: string; readonly mode: number }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

/** An entry that cannot be packed, although no rule excludes it. */
export type UnpackedEntry = { readonly path: string; readonly kind: "link" | "unreadable" | "special"; readonly why: string };

/** Facts about a folder in addition to its items. */
export type ListedFolder = {
  /** Number of files and links. */
  readonly files: number;
  /** Total size of all files. */
  readonly bytes: number;
  readonly leftOut: readonly UnpackedEntry[];
  readonly ignored: Ignored;
};

export type Listing = ListedFolder & {
  /** The folder's real path; bytes, one character per byte. */
  readonly root: string;
  /** Sorted by path, so that an unchanged folder gives the same archive, and a folder precedes its contents. */
  readonly items: readonly PackedItem[];
};

export type ListingOptions = {
  /** Whether the folder is code, so that .gitignore files and never-packed.ts exclude files. For data they do not apply. */
  readonly git: boolean;
  readonly disk?: PackDisk;
  readonly counting?: CountLimits;
  /** @default the most that nodes unpack */
  readonly maxEntries?: number;
};

/**
 * Lists a folder. Rules apply as in git: the last match decides, and files of deeper folders override those of folders above. Rules of
 * .fleetignore files override those of .gitignore files. No rule can include a file of an excluded folder, with one exception: a rule
 * `!data/best.pt` of a .fleetignore file, which names a path, reaches into folders that git ignores.
 */
export async function listingOf(folder: string, options: ListingOptions): Promise<Listing> {
  const { disk = localDisk, git, counting = countLimits, maxEntries = archiveLimits.entries } = options;
  const root = disk.resolve(pathOf(folder));
  const count = new IgnoredCount(disk, root, counting);
  const walk: Walk = { disk, git, root, folder, maxEntries, count, items: [], leftOut: [] };
  const above = git ? rulesAbove(disk, root) : undefined;
  await visit(walk, "", { git: above, fleet: undefined, isIgnored: false, entries: await disk.list(root) });
  const items = walk.items.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return {
    root,
    items,
    files: items.filter(({ kind }) => kind !== "folder").length,
    bytes: items.reduce((sum, item) => sum + (item.kind === "file" ? item.bytes : 0), 0),
    leftOut: walk.leftOut.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    ignored: count.total,
  };
}

type Walk = Required<Pick<ListingOptions, "disk" | "git" | "maxEntries">> & {
  readonly root: string;
  /** The folder as the user named it. */
  readonly folder: string;
  readonly count: IgnoredCount;
  readonly items: PackedItem[];
  readonly leftOut: UnpackedEntry[];
};

/** The rules for the entries of a folder: those of the folders above, and whether git ignores the folder or one of those. */
type Scope = { readonly git: Rules | undefined; readonly fleet: Rules | undefined; readonly isIgnored: boolean };

async function visit(walk: Walk, base: string, { entries, ...outer }: Scope & { readonly entries: readonly Dirent[] }): Promise<void> {
  const scope = scopeIn(walk, base, { entries, ...outer });
  for (const entry of entries) {
    const path = base + entry.name;
    if (walk.git && isNeverPacked(entry.name)) continue;
    const treatment = treatmentOf(path, entry.isDirectory(), scope);
    if (treatment === "out") continue;
    if (treatment === "ignored" && !(entry.isDirectory() && reachesInto(scope.fleet, path)))
      await walk.count.add(path, entry.isDirectory());
    else await take(walk, path, { entry, scope: { ...scope, isIgnored: treatment === "ignored" } });
    if (walk.items.length > walk.maxEntries)
      throw new UsageError(`${walk.folder} has more than ${walk.maxEntries} files and folders; exclude some with a ${ignoreFile} file`);
  }
}

function scopeIn({ disk, git, root }: Walk, base: string, scope: Scope & { readonly entries: readonly Dirent[] }): Scope {
  const rulesIn = (name: string, outer: Rules | undefined, follows: boolean): Rules | undefined => {
    const file = scope.entries.find((entry) => entry.name === name);
    const isThere = file?.isFile() || (follows && file?.isSymbolicLink());
    return isThere ? withFile(disk, `${root}/${base}${name}`, { base, above: "", outer }) : outer;
  };
  return {
    // Git does not follow a link to a .gitignore file.
    git: git ? rulesIn(gitIgnoreFile, scope.git, false) : undefined,
    fleet: rulesIn(ignoreFile, scope.fleet, true),
    isIgnored: scope.isIgnored,
  };
}

/** Returns whether an entry is kept, "ignored" by git, or "out" because of a .fleetignore file. */
function treatmentOf(path: string, isFolder: boolean, { git, fleet, isIgnored }: Scope): "kept" | "ignored" | "out" {
  const own = ruleOn(fleet, path, isFolder);
  if (own && !own.keeps) return "out";
  if (own && !(isIgnored && own.byName)) return "kept";
  if (isIgnored) return "ignored";
  const rule = ruleOn(git, path, isFolder);
  return rule && !rule.keeps ? "ignored" : "kept";
}

async function take(walk: Walk, path: string, { entry, scope }: { readonly entry: Dirent; readonly scope: Scope }): Promise<void> {
  try {
    if (entry.isDirectory()) await takeFolder(walk, path, scope);
    else takeFile(walk, path, entry);
  } catch (error) {
    // An entry that was removed since its folder was listed counts as removed before.
    if (isGone(error)) return;
    if (!isDenied(error)) throw error;
    walk.leftOut.push({
      path,
      kind: "unreadable",
      why: `a ${entry.isDirectory() ? "folder" : "file"} that you have no permission to read`,
    });
  }
}

async function takeFolder(walk: Walk, path: string, scope: Scope): Promise<void> {
  const entries = await walk.disk.list(`${walk.root}/${path}`);
  if (walk.git && isEnvironment(entries)) return;
  if (!scope.isIgnored) walk.items.push({ kind: "folder", path, mode: walk.disk.stat(`${walk.root}/${path}`).mode });
  await visit(walk, `${path}/`, { ...scope, entries });
}

function takeFile({ disk, root, items, leftOut }: Walk, path: string, entry: Dirent): void {
  if (entry.isFile()) {
    disk.checkReadable(`${root}/${path}`);
    const { mode, size } = disk.stat(`${root}/${path}`);
    items.push({ kind: "file", path, mode, bytes: size });
  } else if (entry.isSymbolicLink()) {
    const link = linkAt(disk, root, path);
    if ("target" in link) items.push({ kind: "link", path, target: link.target });
    else leftOut.push({ path, kind: "link", why: link.trouble });
  } else leftOut.push({ path, kind: "special", why: oddKind(entry) });
}

function oddKind(entry: Dirent): string {
  if (entry.isSocket()) return "a socket";
  return entry.isFIFO() ? "a named pipe" : "a device";
}

type Link = { readonly target: string } | { readonly trouble: string };

/**
 * Returns the target that a link has in the archive. It is the link's own if that also works on a node. Otherwise (an absolute path into
 * the folder, a detour through its parent) it is the path from the link to the same file. A broken link is kept if it stays inside.
 */
function linkAt(disk: PackDisk, root: string, path: string): Link {
  const file = `${root}/${path}`;
  const text = disk.linkText(file);
  const outside: Link = { trouble: `a link to ${printable(text)}, outside the folder` };
  const leadsTo = whereItLeads(disk, file, text);
  if (leadsTo === undefined) return { trouble: `a link to ${printable(text)}, which you have no permission to follow` };
  if (leadsTo !== root && !leadsTo.startsWith(`${root}/`)) return outside;
  if (linkStaysInside(path, text)) return { target: text };
  const down = leadsTo.slice(root.length + 1);
  const up = "../".repeat(path.split("/").length - 1);
  return { target: up + down || "." };
}

/** Returns where a link leads, or undefined if the caller has no permission to follow it. */
function whereItLeads(disk: PackDisk, file: string, text: string): string | undefined {
  try {
    return disk.resolve(file);
  } catch (error) {
    if (isDenied(error)) return undefined;
    if (!["ENOENT", "ENOTDIR", "ELOOP"].includes(errorCode(error) ?? "")) throw error;
    return posix.resolve(posix.dirname(file), text);
  }
}
