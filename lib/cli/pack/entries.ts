import { statSync } from "node:fs";
import { printable, textOf } from "../../model/files/byte-name.ts";
import { UsageError } from "../invocation/exit.ts";
import { bytesOf } from "./disk.ts";
import { ignoreFile } from "./ignore-files.ts";
import { listingOf, type UnpackedEntry } from "./listing.ts";

/** The files of a folder that are uploaded as a dataset. */
export type Entries = {
  /** Paths of files and links, with `/`, sorted. */
  readonly paths: readonly string[];
  /** Total size of all files. */
  readonly bytes: number;
  /** Sockets and other special files, which cannot be uploaded, each with its kind. */
  readonly odd: readonly string[];
};

const maxNamed = 20;

/**
 * Lists a folder without the files that `.fleetignore` files exclude. Files that .gitignore excludes are listed, because data is usually
 * ignored by git. Throws a UsageError for links that lead outside or not to a file, unreadable files, and names that cannot be keys on S3.
 */
export async function entriesOf(folder: string): Promise<Entries> {
  const { root, items, bytes, leftOut } = await listingOf(folder, { git: false });
  const links = items.flatMap(({ kind, path }) => (kind === "link" ? (whyNoFile(root, path) ?? []) : []));
  const missing = [...leftOut.filter(({ kind }) => kind !== "special"), ...links];
  if (missing.length > 0)
    throw new UsageError(
      [
        `nothing was uploaded; replace each of these with a file, or exclude it with a line in a ${ignoreFile} file:`,
        ...missing.slice(0, maxNamed).map(({ path, why }) => `${printable(path)} is ${why}`),
        ...(missing.length > maxNamed ? [`and ${missing.length - maxNamed} more`] : []),
      ].join("\n  "),
    );
  const paths = items.filter(({ kind }) => kind !== "folder").map(({ path }) => path);
  return { paths: paths.map(textual), bytes, odd: leftOut.map(({ path, why }) => `${printable(path)} (${why})`) };
}

/** Returns why a link cannot be uploaded as the file that it leads to, or undefined if it can. */
function whyNoFile(root: string, path: string): Pick<UnpackedEntry, "path" | "why"> | undefined {
  const target = statSync(bytesOf(`${root}/${path}`), { throwIfNoEntry: false });
  if (target?.isFile()) return undefined;
  if (target === undefined) return { path, why: "a broken link" };
  const kind = target.isDirectory() ? "a folder" : "something that is not a file";
  return { path, why: `a link to ${kind}, and a dataset contains only files` };
}

function textual(path: string): string {
  const text = textOf(path);
  if (text === undefined) throw new UsageError(`the name of ${printable(path)} is not UTF-8, and keys on S3 must be; rename it`);
  return text;
}
