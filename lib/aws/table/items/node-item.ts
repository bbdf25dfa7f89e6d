import * as z from "zod";
import type { AttemptRef } from "../../../model/job.ts";
import type { Assignment, Declared, Node } from "../../../model/node.ts";
import { reservedBy } from "../../../model/reservations.ts";
import { getItem, getRange, type Item, type TableAccess } from "../access.ts";
import { either, isAbsent, isBelow, isNot, isThere, set } from "../expression.ts";
import { type Key, nodeKey, nodeRange, partOfNode } from "../keys.ts";
import { packedText, sharedPacked } from "../packed.ts";
import { StoredOffer, StoredType, separated, stored } from "../stored.ts";
import { datasetsOfItem, heartbeatOfItem } from "./heartbeat-item.ts";
import { type Amount, amountOf } from "./reserved-item.ts";
import { SharedWants, wantsText } from "./stored-wants.ts";

/** An assignment, whose name in its node's map says which attempt it is. */
const StoredAssignment = z.object({
  phase: z.enum(["placed", "running", "uploading"]),
  orderedAtMs: z.number().optional(),
  process: z.string().optional(),
  call: z.number().optional(),
  waitsSinceMs: z.number().optional(),
  untilMs: z.number().optional(),
  rank: z.int().min(0).optional(),
  evict: z.object({ because: z.string(), atMs: z.number() }).optional(),
  /** The attempt's wants. */
  w: SharedWants,
});

/** Returns an assignment in the form of its node's item. */
export const assignmentItem = (assignment: Assignment): Item => {
  const { phase, orderedAtMs, process, call, waitsSinceMs, untilMs, rank, evict } = assignment;
  return { phase, orderedAtMs, process, call, waitsSinceMs, untilMs, rank, evict, w: wantsText(assignment) };
};

const assignmentPattern = /^([^/#]+)\/([^/#]+)#([1-9]\d*)$/;

const StoredNode = z.object({
  id: z.string(),
  pool: z.string(),
  launch: z.string(),
  team: z.string().optional(),
  offer: sharedPacked(StoredOffer),
  type: sharedPacked(StoredType),
  state: z.enum(["launching", "ready", "draining", "terminating", "gone"]),
  launchedAtMs: z.number(),
  readyAtMs: z.number().optional(),
  begunAtMs: z.number().optional(),
  lastBusyMs: z.number(),
  stateSinceMs: z.number(),
  assignments: z.record(z.string().regex(assignmentPattern), StoredAssignment),
  notice: z.object({ kind: z.enum(["interruption", "rebalance"]), atMs: z.number() }).optional(),
  drain: z
    .object({ because: z.string(), untilMs: z.number(), hasRoom: z.literal(true).optional(), ordered: z.literal(true).optional() })
    .optional(),
  declared: z.object({ by: z.string(), because: z.string(), atMs: z.number() }).optional(),
  replaces: z.string().optional(),
  missingSinceMs: z.number().optional(),
  impairedSinceMs: z.number().optional(),
  /** The node's part of the pool's reservation, until it is released. */
  reservedMicroUsd: z.int(),
  reservedGpus: z.number(),
  released: z.boolean(),
});
type StoredNode = z.infer<typeof StoredNode>;

/** Returns an assignment's key in its node's map, so that bind, change and takeBack touch only their own entry. */
export const assignmentName = ({ team, job, attempt }: AttemptRef): string => `${team}/${job}#${attempt}`;

function assignmentOf(name: string, { w, ...assignment }: z.infer<typeof StoredAssignment>): Assignment {
  const [, team = "", job = "", attempt = ""] = assignmentPattern.exec(name) ?? [];
  const { phase, orderedAtMs, process, call, waitsSinceMs, untilMs, rank, evict } = assignment;
  return { ...w, team, job, attempt: Number(attempt), phase, orderedAtMs, process, call, waitsSinceMs, untilMs, rank, evict };
}

/** Returns the item of a new node, whose worker has not called yet. */
export const nodeItem = (node: Node): Key & Item => {
  const { assignments, offer, type, ...rest } = node;
  return {
    ...nodeKey(node.pool, node.id),
    ...rest,
    offer: packedText(offer),
    type: packedText(type),
    assignments: Object.fromEntries(assignments.map((each) => [assignmentName(each), assignmentItem(each)])),
    reservedMicroUsd: reservationOf(node).microUsd,
    reservedGpus: reservationOf(node).gpus,
    released: false,
  };
};

/**
 * Returns the update that records that a node's instance has ended, or that an admin has declared so. `stoppedAtMs`: the instance had only
 * stopped by then, so the update fails if its worker has begun a session since.
 */
export const toGone = ({ atMs, stoppedAtMs, declared }: Gone) => ({
  changes: [set("state", "gone"), set("stateSinceMs", atMs), ...(declared ? [set("declared", declared)] : [])],
  when: [
    isThere("pk"),
    isNot("state", "gone"),
    ...(stoppedAtMs === undefined ? [] : [either(isAbsent("begunAtMs"), isBelow("begunAtMs", stoppedAtMs))]),
  ],
});

type Gone = { readonly atMs: number; readonly stoppedAtMs?: number | undefined; readonly declared?: Declared | undefined };

export const reservationOf = (node: Pick<Node, "offer" | "type">): Amount => amountOf(reservedBy(node));

/** The items of one node. */
export type NodeItems = { readonly item: Item; readonly heartbeat?: Item | undefined; readonly datasets?: Item | undefined };

/** Returns the node that its items describe. Throws if one of them cannot be read. */
export function nodeOf({ item, heartbeat, datasets }: NodeItems): Node {
  const { reservedMicroUsd: _usd, reservedGpus: _gpus, released, assignments, ...node } = stored(StoredNode, item);
  return {
    ...node,
    ...(released ? { released } : {}),
    assignments: Object.entries(assignments)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => assignmentOf(name, each)),
    ...(heartbeat && heartbeatOfItem(heartbeat)),
    ...(datasets && { datasets: datasetsOfItem(datasets) }),
  };
}

/** Groups the items of nodes by node. What is left of a node without its own item is left out. */
export function itemsByNode(items: readonly Item[]): readonly NodeItems[] {
  const groups = new Map<string, { item?: Item; heartbeat?: Item; datasets?: Item }>();
  for (const item of items) {
    const { node, kind } = partOfNode(String(item["sk"]));
    const group = groups.get(node) ?? {};
    groups.set(node, group);
    if (kind === undefined) group.item = item;
    else if (kind === "HEARTBEAT") group.heartbeat = item;
    else if (kind === "DATASETS") group.datasets = item;
  }
  return [...groups.values()].flatMap(({ item, ...rest }) => (item ? [{ item, ...rest }] : []));
}

/** Returns the nodes of which these are all items, by id, and those that cannot be read. */
export function nodesOf(items: readonly Item[]): ReturnType<typeof separated<Node>> {
  const groups = new Map(itemsByNode(items).map((group) => [group.item, group]));
  const { read, unreadable } = separated("node", [...groups.keys()], (item) => nodeOf(groups.get(item) ?? { item }));
  return { read: read.toSorted((a, b) => (a.id < b.id ? -1 : 1)), unreadable };
}

/** Returns the items of a node, strongly consistent unless `behind`, or undefined if there is no node. */
export async function readNodeItems(
  access: TableAccess,
  pool: string,
  node: string,
  read: { behind?: boolean } = {},
): Promise<NodeItems | undefined> {
  const [found] = itemsByNode(await getRange(access, nodeKey(pool, node).pk, nodeRange(node), read));
  return found;
}

/** Does the same, but returns the node. */
export async function getNode(access: TableAccess, pool: string, node: string, read: { behind?: boolean } = {}): Promise<Node | undefined> {
  const found = await readNodeItems(access, pool, node, read);
  return found && nodeOf(found);
}

/** A node's own item, including its reservation, which the model lacks. */
export type ReadNode = StoredNode;

/** Returns a node's own item, strongly consistent, or undefined if there is none. */
export async function readNode(access: TableAccess, pool: string, node: string): Promise<ReadNode | undefined> {
  const item = await getItem(access, nodeKey(pool, node));
  return item && readNodeOf(item);
}
export const readNodeOf = (item: Item): ReadNode => stored(StoredNode, item);
