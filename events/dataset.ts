import * as z from "zod";
import type { Shard } from "../lib/model/dataset.ts";
import { DatasetName, TeamName } from "./job.ts";

/** On the `shards` queue: look at who needs this dataset, and deal it out anew if that has changed. */
export const RebalanceShards = z.strictObject({
  team: TeamName,
  dataset: DatasetName,
  /** List the source first. */
  relist: z.literal(true).optional(),
});
export type RebalanceShards = z.infer<typeof RebalanceShards>;

/** S3's word of an object in the datasets bucket, as EventBridge delivers it. Keys come as they are, not URL-encoded. */
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

/** What a message of the `shards` queue says. */
export function shardsMessage(message: unknown): ShardsMessage {
  const rebalance = RebalanceShards.safeParse(message);
  if (rebalance.success) return { kind: "rebalance", ...rebalance.data, relist: rebalance.data.relist ?? false };
  const object = DatasetObject.safeParse(message);
  if (!object.success) return { kind: "unknown" };
  return { kind: "object", bucket: object.data.detail.bucket.name, key: object.data.detail.object.key };
}

const StoredShard: z.ZodType<Shard> = z.object({ key: z.string().min(1), bytes: z.int().min(0), etag: z.string().min(1) });

/** Shards that somebody shall have, as gzipped JSON in the datasets bucket: a whole listing, or one node's part of it. */
export const ShardList = z.object({
  format: z.literal(1),
  team: TeamName,
  dataset: DatasetName,
  source: z.object({ bucket: z.string().min(1), prefix: z.string() }),
  /** Of the listing. */
  listing: z.int().min(1),
  /** In the order of their keys. */
  shards: z.array(StoredShard),
});
export type ShardList = z.infer<typeof ShardList>;

/** The most that a list may have, unpacked: 100,000 keys of the greatest length. */
export const mostListBytes = 192 * 1024 * 1024;
