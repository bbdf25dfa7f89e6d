import { createWriteStream, rmSync } from "node:fs";
import { mkdtemp, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { create } from "tar";
import { bytes } from "../amount.ts";
import { UsageError } from "../exit.ts";
import { commandLine } from "../invocation.ts";
import { type Entries, entriesOf, ignoreFile } from "./entries.ts";

const GiB = 1024 ** 3;
/** Larger things belong on S3, as a dataset: an archive is fetched anew by each attempt. */
export const mostPackedBytes = GiB;

export type Packed = Entries & {
  /** A .tar.gz; gone when the work with it ends. */
  readonly file: string;
  /** Of the archive. */
  readonly packedBytes: number;
};

export type PackOptions = {
  /** Told now and then how far it is. */
  readonly tell?: (detail: string) => void;
  /** @default `mostPackedBytes` */
  readonly mostBytes?: number;
};

/** Packs a folder, hands the archive to `work` and removes it. Throws UsageErrors for what cannot be packed or is too large. */
export async function withPacked<T>(folder: string, options: PackOptions, work: (packed: Packed) => Promise<T>): Promise<T> {
  await checkFolder(folder);
  const entries = await entriesOf(folder);
  if (entries.paths.length === 0)
    throw new UsageError(`${folder} has no file to pack; name the folder with your program in it, or see what ${ignoreFile} leaves out`);
  const temporary = await mkdtemp(join(tmpdir(), "fleetwright-pack-"));
  // Ctrl-C ends the process in the middle.
  const remove = (): void => rmSync(temporary, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    const file = join(temporary, "code.tar.gz");
    await write(folder, { entries, file, options });
    return await work({ ...entries, file, packedBytes: (await stat(file)).size });
  } finally {
    remove();
    process.off("exit", remove);
  }
}

async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(error.code === "ENOENT" ? `there is no folder ${folder}` : error.message);
  });
  if (!found.isDirectory()) throw new UsageError(`${folder} is a file; --workdir takes the folder it lies in`);
}

async function write(folder: string, of: { entries: Entries; file: string; options: PackOptions }): Promise<void> {
  const { mostBytes = mostPackedBytes, tell = () => undefined } = of.options;
  let packed = 0;
  const measured = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      packed += chunk.length;
      tell(`${bytes(packed)} of at most ${bytes(mostBytes)}`);
      done(packed > mostBytes ? tooLarge(folder, { mostBytes, of: of.entries }) : null, chunk);
    },
  });
  // No owners, no times: an unchanged folder gives the same bytes on every machine. A name that begins with @ would be read as an archive's.
  const paths = of.entries.paths.map((path) => (path.startsWith("@") ? `./${path}` : path));
  const archive = create({ gzip: true, cwd: folder, portable: true, noMtime: true, noDirRecurse: true, strict: true }, paths);
  await pipeline(archive, measured, createWriteStream(of.file));
}

const tooLarge = (folder: string, { mostBytes, of }: { mostBytes: number; of: Entries }): UsageError =>
  new UsageError(
    `${folder} (${of.paths.length} files, ${bytes(of.bytes)}) is more than ${bytes(mostBytes)} packed; leave data and results out ` +
      `with a ${ignoreFile} file (as .gitignore), and give jobs their data as a dataset: ${commandLine("dataset", "add", "--help")}`,
  );
