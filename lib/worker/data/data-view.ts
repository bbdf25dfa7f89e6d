import { constants } from "node:fs";
import { chmod, copyFile, link, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import pMap from "p-map";
import { pathOf, type Shard, type Source, whyNoPath } from "../../model/dataset.ts";
import { FleetError } from "../../model/fleet-error.ts";

export type View = {
  /** The folder in which the dataset appears. It is created. */
  readonly folder: string;
  readonly source: Source;
  readonly shards: readonly Shard[];
  readonly fileOf: (shard: Shard) => string;
};

const atOnce = 32;

/**
 * Shows a job its shards, as FOLDER/<key below the prefix>, read-only. The entries are hard links to the node's only copy, because links
 * take no space, stay valid if the cache removes the file, and work in a container that sees only this folder. Throws a FleetError if a key
 * would leave the folder.
 */
export async function makeView({ folder, source, shards, fileOf }: View): Promise<void> {
  const taken = new Map<string, "file" | "folder">();
  const places = shards.map((shard) => {
    const path = pathOf(source, shard.key);
    const why = shard.key.startsWith(source.prefix) ? whyNoPath(path, taken) : `is not below ${source.prefix}`;
    if (why !== undefined) throw new FleetError("shard", `the key ${shard.key} cannot be shown to the job as a file: it ${why}`);
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
    // A link is not possible to a file that has 65,000 links (ext4) or is on another file system, or if the system forbids links.
    if (!(error instanceof Error && "code" in error && ["EMLINK", "EXDEV", "EPERM"].includes(String(error.code)))) throw error;
    await copyFile(file, place, constants.COPYFILE_EXCL);
    await chmod(place, 0o444);
  }
}
