import type { Dataset, DatasetRef, MapSummary, Shard, ShardListing, ShardMap, Skipped, Source } from "../model/dataset.ts";
import type { Node } from "../model/node.ts";

/** Looks a dataset up. */
export interface DatasetReader {
  /** As it is now. */
  get(ref: DatasetRef): Promise<Dataset | undefined>;
}

/** A dataset as it was read: what is written on its strength holds only if nothing of this has changed since. */
export type AsRead = Pick<Dataset, "team" | "dataset" | "id" | "listing" | "map">;

/** The datasets that teams have named. Every write is conditional on what was read; `stale`: it has changed, and nothing was written. */
export interface Datasets extends DatasetReader {
  /** A team's, in order of name, as they are now. */
  list(team: string): Promise<readonly Dataset[]>;
  /** Writes it unless the name is in use, and answers what is there: its id says whose it is. */
  add(dataset: Dataset): Promise<Dataset>;
  /** Puts another one in the place of what was read: its listing and its map go. */
  replace(was: AsRead, dataset: Dataset): Promise<"done" | "stale">;
  /** Takes the name away; nobody's is `absent`. */
  remove(ref: DatasetRef): Promise<"done" | "absent">;
  /** Puts a new listing on record: the dataset is `ready`, or `empty` when it has no shards. Trouble is over. */
  noteListing(was: AsRead, listing: ShardListing): Promise<"done" | "stale">;
  /** Says why the source cannot be listed, or that it can. Without a listing it is then `failed`; with one it stays what it was. */
  noteTrouble(was: AsRead, trouble: string | undefined): Promise<"done" | "stale">;
  /** Puts the next map on record. */
  noteMap(was: AsRead, map: ShardMap): Promise<"done" | "stale">;
  /** Notes when the next listing begins, so that whoever hears of another change until then need not ask for one. */
  noteRelist(was: AsRead, atMs: number): Promise<void>;
  /** Whether a node may send a message about a dataset now; it may not again until `againAtMs`. */
  mayAsk(ref: DatasetRef, node: string, at: { nowMs: number; againAtMs: number }): Promise<boolean>;
}

/** What a source holds. `skipped`: objects that cannot be shards; absent when there are none. `trouble`: why it cannot be a dataset, in words for the team; only a change of the source or of its policies mends it. */
export type Listed =
  | { readonly kind: "listed"; readonly shards: readonly Shard[]; readonly skipped?: Skipped | undefined }
  | { readonly kind: "trouble"; readonly trouble: string };

/** Sources, and what is written down about them in the datasets bucket. */
export interface ShardStore {
  /** Every object below the source that a job can read as a file, in the order of their keys; folder markers are none. Throws a Fault that may be retried. */
  list(source: Source): Promise<Listed>;
  /** Writes shards down under a name that is used once, such as `shards/3-7c9e`; answers the key. */
  write(of: DatasetRef & { readonly source: Source; readonly listing: number }, name: string, shards: readonly Shard[]): Promise<string>;
  /** What lies under such a key; undefined when it is not there (any more). Throws a Fault for what is not one of ours. */
  read(key: string): Promise<readonly Shard[] | undefined>;
  /** Puts the plan of a move on record; answers its key. */
  writePlan(of: DatasetRef, name: string, plan: MapSummary): Promise<string>;
  /** Removes what was written down of a dataset before then and is not kept; answers how many objects. */
  sweep(of: DatasetRef, keep: { readonly keys: ReadonlySet<string>; readonly beforeMs: number }): Promise<number>;
}

/** Asks for a dataset to be looked at. Asking twice is harmless. */
export interface ShardQueue {
  send(ref: DatasetRef, ask?: { readonly relist?: boolean; readonly delaySeconds?: number }): Promise<void>;
}

/** Who may need a dataset. */
export interface PoolNodes {
  /** A pool's, but those that are forgotten, as they are now. */
  nodes(pool: string): Promise<readonly Node[]>;
}
