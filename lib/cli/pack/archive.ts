import { createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { archiveInspector, archiveLimits } from "../../model/files/archive-entry.ts";
import { UsageError } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import { bytes, count } from "../terminal/amount.ts";
import { contentsOf } from "./contents.ts";
import { errorCode, isDenied, localDisk, type PackDisk } from "./disk.ts";
import { gitIgnoreFile, ignoreFile } from "./ignore-files.ts";
import type { CountLimits } from "./ignored.ts";
import { type ListedFolder, type Listing, listingOf, type PackedItem } from "./listing.ts";
import { leftOutLines } from "./report.ts";
import { failTemporary, withTemporaryFolder } from "./temporary.ts";

const GiB = 1024 ** 3;
/** Limit of an archive. Larger data should be a dataset on S3, because each attempt fetches the archive again. */
const maxPackedBytes = GiB;

export type Packed = ListedFolder & {
  /** A .tar.gz, which is removed when the work with it ends. */
  readonly file: string;
  /** Size of the archive. */
  readonly packedBytes: number;
};

export type PackOptions = {
  /** Called now and then with the progress. */
  readonly onProgress?: (detail: string) => void;
  /** Whether it is an error if something cannot be packed. */
  readonly strict?: boolean | undefined;
  /** @default 1 GiB */
  readonly maxBytes?: number;
  readonly disk?: PackDisk;
  readonly counting?: CountLimits;
};

/** Packs a folder, passes the archive to `work` and removes it. Throws a UsageError if the folder cannot be packed or is too large. */
export async function withPacked<T>(folder: string, options: PackOptions, work: (packed: Packed) => Promise<T>): Promise<T> {
  const { items, root, ...listing } = await listed(folder, options);
  return withTemporaryFolder(async (temporary) => {
    const file = join(temporary, "code.tar.gz");
    await write(folder, { root, items, listing, file, options });
    return work({ ...listing, file, packedBytes: (await stat(file)).size });
  });
}

async function listed(folder: string, { strict = false, disk = localDisk, ...options }: PackOptions): Promise<Listing> {
  await checkFolder(folder);
  const listing = await listingOf(folder, { git: true, disk, ...(options.counting ? { counting: options.counting } : {}) }).catch(
    inWords(folder),
  );
  if (strict && listing.leftOut.length > 0)
    throw new UsageError(
      `--strict: not everything in ${folder} can be packed; replace these with files, or exclude them with a ${ignoreFile} file:\n` +
        leftOutLines(listing.leftOut).join("\n"),
    );
  if (listing.files === 0)
    throw new UsageError(
      `${folder} has no file to pack; name the folder that contains your program, or check what ${gitIgnoreFile} and ${ignoreFile} exclude`,
    );
  const inspect = archiveInspector(archiveLimits);
  for (const item of listing.items) {
    const refused = inspect(entryOf(item));
    if (refused !== undefined) throw new UsageError(`nodes would not unpack ${folder}: ${refused}; exclude it with a ${ignoreFile} file`);
  }
  return listing;
}

/** Returns an item as nodes see it when they check an archive before they unpack it. */
function entryOf(item: PackedItem): Parameters<ReturnType<typeof archiveInspector>>[0] {
  switch (item.kind) {
    case "file":
      return { path: item.path, type: "File", size: item.bytes };
    case "folder":
      return { path: item.path, type: "Directory", size: 0 };
    case "link":
      return { path: item.path, type: "SymbolicLink", size: 0, linkpath: item.target };
  }
}

async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(inWords(folder));
  if (!found.isDirectory()) throw new UsageError(`${folder} is a file; --workdir takes the folder that contains it`);
}

const inWords =
  (folder: string) =>
  (error: unknown): never => {
    if (errorCode(error) === "ENOENT") throw new UsageError(`there is no folder ${folder}`, { cause: error });
    if (errorCode(error) === "ENOTDIR") throw new UsageError(`${folder} is below a file; --workdir takes a folder`, { cause: error });
    if (isDenied(error))
      throw new UsageError(`you have no permission to read the folder ${folder}; ask its owner, or name another folder`, { cause: error });
    throw error;
  };

type Order = {
  readonly root: string;
  readonly items: readonly PackedItem[];
  readonly listing: ListedFolder;
  readonly file: string;
  readonly options: PackOptions;
};

async function write(folder: string, { root, items, listing, file, options }: Order): Promise<void> {
  const { maxBytes = maxPackedBytes, onProgress = () => undefined } = options;
  const tooLarge = new UsageError(
    `${folder} (${count(listing.files, "file")}, ${bytes(listing.bytes)}) is more than ${bytes(maxBytes)} packed; exclude data and results ` +
      `with a ${ignoreFile} file (like .gitignore), and give jobs their data as a dataset: ${commandLine("dataset", "add", "--help")}`,
  );
  let packed = 0;
  const measured = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      packed += chunk.length;
      onProgress(`${bytes(packed)} of at most ${bytes(maxBytes)}`);
      done(packed > maxBytes ? tooLarge : null, chunk);
    },
  });
  await pipeline(contentsOf(root, items), createGzip(), measured, createWriteStream(file)).catch(failTemporary);
}
