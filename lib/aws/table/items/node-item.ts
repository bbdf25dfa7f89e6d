import * as z from "zod";
import type { FetchedDataset } from "../../../model/dataset.ts";
import type { AttemptRef } from "../../../model/job.ts";
import type { Assignment, Node } from "../../../model/node.ts";
import type { GpuSample } from "../../../model/telemetry.ts";
import { getItem, type Item, type TableAccess } from "../access.ts";
import { type Key, nodeKey } from "../keys.ts";
import { StoredOffer, StoredType, stored } from "../stored.ts";
import { type Amount, amountOf } from "./reserved-item.ts";
import { StoredWants, wantsItem, wantsOfItem } from "./stored-wants.ts";

const StoredAssignment = z
  .object({
    team: z.string(),
    job: z.string(),
    attempt: z.int().min(1),
    phase: z.enum(["placed", "running", "uploading"]),
    process: z.string().optional(),
    untilMs: z.number().optional(),
    rank: z.int().min(0).optional(),
    /** The attempt's wants. */
    w: StoredWants,
  })
  .transform(({ w, ...assignment }): Assignment => ({ ...assignment, ...wantsOfItem(w) }));

/** Returns an assignment in the form of its node's item. */
export const assignmentItem = (assignment: Assignment): Item => {
  const { team, job, attempt, phase, process, untilMs, rank } = assignment;
  return { team, job, attempt, phase, process, untilMs, rank, w: wantsItem(assignment) };
};

const StoredGpu: z.ZodType<GpuSample> = z.object({
  index: z.number(),
  model: z.string().optional(),
  utilizationPercent: z.number().optional(),
  memoryUsedMiB: z.number().optional(),
  memoryTotalMiB: z.number().optional(),
  powerWatts: z.number().optional(),
  temperatureC: z.number().optional(),
  eccUncorrected: z.number().optional(),
  throttled: z.array(z.string()).optional(),
});

const StoredFetched: z.ZodType<FetchedDataset> = z.object({
  team: z.string(),
  dataset: z.string(),
  version: z.number(),
  shards: z.number(),
  bytes: z.number(),
});

const StoredNode = z.object({
  id: z.string(),
  pool: z.string(),
  launch: z.string(),
  team: z.string().optional(),
  offer: StoredOffer,
  type: StoredType,
  state: z.enum(["launching", "ready", "draining", "terminating", "gone"]),
  launchedAtMs: z.number(),
  readyAtMs: z.number().optional(),
  lastSeenMs: z.number().optional(),
  leaseUntilMs: z.number(),
  lastBusyMs: z.number(),
  stateSinceMs: z.number(),
  assignments: z.record(z.string(), StoredAssignment),
  address: z.string().optional(),
  notice: z.object({ kind: z.enum(["interruption", "rebalance"]), atMs: z.number() }).optional(),
  gpus: z.array(StoredGpu).optional(),
  gpusAtMs: z.number().optional(),
  gpusBusyAtMs: z.number().optional(),
  drain: z.object({ because: z.string(), untilMs: z.number(), hasRoom: z.literal(true).optional() }).optional(),
  replaces: z.string().optional(),
  datasets: z.array(StoredFetched).optional(),
  /** The node's part of the pool's reservation, until it is released. */
  reservedMicroUsd: z.int(),
  reservedGpus: z.number(),
  released: z.boolean(),
  /** Whether it counts towards the deployment and the team, too; false for nodes that an earlier release launched. */
  countsWider: z.boolean().default(false),
});
type StoredNode = z.infer<typeof StoredNode>;

/** Returns an assignment's key in its node's map, so that bind, change and takeBack touch only their own entry. */
export const assignmentName = ({ team, job, attempt }: AttemptRef): string => `${team}/${job}#${attempt}`;

/** Returns the item of a new node. */
export const nodeItem = (node: Node): Key & Item => ({
  ...nodeKey(node.pool, node.id),
  ...node,
  assignments: Object.fromEntries(node.assignments.map((each) => [assignmentName(each), assignmentItem(each)])),
  reservedMicroUsd: reservationOf(node).microUsd,
  reservedGpus: reservationOf(node).gpus,
  released: false,
  countsWider: true,
});

export const reservationOf = (node: Pick<Node, "offer" | "type">): Amount =>
  amountOf({ usdPerHour: node.offer.usdPerHour, gpus: node.type.resources.gpus });

export function nodeOf(item: Item): Node {
  const { reservedMicroUsd: _usd, reservedGpus: _gpus, countsWider: _wider, released, assignments, ...node } = stored(StoredNode, item);
  const names = Object.keys(assignments).sort();
  return { ...node, ...(released ? { released } : {}), assignments: names.flatMap((name) => assignments[name] ?? []) };
}

/** A node's item, including its reservation, which the model lacks. */
export type ReadNode = StoredNode & { readonly item: Item };

/** Returns a node's item, strongly consistent, or undefined if there is none. */
export async function readNode(access: TableAccess, pool: string, node: string): Promise<ReadNode | undefined> {
  const item = await getItem(access, nodeKey(pool, node));
  return item && { ...stored(StoredNode, item), item };
}
