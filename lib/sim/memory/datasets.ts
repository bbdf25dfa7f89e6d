import type { Dataset, DatasetRef, MapSummary, Shard, Source } from "../../model/dataset.ts";
import { datasetName, sourceUrl } from "../../model/dataset.ts";
import type { AsRead, Datasets, Listed, PoolNodes, ShardQueue, ShardStore } from "../../ports/datasets.ts";
import { Interruptions } from "./interruptions.ts";
import { type MemoryTable, present } from "./table.ts";

/** The records of datasets, in memory. */
export class MemoryDatasets implements Datasets {
  readonly interruptions = new Interruptions<keyof Datasets>();
  readonly records = new Map<string, Dataset>();
  readonly #askedUntilMs = new Map<string, number>();
  readonly #listings = new Map<string, { readonly interval: number; readonly count: number }>();

  get = (ref: DatasetRef) => this.interruptions.call("get", () => this.records.get(datasetName(ref)));

  list = (team: string) =>
    this.interruptions.call("list", () =>
      [...this.records.values()].filter((each) => each.team === team).sort((a, b) => (a.dataset < b.dataset ? -1 : 1)),
    );

  add = (dataset: Dataset, most: number) =>
    this.interruptions.call("add", () => {
      const there = this.records.get(datasetName(dataset));
      if (there) return there;
      if ([...this.records.values()].filter(({ team }) => team === dataset.team).length >= most) return "full";
      this.put(dataset);
      return dataset;
    });

  replace = (was: AsRead, dataset: Dataset) =>
    this.interruptions.call("replace", () => {
      if (this.records.get(datasetName(was))?.id === dataset.id) return "done";
      return this.#change(was, () => dataset);
    });

  remove = (ref: DatasetRef) => this.interruptions.call("remove", () => (this.records.delete(datasetName(ref)) ? "done" : "absent"));

  recordListing: Datasets["recordListing"] = (was, listing) =>
    this.interruptions.call("recordListing", () =>
      this.#change(was, (now) => ({ ...now, listing, state: listing.shards > 0 ? "ready" : "empty", trouble: undefined })),
    );

  recordTrouble: Datasets["recordTrouble"] = (was, trouble) =>
    this.interruptions.call("recordTrouble", () =>
      this.#change(was, (now) => {
        const state = now.listing ? now.state : trouble === undefined ? "listing" : "failed";
        return { ...now, trouble, state };
      }),
    );

  recordMap: Datasets["recordMap"] = (was, map) =>
    this.interruptions.call("recordMap", () => this.#change(was, (now) => ({ ...now, map })));

  recordRelist: Datasets["recordRelist"] = (was, relistAtMs) =>
    this.interruptions.call("recordRelist", () => {
      const now = this.records.get(datasetName(was));
      if (now?.id === was.id) this.put({ ...now, relistAtMs });
    });

  claimListing: Datasets["claimListing"] = ({ team, source }, { nowMs, everyMs, perSource, perTeam }) =>
    this.interruptions.call("claimListing", () => {
      const interval = Math.floor(nowMs / everyMs);
      const claim = (name: string, most: number): boolean => {
        const before = this.#listings.get(name);
        const count = before !== undefined && before.interval >= interval ? before.count : 0;
        if (count >= most || (before?.interval ?? 0) > interval) return false;
        this.#listings.set(name, { interval, count: count + 1 });
        return true;
      };
      return claim(`${team} ${sourceUrl(source)}`, perSource) && claim(team, perTeam);
    });

  recordDeferral: Datasets["recordDeferral"] = (was, deferredUntilMs) =>
    this.interruptions.call("recordDeferral", () => {
      const now = this.records.get(datasetName(was));
      if (now?.id === was.id) this.put({ ...now, deferredUntilMs });
    });

  mayRequestMap: Datasets["mayRequestMap"] = (ref, node, { nowMs, againAtMs }) =>
    this.interruptions.call("mayRequestMap", () => {
      const name = `${datasetName(ref)} ${node}`;
      if ((this.#askedUntilMs.get(name) ?? 0) > nowMs) return false;
      this.#askedUntilMs.set(name, againAtMs);
      return true;
    });

  put(dataset: Dataset): void {
    this.records.set(datasetName(dataset), present(dataset));
  }

  #change(was: AsRead, change: (now: Dataset) => Dataset): "done" | "stale" {
    const now = this.records.get(datasetName(was));
    const same = now?.id === was.id && now.listing?.version === was.listing?.version && now.map?.version === was.map?.version;
    if (!now || !same) return "stale";
    this.put(change(now));
    return "done";
  }
}

/** Sources of datasets, and the lists and maps that were written for them, in memory. */
export class MemoryShardStore implements ShardStore {
  readonly interruptions = new Interruptions<keyof ShardStore>();
  readonly sources = new Map<string, readonly Shard[] | { readonly trouble: string }>();
  readonly written = new Map<string, { readonly value: readonly Shard[] | MapSummary; readonly atMs: number }>();
  readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  list = (source: Source) =>
    this.interruptions.call("list", (): Listed => {
      const there = this.sources.get(sourceUrl(source)) ?? [];
      return "trouble" in there ? { kind: "trouble", reason: there.trouble } : { kind: "listed", shards: there };
    });

  write: ShardStore["write"] = (of, name, shards) => this.interruptions.call("write", () => this.#put(of, name, [...shards]));
  writePlan: ShardStore["writePlan"] = (of, name, plan) => this.interruptions.call("writePlan", () => this.#put(of, name, plan));

  /** Returns how many shards a written list has, and their bytes; undefined if there is no such list. */
  sizeOf(key: string): { readonly shards: number; readonly bytes: number } | undefined {
    const value = this.written.get(key)?.value;
    return isShards(value) ? { shards: value.length, bytes: value.reduce((sum, { bytes }) => sum + bytes, 0) } : undefined;
  }

  read = (key: string) =>
    this.interruptions.call("read", () => {
      const value = this.written.get(key)?.value;
      return isShards(value) ? value : undefined;
    });

  sweep: ShardStore["sweep"] = (of, { keys, beforeMs }) =>
    this.interruptions.call("sweep", () => {
      const old = [...this.written].filter(([key, { atMs }]) => key.startsWith(folderOf(of)) && atMs < beforeMs && !keys.has(key));
      for (const [key] of old) this.written.delete(key);
      return old.length;
    });

  #put(of: DatasetRef, name: string, value: readonly Shard[] | MapSummary): string {
    const key = `${folderOf(of)}${name}.json.gz`;
    if (this.written.has(key)) throw new Error(`${key} was written before`);
    this.written.set(key, { value, atMs: this.now() });
    return key;
  }
}

const isShards = (value: readonly Shard[] | MapSummary | undefined): value is readonly Shard[] => Array.isArray(value);
const folderOf = ({ team, dataset }: DatasetRef): string => `_fleetwright/${team}/${dataset}/`;

export class MemoryShardQueue implements ShardQueue {
  readonly sent: { readonly team: string; readonly dataset: string; readonly relist: boolean; readonly delaySeconds: number }[] = [];
  /** If true, SQS does not respond. */
  down = false;

  async send({ team, dataset }: DatasetRef, { relist = false, delaySeconds = 0 } = {}): Promise<void> {
    await Promise.resolve();
    if (this.down) throw new Error("SQS does not respond");
    this.sent.push({ team, dataset, relist, delaySeconds });
  }

  /** Removes and returns all messages. */
  take() {
    return this.sent.splice(0);
  }
}

export const memoryPoolNodes = (table: MemoryTable): PoolNodes => ({
  nodes: async (pool) => [...table.nodes.values()].map((row) => row.node).filter((node) => node.pool === pool),
});
