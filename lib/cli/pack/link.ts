import { posix } from "node:path";
import { linkStaysInside } from "../../model/files/archive-entry.ts";
import { printable } from "../../model/files/byte-name.ts";
import { type Disk, errorCode, isDenied } from "./disk.ts";

export type Link = { readonly target: string } | { readonly trouble: string };

/**
 * The text that a link has in the archive: its own where that works on a node as well, else (an absolute path into the folder,
 * a detour over a parent of it) the way from the link to the same file. A link that leads nowhere is kept if it stays inside.
 */
export function linkAt(disk: Disk, root: string, path: string): Link {
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
