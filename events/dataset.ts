import * as z from "zod";
import type { Shard } from "../lib/model/dataset.ts";
import { DatasetName, TeamName } from "./names.ts";

/** A message of the `shards` queue: check which nodes need this dataset, and make a new map if they have changed. */
export const RebalanceShards = z.strictObject({
  team: TeamName,
  dataset: DatasetName,
  /** Set to list the source first. */
  relist: z.literal(true).optional(),
});
export type RebalanceShards = z.infer<typeof RebalanceShards>;

/** S3's event about an object in the datasets bucket, as EventBridge delivers it. Keys are not URL-encoded. */
export const DatasetObject = z.object({
  source: z.literal("aws.s3"),
  "detail-type": z.enum(["Object Created", "Object Deleted"]),
  detail: z.object({ bucket: z.object({ name: z.string() }), object: z.object({ key: z.string() }) }),
});
export type DatasetObject = z.infer<typeof DatasetObject>;

export type ShardsMessage =
  | { readonly kind: "rebalance"; readonly team: string; readonly dataset: string; readonly relist: boolean }
  | { readonly kind: "object"; readonly bucket: string; readonly key: string }
  | { readonly kind: "unknown" };

/** Parses a message of the `shards` queue. */
export function shardsMessage(message: unknown): ShardsMessage {
  const rebalance = RebalanceShards.safeParse(message);
  if (rebalance.success) return { kind: "rebalance", ...rebalance.data, relist: rebalance.data.relist ?? false };
  const object = DatasetObject.safeParse(message);
  if (!object.success) return { kind: "unknown" };
  return { kind: "object", bucket: object.data.detail.bucket.name, key: object.data.detail.object.key };
}

const StoredShard: z.ZodType<Shard> = z.object({ key: z.string().min(1), bytes: z.int().min(0), etag: z.string().min(1) });

/** A list of shards, as gzipped JSON in the datasets bucket: a whole listing, or one node's part of it. */
export const ShardList = z.object({
  format: z.literal(1),
  team: TeamName,
  dataset: DatasetName,
  source: z.object({ bucket: z.string().min(1), prefix: z.string() }),
  /** The version of the listing. */
  listing: z.int().min(1),
  /** By key. */
  shards: z.array(StoredShard),
});
export type ShardList = z.infer<typeof ShardList>;

/** The most bytes that a list may have, unpacked: 100,000 keys of the greatest length. */
export const maxListBytes = 192 * 1024 * 1024;
