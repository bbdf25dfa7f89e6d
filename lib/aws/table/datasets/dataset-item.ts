import * as z from "zod";
import type { Dataset, ShardMap } from "../../../model/dataset.ts";
import { datasetName } from "../../../model/dataset.ts";
import { FleetError } from "../../../model/fleet-error.ts";
import type { Item } from "../access.ts";
import { datasetKey, type Key } from "../keys.ts";
import { stored } from "../stored.ts";

/** An item may have 400 KB, and a holding takes about 200 bytes. */
export const maxHoldings = 1_500;

const StoredListing = z.object({
  version: z.int().min(1),
  shards: z.int().min(0),
  bytes: z.int().min(0),
  digest: z.string(),
  skipped: z.object({ objects: z.int().min(1), examples: z.array(z.object({ key: z.string(), because: z.string() })) }).optional(),
  key: z.string(),
});

const StoredHolding = z.object({
  node: z.string(),
  share: z.enum(["whole", "part"]),
  weight: z.number(),
  shards: z.int().min(0),
  bytes: z.int().min(0),
  list: z.string(),
});

const StoredMap: z.ZodType<ShardMap> = z.object({
  version: z.int().min(1),
  listing: z.int().min(1),
  listingKey: z.string(),
  madeAtMs: z.number(),
  holdings: z.array(StoredHolding),
  moved: z.int().min(0),
  movedBytes: z.int().min(0),
  plan: z.string(),
});

const StoredDataset: z.ZodType<Dataset> = z.object({
  team: z.string(),
  dataset: z.string(),
  id: z.string(),
  source: z.object({ bucket: z.string(), prefix: z.string() }),
  state: z.enum(["listing", "ready", "empty", "failed"]),
  addedAtMs: z.number(),
  trouble: z.string().optional(),
  listing: StoredListing.optional(),
  map: StoredMap.optional(),
  relistAtMs: z.number().optional(),
  deferredUntilMs: z.number().optional(),
});

export const datasetOf = (item: Item): Dataset => stored(StoredDataset, item);

export const datasetItem = (dataset: Dataset): Key & Item => ({ ...datasetKey(dataset), ...dataset });

/** Throws a FleetError if a map is too large for an item. */
export function mapFits(of: { readonly team: string; readonly dataset: string }, { holdings }: ShardMap): void {
  if (holdings.length <= maxHoldings) return;
  throw new FleetError("map-size", `${holdings.length} nodes need the dataset ${datasetName(of)} at once, but at most ${maxHoldings} may`);
}
