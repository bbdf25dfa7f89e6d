import { printable, textOf } from "../../model/files/byte-name.ts";
import { UsageError } from "../invocation/exit.ts";
import { ignoreFile } from "./ignore-files.ts";
import { listingOf } from "./listing.ts";

/** What of a folder is uploaded as a dataset. */
export type Entries = {
  /** Files and links, with `/`, in the order of their names. */
  readonly paths: readonly string[];
  /** Of all files together, as they lie there. */
  readonly bytes: number;
  /** Sockets and the like, which cannot be uploaded, with what they are. */
  readonly odd: readonly string[];
};

const mostNamed = 20;

/**
 * Lists a folder without what `.fleetignore` files leave out. What .gitignore leaves out is kept: it is where data lies. Throws a
 * UsageError for a link that leads outside, for what may not be read, and for a name that no key on S3 can have.
 */
export async function entriesOf(folder: string): Promise<Entries> {
  const { items, bytes, leftOut } = await listingOf(folder, { git: false });
  const missing = leftOut.filter(({ kind }) => kind !== "special");
  if (missing.length > 0)
    throw new UsageError(
      [
        `nothing was uploaded; put a file in the place of each of these, or leave it out with a line in a ${ignoreFile} file:`,
        ...missing.slice(0, mostNamed).map(({ path, why }) => `${printable(path)} is ${why}`),
        ...(missing.length > mostNamed ? [`and ${missing.length - mostNamed} more`] : []),
      ].join("\n  "),
    );
  const paths = items.filter(({ kind }) => kind !== "folder").map(({ path }) => path);
  return { paths: paths.map(textual), bytes, odd: leftOut.map(({ path, why }) => `${printable(path)} (${why})`) };
}

function textual(path: string): string {
  const text = textOf(path);
  if (text === undefined) throw new UsageError(`the name of ${printable(path)} is not UTF-8, as keys on S3 are; rename it`);
  return text;
}
