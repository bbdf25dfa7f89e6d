/** A dataset is named by its team and its own name. */
export type DatasetRef = { readonly team: string; readonly dataset: string };

/**
 * How a job uses a dataset. `whole`: every shard lies on its node. `part`: the shards are dealt out among all nodes
 * that run such jobs, and each job sees its node's own.
 */
export type Share = "whole" | "part";
export type DatasetUse = { readonly name: string; readonly share: Share };

export const datasetName = ({ team, dataset }: DatasetRef): string => `${team}/${dataset}`;

/** What a node has fetched of a dataset and checked against its checksums. */
export type FetchedDataset = DatasetRef & {
  /** Of the shard map by which it was fetched. */
  readonly version: number;
  readonly shards: number;
  readonly bytes: number;
};

/** Where a dataset's objects lie: all of a bucket whose keys begin with this. A prefix that is not empty ends in `/`. */
export type Source = { readonly bucket: string; readonly prefix: string };

export const sourceUrl = ({ bucket, prefix }: Source): string => `s3://${bucket}/${prefix}`;

/** One object of a source. The ETag changes with its content; it is kept without its quotes. */
export type Shard = { readonly key: string; readonly bytes: number; readonly etag: string };

/** Of one dataset; a list of more is not kept. */
export const mostShards = 100_000;

/** Objects of a source that are no shards, because no job could read them under their name or at all. */
export type Skipped = {
  readonly objects: number;
  /** The first of them, with the reason for each: what it is or has. */
  readonly examples: readonly { readonly key: string; readonly because: string }[];
};

/** So many of them are named; the dataset's item has room for little more. */
export const mostSkippedNamed = 20;

/** One listing of a source, by version; a listing that finds no change makes none. */
export type ShardListing = {
  readonly version: number;
  readonly shards: number;
  readonly bytes: number;
  /** SHA-256 (hex) over what was listed. */
  readonly digest: string;
  /** Absent when every object is a shard. */
  readonly skipped?: Skipped | undefined;
  /** Where all of it is written down, in the datasets bucket: a ShardList. */
  readonly key: string;
};

/** What one node shall have. A node whose jobs ask for both shares has one of each. */
export type Holding = {
  readonly node: string;
  readonly share: Share;
  /** What its part is measured by: its GPUs, or its vCPUs where it has none. */
  readonly weight: number;
  readonly shards: number;
  readonly bytes: number;
  /** Where its shards are written down, in the datasets bucket: a ShardList. */
  readonly list: string;
};

/** Who holds what of one listing. Each version names what has to move for it. */
export type ShardMap = {
  readonly version: number;
  /** Of the listing that it deals out, and where that is written down. */
  readonly listing: number;
  readonly listingKey: string;
  readonly madeAtMs: number;
  /** In order of node and share. */
  readonly holdings: readonly Holding[];
  /** Dealt shards that had a holder in the map before and have another one now. */
  readonly moved: number;
  readonly movedBytes: number;
  /** The plan of the move, in the datasets bucket. */
  readonly plan: string;
};

/** The plan of one map, as it lies on record beside it. */
export type MapSummary = Pick<ShardMap, "version" | "listing" | "madeAtMs" | "moved" | "movedBytes"> & {
  /** The map that it replaces; absent for the first. */
  readonly from?: number | undefined;
  readonly nodes: readonly {
    readonly node: string;
    readonly share: Share;
    readonly shards: number;
    readonly bytes: number;
    /** What it has to fetch that it had not. */
    readonly gains: number;
    readonly gainedBytes: number;
    /** What it needs no more. */
    readonly losses: number;
  }[];
};

/** `listing`: nobody has looked yet. `failed`: its source could not be listed, see `trouble`. */
export type DatasetState = "listing" | "ready" | "empty" | "failed";

export type Dataset = DatasetRef & {
  /** Another one for each `add`: what was begun for a dataset that has been replaced or removed meanwhile is void. */
  readonly id: string;
  readonly source: Source;
  readonly state: DatasetState;
  readonly addedAtMs: number;
  /** Why its source could not be listed at the last try; a listing from before stays good. */
  readonly trouble?: string | undefined;
  /** Present in `ready` and `empty`. */
  readonly listing?: ShardListing | undefined;
  /** Present once a node needed it. */
  readonly map?: ShardMap | undefined;
  /** A listing is due that begins no sooner than this. */
  readonly relistAtMs?: number | undefined;
};

/** The place of a shard below its dataset's folder: its key without the source's prefix. */
export const pathOf = ({ prefix }: Source, key: string): string => key.slice(prefix.length);

/** The longest name that Linux's file systems take, in bytes of UTF-8. */
const longestName = 255;

/** Why a path cannot name a file, whatever else there is; undefined when it can. */
export function whyNoName(path: string): string | undefined {
  const parts = path.split("/");
  if (path.includes("\0") || parts.some((part) => part === "" || part === "." || part === ".."))
    return "has an empty part, '.', '..' or a NUL";
  return parts.some((part) => utf8Length(part) > longestName) ? `has a part of more than ${longestName} bytes` : undefined;
}

/**
 * Why a key cannot be a file below a folder; undefined when it can. Folder markers (`a/`) are no shards and not meant here.
 * `taken`: what the paths so far have made, file or folder; the path's own are added to it.
 */
export function whyNoPath(path: string, taken: Map<string, "file" | "folder">): string | undefined {
  const why = whyNoName(path);
  if (why !== undefined) return why;
  const parts = path.split("/");
  for (let depth = 1; depth < parts.length; depth += 1) {
    const folder = parts.slice(0, depth).join("/");
    if (taken.get(folder) === "file") return `lies below ${folder}, which is a file`;
    taken.set(folder, "folder");
  }
  if (taken.has(path)) return "is a folder to other keys";
  taken.set(path, "file");
  return undefined;
}

/** Without an encoder, which belongs to no language: a letter beyond ASCII counts 2, 3 or, as a pair, 4. */
const utf8Length = (text: string): number => {
  let bytes = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
};
