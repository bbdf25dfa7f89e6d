import { printable } from "../../model/files/byte-name.ts";
import { UsageError } from "../invocation/exit.ts";
import { errorCode, isDenied, isGone, type PackDisk } from "./disk.ts";
import { type Rules, rulesOf } from "./ignore.ts";

export const gitIgnoreFile = ".gitignore";
export const ignoreFile = ".fleetignore";

/** Reads an ignore file of a folder. Its rules override those of `outer`. If the file does not exist, returns `outer`. */
export function withFile(disk: PackDisk, file: string, rules: Omit<Rules, "rules">): Rules | undefined {
  try {
    return { ...rules, rules: rulesOf(disk.read(file)) };
  } catch (error) {
    if (isGone(error) || errorCode(error) === "EISDIR") return rules.outer;
    if (errorCode(error) === "EINVAL" || errorCode(error) === "ENXIO")
      throw new UsageError(`${printable(file)} is not a regular file, so it is unknown what it excludes; replace it`, { cause: error });
    if (isDenied(error))
      throw new UsageError(`${printable(file)} cannot be read, so it is unknown what it excludes; make it readable`, { cause: error });
    throw error;
  }
}

/**
 * Returns git's rules from outside of a folder, if it is in a repository: those of `.git/info/exclude`, and those of the .gitignore files
 * of the folders above, from the top of the repository downwards.
 */
export function rulesAbove(disk: PackDisk, folder: string): Rules | undefined {
  const parts = folder.split("/");
  const tops = parts.map((_, index) => parts.slice(0, parts.length - index).join("/"));
  const top = tops.find((candidate) => exists(disk, `${candidate}/.git`));
  if (top === undefined) return undefined;
  const above = (from: string): string => (from === folder ? "" : `${folder.slice(from.length + 1)}/`);
  const exclude = `${gitFolder(disk, `${top}/.git`)}/info/exclude`;
  let rules = withFile(disk, exclude, { base: "", above: above(top), outer: undefined });
  const between = tops.slice(1, tops.indexOf(top) + 1).reverse();
  for (const from of between) {
    const file = `${from}/${gitIgnoreFile}`;
    if (isFile(disk, file)) rules = withFile(disk, file, { base: "", above: above(from), outer: rules });
  }
  return rules;
}

/** Returns the repository's own git folder. In a worktree, `.git` is a file that names a folder, where `commondir` names the git folder. */
function gitFolder(disk: PackDisk, git: string): string {
  const pointed = (file: string, pattern: RegExp, from: string): string | undefined => {
    const path = isFile(disk, file) ? pattern.exec(disk.read(file))?.[1] : undefined;
    return path === undefined || path.startsWith("/") ? path : `${from}/${path}`;
  };
  const folder = pointed(git, /^gitdir: (.+)/, git.slice(0, -"/.git".length)) ?? git;
  return pointed(`${folder}/commondir`, /^(.+)/, folder) ?? folder;
}

function exists(disk: PackDisk, path: string): boolean {
  try {
    disk.stat(path);
    return true;
  } catch {
    return false;
  }
}

/** Returns whether this is a file. Does not follow links, because git does not follow a link to a .gitignore file. */
function isFile(disk: PackDisk, path: string): boolean {
  try {
    return (disk.stat(path).mode & 0o170000) === 0o100000;
  } catch {
    return false;
  }
}
