import type { Dirent } from "node:fs";
import { posix } from "node:path";
import { archiveLimits, linkStaysInside } from "../../model/files/archive-entry.ts";
import { printable } from "../../model/files/byte-name.ts";
import { UsageError } from "../invocation/exit.ts";
import { type Disk, errorCode, isDenied, isGone, localDisk, pathOf } from "./disk.ts";
import { type Rules, reachesInto, ruleOn } from "./ignore.ts";
import { gitIgnoreFile, ignoreFile, rulesAbove, withFile } from "./ignore-files.ts";
import { type CountLimits, countLimits, type Ignored, IgnoredCount } from "./ignored.ts";
import { isEnvironment, isNeverPacked } from "./never-packed.ts";

/** What goes into an archive; its path is bytes, one character each. */
export type Item =
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly bytes: number }
  | { readonly kind: "folder"; readonly path: string; readonly mode: number }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

/** What cannot be packed though no rule leaves it out. */
export type LeftOut = { readonly path: string; readonly kind: "link" | "unreadable" | "special"; readonly why: string };

/** What is known of a folder beside its items. */
export type Listed = {
  /** Files and links. */
  readonly files: number;
  /** Of all files together, as they lie there. */
  readonly bytes: number;
  readonly leftOut: readonly LeftOut[];
  readonly ignored: Ignored;
};

export type Listing = Listed & {
  /** Where it really lies; bytes, one character each. */
  readonly root: string;
  /** In the order of their paths, so that an unchanged folder is the same archive again: folders are before what they hold. */
  readonly items: readonly Item[];
};

export type ListOptions = {
  /** Whether it is code, of which .gitignore files and never-packed.ts leave out a part; of data, nothing is left out unasked. */
  readonly git: boolean;
  readonly disk?: Disk;
  readonly counting?: CountLimits;
  /** @default the most that nodes unpack */
  readonly mostEntries?: number;
};

/**
 * Lists a folder. Rules apply as in git: the last one that matches decides, and files of folders further down come after those of
 * folders above. All rules of .fleetignore files come after all of .gitignore's. In a folder that is left out nothing is brought
 * back, but for this: a rule `!data/best.pt` of a .fleetignore file, which names a path, reaches into folders that git ignores.
 */
export async function listingOf(folder: string, options: ListOptions): Promise<Listing> {
  const { disk = localDisk, git, counting = countLimits, mostEntries = archiveLimits.entries } = options;
  const root = disk.resolve(pathOf(folder));
  const count = new IgnoredCount(disk, root, counting);
  const walk: Walk = { disk, git, root, folder, mostEntries, count, items: [], leftOut: [] };
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

type Walk = Required<Pick<ListOptions, "disk" | "git" | "mostEntries">> & {
  readonly root: string;
  /** As it was given. */
  readonly folder: string;
  readonly count: IgnoredCount;
  readonly items: Item[];
  readonly leftOut: LeftOut[];
};

/** What holds for the entries of a folder: the rules of the folders above, and whether git ignores it or one of them. */
type Scope = { readonly git: Rules | undefined; readonly fleet: Rules | undefined; readonly isIgnored: boolean };

async function visit(walk: Walk, base: string, { entries, ...outer }: Scope & { readonly entries: readonly Dirent[] }): Promise<void> {
  const scope = scopeIn(walk, base, { entries, ...outer });
  for (const entry of entries) {
    const path = base + entry.name;
    if (walk.git && isNeverPacked(entry.name)) continue;
    const fate = fateOf(path, entry.isDirectory(), scope);
    if (fate === "out") continue;
    if (fate === "ignored" && !(entry.isDirectory() && reachesInto(scope.fleet, path))) await walk.count.add(path, entry.isDirectory());
    else await take(walk, path, { entry, scope: { ...scope, isIgnored: fate === "ignored" } });
    if (walk.items.length > walk.mostEntries)
      throw new UsageError(`${walk.folder} has more than ${walk.mostEntries} files and folders; leave some out with a ${ignoreFile} file`);
  }
}

function scopeIn({ disk, git, root }: Walk, base: string, scope: Scope & { readonly entries: readonly Dirent[] }): Scope {
  const rulesIn = (name: string, outer: Rules | undefined, follows: boolean): Rules | undefined => {
    const file = scope.entries.find((entry) => entry.name === name);
    const isThere = file?.isFile() || (follows && file?.isSymbolicLink());
    return isThere ? withFile(disk, `${root}/${base}${name}`, { base, above: "", outer }) : outer;
  };
  return {
    // As git does, it follows no link to a .gitignore file.
    git: git ? rulesIn(gitIgnoreFile, scope.git, false) : undefined,
    fleet: rulesIn(ignoreFile, scope.fleet, true),
    isIgnored: scope.isIgnored,
  };
}

/** "ignored" is by git, "out" by .fleetignore. */
function fateOf(path: string, isFolder: boolean, { git, fleet, isIgnored }: Scope): "kept" | "ignored" | "out" {
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
    // What has gone since its folder was listed might have gone just before.
    if (isGone(error)) return;
    if (!isDenied(error)) throw error;
    walk.leftOut.push({ path, kind: "unreadable", why: `a ${entry.isDirectory() ? "folder" : "file"} that you may not read` });
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
 * The text that a link has in the archive: its own where that works on a node as well, else (an absolute path into the folder,
 * a detour over a parent of it) the way from the link to the same file. A link that leads nowhere is kept if it stays inside.
 */
function linkAt(disk: Disk, root: string, path: string): Link {
  const file = `${root}/${path}`;
  const text = disk.linkText(file);
  const outside: Link = { trouble: `a link to ${printable(text)}, outside the folder` };
  const leadsTo = whereItLeads(disk, file, text);
  if (leadsTo === undefined) return { trouble: `a link to ${printable(text)}, which you may not follow` };
  if (leadsTo !== root && !leadsTo.startsWith(`${root}/`)) return outside;
  if (linkStaysInside(path, text)) return { target: text };
  const down = leadsTo.slice(root.length + 1);
  const up = "../".repeat(path.split("/").length - 1);
  return { target: up + down || "." };
}

/** Undefined if the caller may not know. */
function whereItLeads(disk: Disk, file: string, text: string): string | undefined {
  try {
    return disk.resolve(file);
  } catch (error) {
    if (isDenied(error)) return undefined;
    if (!["ENOENT", "ENOTDIR", "ELOOP"].includes(errorCode(error) ?? "")) throw error;
    return posix.resolve(posix.dirname(file), text);
  }
}
