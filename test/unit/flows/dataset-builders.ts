import type { RebalanceDeps } from "../../../lib/flows/rebalance-shards.ts";
import type { Dataset, Shard } from "../../../lib/model/dataset.ts";
import { monday } from "../../fakes/builders.ts";
import { World } from "./world.ts";

export const mnist = { team: "vision", dataset: "mnist" };
export const source = { bucket: "datasets", prefix: "vision/mnist/" };

export const someShards = (count: number, over: Partial<Shard> = {}): Shard[] =>
  Array.from({ length: count }, (_, n) => ({ key: `vision/mnist/${String(n).padStart(4, "0")}.bin`, bytes: 100, etag: "e1", ...over }));

/** Returns the dataset `mnist` as it was just added. */
export const aDataset = (over: Partial<Dataset> = {}): Dataset => ({
  ...mnist,
  id: "first",
  source,
  state: "listing",
  addedAtMs: monday,
  ...over,
});

/** A world with a dataset store. */
export class DataWorld extends World {
  readonly store = this.ports.shardStore;
  #names = 0;

  get rebalanceDeps(): RebalanceDeps {
    return { ...this.deps, newId: () => `n${++this.#names}` };
  }

  get mnist(): Dataset {
    const found = this.datasets.records.get("vision/mnist");
    if (!found) throw new Error("there is no mnist");
    return found;
  }

  /** Puts this many shards into the source of `mnist`. */
  upload(shards: readonly Shard[]): void {
    this.store.sources.set("s3://datasets/vision/mnist/", shards);
  }
}
