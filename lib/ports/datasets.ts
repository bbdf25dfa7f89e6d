import type { Dataset, DatasetRef, MapSummary, Shard, ShardListing, ShardMap, Skipped, Source } from "../model/dataset.ts";
import type { Node } from "../model/node.ts";

/** Looks up one dataset. */
export interface DatasetReader {
  /** Returns the dataset as it is now (a consistent read), or undefined if the team has none of that name. */
  get(ref: DatasetRef): Promise<Dataset | undefined>;
}

/** The part of a dataset on which a write depends: the write succeeds only if none of these fields has changed since they were read. */
export type AsRead = Pick<Dataset, "team" | "dataset" | "id" | "listing" | "map">;

/** The datasets that teams have added. Writes are conditional on what was read; `stale`: it has changed, and nothing was written. */
export interface Datasets extends DatasetReader {
  /** Returns all datasets of a team by name, as they are now. */
  list(team: string): Promise<readonly Dataset[]>;
  /**
   * Writes the dataset unless its name is in use. Returns the stored dataset; its id shows whether it is the given one. `full`: the team has
   * as many datasets as it may have, and none of this name. However many calls run at once, the team never has more than `most`.
   */
  add(dataset: Dataset, most: number): Promise<Dataset | "full">;
  /** Replaces the dataset that was read by another one. The listing and the map of the old one are removed. */
  replace(was: AsRead, dataset: Dataset): Promise<"done" | "stale">;
  /** Removes the dataset. `absent`: the team has none of that name. */
  remove(ref: DatasetRef): Promise<"done" | "absent">;
  /** Stores a new listing and clears `trouble`. The dataset becomes `ready`, or `empty` if the listing has no shards. */
  recordListing(was: AsRead, listing: ShardListing): Promise<"done" | "stale">;
  /**
   * Stores why the source cannot be listed; undefined if it can. A dataset without a listing becomes `failed` with trouble and `listing`
   * without; a dataset with a listing keeps its state.
   */
  recordTrouble(was: AsRead, trouble: string | undefined): Promise<"done" | "stale">;
  /** Stores the next map. */
  recordMap(was: AsRead, map: ShardMap): Promise<"done" | "stale">;
  /**
   * Notes when the next listing begins, so that further changes of the source until then need not ask for one. Does nothing if the
   * dataset has been replaced or removed.
   */
  recordRelist(was: AsRead, atMs: number): Promise<void>;
  /**
   * Returns whether a source may be listed now, and counts the listing if so: at most so often per source and per team in each interval of
   * `everyMs`, which begins at a multiple of it.
   */
  claimListing(
    of: { readonly team: string; readonly source: Source },
    within: { nowMs: number; everyMs: number; perSource: number; perTeam: number },
  ): Promise<boolean>;
  /** Notes that the source is not listed before that time. Does nothing if the dataset has been replaced or removed. */
  recordDeferral(was: AsRead, untilMs: number): Promise<void>;
  /** Returns whether a node may send a message about a dataset now. If so, it may not send another one before `againAtMs`. */
  mayRequestMap(ref: DatasetRef, node: string, at: { nowMs: number; againAtMs: number }): Promise<boolean>;
}

/**
 * What a source holds. `skipped`: the objects that cannot be shards; undefined if there are none. `trouble`: why the source cannot be
 * a dataset, in words for the team; only a change of the source or of its policies can solve it.
 */
export type Listed =
  | { readonly kind: "listed"; readonly shards: readonly Shard[]; readonly skipped?: Skipped | undefined }
  | { readonly kind: "trouble"; readonly reason: string };

/** Sources, and the lists of shards that are stored in the datasets bucket. */
export interface ShardStore {
  /**
   * Returns every object below the source that a job can read as a file, by key; folder markers are left out. Throws a FleetError that may
   * be retried.
   */
  list(source: Source): Promise<Listed>;
  /** Writes a list of shards under a name that must be used only once, such as `shards/3-7c9e`. Returns its key. */
  write(of: DatasetRef & { readonly source: Source; readonly listing: number }, name: string, shards: readonly Shard[]): Promise<string>;
  /** Returns the shards stored under such a key, or undefined if the object does not exist. Throws a FleetError if it is not a ShardList. */
  read(key: string): Promise<readonly Shard[] | undefined>;
  /** Writes the plan of a move. Returns its key. */
  writePlan(of: DatasetRef, name: string, plan: MapSummary): Promise<string>;
  /** Removes the dataset's stored objects that are older than `beforeMs` and not in `keys`. Returns how many it removed. */
  sweep(of: DatasetRef, keep: { readonly keys: ReadonlySet<string>; readonly beforeMs: number }): Promise<number>;
}

/** Asks for a run of rebalance-shards for a dataset. Asking twice is harmless. */
export interface ShardQueue {
  send(ref: DatasetRef, options?: { readonly relist?: boolean; readonly delaySeconds?: number }): Promise<void>;
}

/** Reads the nodes that may need a dataset. */
export interface PoolNodes {
  /** Returns a pool's nodes as they are now, without those that have left its ledger. */
  nodes(pool: string): Promise<readonly Node[]>;
}
