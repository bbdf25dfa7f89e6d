/** A dataset is identified by its team and its own name. */
export type DatasetRef = { readonly team: string; readonly dataset: string };

/**
 * How a job uses a dataset. `whole`: its node holds every shard. `part`: the shards are divided among all nodes that run such jobs, and
 * each job sees only those of its own node.
 */
export type Share = "whole" | "part";
export type DatasetUse = { readonly name: string; readonly share: Share };

export const datasetName = ({ team, dataset }: DatasetRef): string => `${team}/${dataset}`;

/** The shards of a dataset that a node has fetched and verified. */
export type FetchedDataset = DatasetRef & {
  /** The version of the shard map by which they were fetched. */
  readonly version: number;
  readonly shards: number;
  readonly bytes: number;
};

/** Where a dataset's objects are: all objects of a bucket whose keys begin with the prefix. A prefix that is not empty ends in `/`. */
export type Source = { readonly bucket: string; readonly prefix: string };

export const sourceUrl = ({ bucket, prefix }: Source): string => `s3://${bucket}/${prefix}`;

/** One object of a source. The ETag changes with its content; it is kept without its quotes. */
export type Shard = { readonly key: string; readonly bytes: number; readonly etag: string };

/** The most shards that a dataset may have; a longer list is not stored. */
export const maxShards = 100_000;

/** How much work datasets may cause. */
export type DatasetLimits = {
  /** The most datasets that a team may have. */
  readonly perTeam: number;
  /** The interval of the two limits below, s. */
  readonly listingSeconds: number;
  /** How often one source of a team is listed per interval at most. */
  readonly listingsPerSource: number;
  /** How often all sources of a team together are listed per interval at most. */
  readonly listingsPerTeam: number;
};

/** Objects of a source that are not shards, because no job could read them under their name or at all. */
export type Skipped = {
  readonly objects: number;
  /** The first of them. Each reason follows the key in a sentence, such as "has an empty part". */
  readonly examples: readonly { readonly key: string; readonly because: string }[];
};

/** The most skipped objects that are named, because a dataset's item in the table has little more room. */
export const maxSkippedNamed = 20;

/** One version of a source's listing. A new version is stored only if the source has changed. */
export type ShardListing = {
  readonly version: number;
  readonly shards: number;
  readonly bytes: number;
  /** SHA-256 (hex) of the list of shards. */
  readonly digest: string;
  /** Undefined if every object is a shard. */
  readonly skipped?: Skipped | undefined;
  /** The key of the list of all shards, a ShardList in the datasets bucket. */
  readonly key: string;
};

/** The shards that one node must hold. A node whose jobs ask for both shares has one holding for each. */
export type Holding = {
  readonly node: string;
  readonly share: Share;
  /** What the node's part is in proportion to: its GPUs, or its vCPUs if it has none. */
  readonly weight: number;
  readonly shards: number;
  readonly bytes: number;
  /** The key of the list of its shards, a ShardList in the datasets bucket. */
  readonly list: string;
};

/** Which node holds which shards of one listing, and how much had to move from the map before. */
export type ShardMap = {
  readonly version: number;
  /** The version of the listing whose shards the map assigns. */
  readonly listing: number;
  /** The key of that listing, a ShardList in the datasets bucket. */
  readonly listingKey: string;
  readonly madeAtMs: number;
  /** By node and share. */
  readonly holdings: readonly Holding[];
  /** How many shards of share `part` had a holder in the map before and have another one now. */
  readonly moved: number;
  readonly movedBytes: number;
  /** The key of the plan of the move, a MapSummary in the datasets bucket. */
  readonly plan: string;
};

/** The plan of one map, as it is stored in the datasets bucket. */
export type MapSummary = Pick<ShardMap, "version" | "listing" | "madeAtMs" | "moved" | "movedBytes"> & {
  /** The version of the map that it replaces; undefined for the first. */
  readonly from?: number | undefined;
  readonly nodes: readonly {
    readonly node: string;
    readonly share: Share;
    readonly shards: number;
    readonly bytes: number;
    /** How many shards the node must fetch. */
    readonly gains: number;
    readonly gainedBytes: number;
    /** How many shards the node no longer needs. */
    readonly losses: number;
  }[];
};

/** `listing`: its source has not been listed yet. `failed`: its source could not be listed, see `trouble`. */
export type DatasetState = "listing" | "ready" | "empty" | "failed";

export type Dataset = DatasetRef & {
  /** A new id for each `add`, so that work begun for a dataset is void if the dataset is replaced or removed meanwhile. */
  readonly id: string;
  readonly source: Source;
  readonly state: DatasetState;
  readonly addedAtMs: number;
  /** Why the last listing of its source failed; undefined if it succeeded. An earlier listing stays valid. */
  readonly trouble?: string | undefined;
  /** Set in `ready` and `empty`. */
  readonly listing?: ShardListing | undefined;
  /** Undefined until a node needs the dataset. */
  readonly map?: ShardMap | undefined;
  /** The earliest time at which the next listing begins, ms since the epoch; undefined if none was ever due. */
  readonly relistAtMs?: number | undefined;
  /** Until then its source is not listed, because it was listed too often; ms since the epoch. Undefined if that never happened. */
  readonly deferredUntilMs?: number | undefined;
};

/** Returns the path of a shard below its dataset's folder: its key without the source's prefix. */
export const pathOf = ({ prefix }: Source, key: string): string => key.slice(prefix.length);

/** The longest name that Linux's file systems accept, in bytes of UTF-8. */
const longestName = 255;

/** Returns why a path cannot be that of a file, whatever other paths there are, or undefined if it can. */
export function whyNoName(path: string): string | undefined {
  const parts = path.split("/");
  if (path.includes("\0") || parts.some((part) => part === "" || part === "." || part === ".."))
    return "has an empty part, '.', '..' or a NUL";
  return parts.some((part) => utf8Length(part) > longestName) ? `has a part of more than ${longestName} bytes` : undefined;
}

/**
 * Returns why a path cannot be that of a file next to the paths before it, or undefined if it can. Folder markers (`a/`) are not shards
 * and must not be passed. `taken`: the files and folders of the paths so far, to which those of this path are added.
 */
export function whyNoPath(path: string, taken: Map<string, "file" | "folder">): string | undefined {
  const why = whyNoName(path);
  if (why !== undefined) return why;
  const parts = path.split("/");
  for (let depth = 1; depth < parts.length; depth += 1) {
    const folder = parts.slice(0, depth).join("/");
    if (taken.get(folder) === "file") return `is below ${folder}, which is a file`;
    taken.set(folder, "folder");
  }
  if (taken.has(path)) return "is also a folder of other keys";
  taken.set(path, "file");
  return undefined;
}

/** Counts bytes without TextEncoder, which is not part of ECMAScript: a code point takes 1 to 4 bytes. */
const utf8Length = (text: string): number => {
  let bytes = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
};
