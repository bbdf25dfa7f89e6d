import { createHash } from "node:crypto";
import type { Dataset, Shard, Skipped } from "../../model/dataset.ts";
import type { Ports } from "../../ports/ports.ts";

export type ListDeps = Pick<Ports, "datasets" | "shardStore"> & { readonly newId: () => string };

/**
 * Lists a dataset's source. If the listing differs from the last one, it is written and becomes the dataset's next
 * version; otherwise nothing changes. `stale`: the dataset has changed meanwhile.
 */
export async function listShards(deps: ListDeps, dataset: Dataset): Promise<"done" | "stale"> {
  const { team, dataset: name, source, listing: last } = dataset;
  const listed = await deps.shardStore.list(source);
  if (listed.kind === "trouble") return deps.datasets.recordTrouble(dataset, listed.reason);
  const { shards, skipped } = listed;
  const digest = digestOf(shards, skipped);
  if (digest === last?.digest) return dataset.trouble === undefined ? "done" : deps.datasets.recordTrouble(dataset, undefined);

  const version = (last?.version ?? 0) + 1;
  // The name is unique, so if two runs list at once, one is recorded, and the other overwrites nothing.
  const key = await deps.shardStore.write({ team, dataset: name, source, listing: version }, `shards/${version}-${deps.newId()}`, shards);
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  return deps.datasets.recordListing(dataset, { version, shards: shards.length, bytes, digest, key, ...(skipped && { skipped }) });
}

/** Returns the digest of a listing. It includes skipped objects, so that what people see about them is up to date. */
function digestOf(shards: readonly Shard[], skipped: Skipped | undefined): string {
  const hash = createHash("sha256");
  for (const { key, bytes, etag } of shards) hash.update(`${JSON.stringify([key, bytes, etag])}\n`);
  if (skipped)
    hash.update(`${JSON.stringify(["skipped", skipped.objects, ...skipped.examples.map(({ key, because }) => [key, because])])}\n`);
  return hash.digest("hex");
}
