import { printable, textOf } from "../../model/files/byte-name.ts";
import { UsageError } from "../invocation/exit.ts";
import { ignoreFile } from "./ignore-files.ts";
import { listingOf } from "./listing.ts";

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
 * ignored by git. Throws a UsageError for links that lead outside, unreadable files, and names that cannot be keys on S3.
 */
export async function entriesOf(folder: string): Promise<Entries> {
  const { items, bytes, leftOut } = await listingOf(folder, { git: false });
  const missing = leftOut.filter(({ kind }) => kind !== "special");
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

function textual(path: string): string {
  const text = textOf(path);
  if (text === undefined) throw new UsageError(`the name of ${printable(path)} is not UTF-8, and keys on S3 must be; rename it`);
  return text;
}
