import { createHash } from "node:crypto";
import type { Dataset, Shard, Skipped } from "../../model/dataset.ts";
import type { Datasets, ShardStore } from "../../ports/datasets.ts";

export type ListDeps = {
  readonly datasets: Pick<Datasets, "noteListing" | "noteTrouble">;
  readonly store: Pick<ShardStore, "list" | "write">;
  readonly newId: () => string;
};

/**
 * Lists a dataset's source. A listing that differs from the last one is written down, and becomes the dataset's next
 * version; one that does not changes nothing. `stale`: the dataset has changed meanwhile.
 */
export async function listShards(deps: ListDeps, dataset: Dataset): Promise<"done" | "stale"> {
  const { team, dataset: name, source, listing: last } = dataset;
  const listed = await deps.store.list(source);
  if (listed.kind === "trouble") return deps.datasets.noteTrouble(dataset, listed.trouble);
  const { shards, skipped } = listed;
  const digest = digestOf(shards, skipped);
  if (digest === last?.digest) return dataset.trouble === undefined ? "done" : deps.datasets.noteTrouble(dataset, undefined);

  const version = (last?.version ?? 0) + 1;
  // Under a name of its own: of two that list at once, one is put on record, and the other overwrites nothing.
  const key = await deps.store.write({ team, dataset: name, source, listing: version }, `shards/${version}-${deps.newId()}`, shards);
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  return deps.datasets.noteListing(dataset, { version, shards: shards.length, bytes, digest, key, ...(skipped && { skipped }) });
}

/** What is skipped counts, so that what people are shown of it is true. */
function digestOf(shards: readonly Shard[], skipped: Skipped | undefined): string {
  const hash = createHash("sha256");
  for (const { key, bytes, etag } of shards) hash.update(`${JSON.stringify([key, bytes, etag])}\n`);
  if (skipped)
    hash.update(`${JSON.stringify(["skipped", skipped.objects, ...skipped.examples.map(({ key, because }) => [key, because])])}\n`);
  return hash.digest("hex");
}
