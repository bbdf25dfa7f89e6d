import { createHash } from "node:crypto";
import { mkdir, readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { DatasetRef, Shard } from "../../model/dataset.ts";
import { datasetName } from "../../model/dataset.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { partPrefix } from "./shard-fetch.ts";

export type DiskUsage = (folder: string) => Promise<{ readonly freeBytes: number; readonly totalBytes: number }>;

export const diskOf: DiskUsage = async (folder) => {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
};

/** Space that must stay free for the files of jobs. */
const spareBytes = 1024 ** 3;

type Kept = {
  /** The files that each running attempt uses. */
  readonly users: Map<string, ReadonlySet<string>>;
  /** The files of the last list that was requested. */
  latest: ReadonlySet<string>;
};

/**
 * The shards that a node keeps: ROOT/data/TEAM/DATASET/FILE, one file per content. Jobs see links to these files, so a job that uses a
 * file keeps it even if it is removed here. Teams share no files.
 */
export class ShardCache {
  readonly #root: string;
  readonly #disk: DiskUsage;
  readonly #kept = new Map<string, Kept>();
  readonly #underWay = new Map<string, Promise<void>>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(root: string, disk: DiskUsage = diskOf) {
    this.#root = join(root, "data");
    this.#disk = disk;
  }

  /** Returns a shard's file. Its name depends on the content, so that a changed shard is fetched again and an unchanged one is not. */
  fileOf(ref: DatasetRef, { etag, bytes }: Pick<Shard, "etag" | "bytes">): string {
    const name = createHash("sha256").update(`${etag} ${bytes}`).digest("hex").slice(0, 40);
    return join(this.#folderOf(ref), name);
  }

  /** Keeps these shards for an attempt until `letGo`. Returns those that must be fetched. Throws a FleetError if the disk is too small. */
  hold(ref: DatasetRef, attempt: string, shards: readonly Shard[]): Promise<readonly Shard[]> {
    return this.#inTurn(() => this.#hold(ref, attempt, shards));
  }

  async #hold(ref: DatasetRef, attempt: string, shards: readonly Shard[]): Promise<readonly Shard[]> {
    const folder = this.#folderOf(ref);
    // Jobs must not reach this folder. They see links to its files.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const wanted = new Map(shards.map((shard) => [this.fileOf(ref, shard), shard]));
    const kept = this.#kept.get(datasetName(ref)) ?? { users: new Map<string, ReadonlySet<string>>(), latest: new Set<string>() };
    kept.latest = new Set(wanted.keys());
    kept.users.set(attempt, kept.latest);
    this.#kept.set(datasetName(ref), kept);
    const missing: Shard[] = [];
    for (const [file, shard] of wanted) if (!(await isWhole(file, shard))) missing.push(shard);
    await this.#makeRoom(ref, missing);
    return missing;
  }

  /** Fetches a file unless it exists. A caller that arrives during a fetch waits for it, and tries itself if that fetch fails. */
  async have(file: string, shard: Shard, work: { fetch: () => Promise<void>; signal: AbortSignal }): Promise<void> {
    for (let underWay = this.#underWay.get(file); underWay; underWay = this.#underWay.get(file)) {
      await unlessAborted(underWay, work.signal).catch(() => undefined);
      if (work.signal.aborted) throw new FleetError("stopped", "the attempt was stopped", { retry: true });
    }
    // Nothing may be awaited before this starts, so that no other caller can start the same fetch.
    const fetching = (async () => {
      if (!(await isWhole(file, shard))) await work.fetch();
    })();
    const settled = fetching.finally(() => this.#underWay.delete(file));
    this.#underWay.set(file, settled);
    await settled;
  }

  /** Releases the files of an attempt that has ended. Removes those that neither another attempt nor the last list names. */
  letGo(attempt: string): Promise<void> {
    return this.#inTurn(async () => {
      for (const [name, kept] of this.#kept)
        if (kept.users.delete(attempt)) await this.#prune(join(this.#root, name), new Set([...kept.latest, ...usedOf(kept)]));
    });
  }

  /** Removes incomplete files that an earlier process of the worker left. */
  async clearParts(): Promise<void> {
    for (const team of await names(this.#root))
      for (const dataset of await names(join(this.#root, team))) {
        const folder = join(this.#root, team, dataset);
        const parts = (await names(folder)).filter((name) => name.startsWith(partPrefix));
        for (const part of parts) await rm(join(folder, part), { force: true });
      }
  }

  #folderOf({ team, dataset }: DatasetRef): string {
    return join(this.#root, team, dataset);
  }

  /** Runs one operation at a time, because one must not rely on a file that another is removing. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Frees space for missing shards, if needed, by removing files that no attempt uses. Throws a FleetError if that is not enough. */
  async #makeRoom(ref: DatasetRef, missing: readonly Shard[]): Promise<void> {
    const needBytes = missing.reduce((sum, shard) => sum + shard.bytes, 0);
    if (needBytes === 0) return;
    if ((await this.#disk(this.#root)).freeBytes - spareBytes < needBytes) await this.#dropUnused();
    const { freeBytes, totalBytes } = await this.#disk(this.#root);
    if (freeBytes - spareBytes >= needBytes) return;
    const why = `the dataset ${ref.dataset} needs ${gib(needBytes)} GiB more and the node's disk has ${gib(freeBytes - spareBytes)} free`;
    throw new FleetError("disk-full", `${why}; use a share of "part", or set a larger "volumeGiB" for the pool`, {
      retry: needBytes < totalBytes,
    });
  }

  async #dropUnused(): Promise<void> {
    for (const team of await names(this.#root))
      for (const dataset of await names(join(this.#root, team))) {
        const name = datasetName({ team, dataset });
        const kept = this.#kept.get(name);
        if (kept && kept.users.size > 0) {
          await this.#prune(join(this.#root, name), usedOf(kept));
          continue;
        }
        this.#kept.delete(name);
        await rm(join(this.#root, name), { recursive: true, force: true, maxRetries: 3 });
      }
  }

  async #prune(folder: string, keep: ReadonlySet<string>): Promise<void> {
    for (const name of await names(folder)) {
      const file = join(folder, name);
      if (!name.startsWith(partPrefix) && !keep.has(file) && !this.#underWay.has(file)) await rm(file, { force: true });
    }
  }
}

const usedOf = ({ users }: Kept): Set<string> => new Set([...users.values()].flatMap((files) => [...files]));

/** Reports whether a file exists with its full size. A file is complete when it gets its name, but it may have been truncated since. */
async function isWhole(file: string, { bytes }: Shard): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() === true && found.size === bytes;
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => resolve();
  signal.addEventListener("abort", wake, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", wake);
  }
}

const gib = (bytes: number): string => (Math.max(bytes, 0) / 1024 ** 3).toFixed(1);
const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
