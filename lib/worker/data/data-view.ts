import { constants } from "node:fs";
import { chmod, copyFile, link, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import pMap from "p-map";
import { pathOf, type Shard, type Source, whyNoPath } from "../../model/dataset.ts";
import { Fault } from "../../model/fault.ts";

export type View = {
  /** Where the dataset appears; made here. */
  readonly folder: string;
  readonly source: Source;
  readonly shards: readonly Shard[];
  readonly fileOf: (shard: Shard) => string;
};

const atOnce = 32;

/**
 * Shows a job its shards, as FOLDER/<key below the prefix>, read-only. The entries are hard links to the node's one copy:
 * these cost nothing, survive what becomes of the cache, and hold in a container that has only this folder.
 * Throws a Fault for a key that would leave the folder.
 */
export async function makeView({ folder, source, shards, fileOf }: View): Promise<void> {
  const taken = new Map<string, "file" | "folder">();
  const places = shards.map((shard) => {
    const path = pathOf(source, shard.key);
    const why = shard.key.startsWith(source.prefix) ? whyNoPath(path, taken) : `is not below ${source.prefix}`;
    if (why !== undefined) throw new Fault("shard", `the key ${shard.key} cannot be a file of the job: it ${why}`);
    return { shard, place: join(folder, path) };
  });
  await mkdir(folder, { recursive: true });
  for (const parent of new Set(places.map(({ place }) => dirname(place)))) await mkdir(parent, { recursive: true });
  await pMap(places, ({ shard, place }) => linkOrCopy(fileOf(shard), place), { concurrency: atOnce });
}

async function linkOrCopy(file: string, place: string): Promise<void> {
  try {
    await link(file, place);
  } catch (error) {
    // A file has 65,000 links on ext4, and none from another file system or where the system forbids them.
    if (!(error instanceof Error && "code" in error && ["EMLINK", "EXDEV", "EPERM"].includes(String(error.code)))) throw error;
    await copyFile(file, place, constants.COPYFILE_EXCL);
    await chmod(place, 0o444);
  }
}
