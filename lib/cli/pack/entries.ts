import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../exit.ts";
import { type Ignores, ignoring } from "./ignore.ts";

export const ignoreFile = ".fleetignore";

/** What of a folder goes into an archive. */
export type Entries = {
  /** Files and links, with `/`, in the order of their names: an unchanged folder is the same archive again. */
  readonly paths: readonly string[];
  /** Of all files together, as they lie there. */
  readonly bytes: number;
  /** Sockets and the like, which no archive holds. */
  readonly odd: readonly string[];
};

/** The worker unpacks no more. */
const mostEntries = 200_000;

/** Lists a folder without what `.fleetignore` leaves out; throws a UsageError for a link that no worker would unpack. */
export async function entriesOf(folder: string): Promise<Entries> {
  const rules = await readFile(join(folder, ignoreFile), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const walk = { folder, ignores: ignoring(rules), paths: [], odd: [], bytes: 0 };
  await visit(walk, "");
  walk.paths.sort();
  return walk;
}

type Walk = { readonly folder: string; readonly ignores: Ignores; readonly paths: string[]; readonly odd: string[]; bytes: number };

async function visit(walk: Walk, below: string): Promise<void> {
  for (const entry of await readdir(join(walk.folder, below), { withFileTypes: true })) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (walk.ignores(path, entry.isDirectory())) continue;
    if (entry.isDirectory()) await visit(walk, path);
    else if (entry.isFile()) walk.bytes += (await lstat(join(walk.folder, path))).size;
    else if (entry.isSymbolicLink()) await checkLink(walk.folder, path);
    else walk.odd.push(path);
    if (entry.isFile() || entry.isSymbolicLink()) walk.paths.push(path);
    if (walk.paths.length > mostEntries)
      throw new UsageError(`${walk.folder} has more than ${mostEntries} files; leave some out with a ${ignoreFile} file`);
  }
}

/** A link may climb with leading ".." only, and not out of the folder: nodes unpack no other. */
async function checkLink(folder: string, path: string): Promise<void> {
  const target = await readlink(join(folder, path));
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const down = parts.findIndex((part) => part !== "..");
  const climbs = down === -1 ? parts.length : down;
  const stays = target !== "" && !/^\/|\\/.test(target) && climbs <= path.split("/").length - 1 && !parts.slice(climbs).includes("..");
  if (!stays)
    throw new UsageError(`the link ${path} points to ${target}, outside ${folder}; copy what it names, or leave it out in ${ignoreFile}`);
}
