import { jobName, type QueueEntry } from "../../model/job.ts";
import type { Assignment, Node } from "../../model/node.ts";
import { hasRoom, kindOf, type Room } from "./rooms.ts";

/** A job of several nodes, which start together or not at all. */
export const isGang = (entry: QueueEntry): boolean => entry.nodes > 1;

/**
 * Nodes for all members of a gang, by rank: of one instance type and in one zone. Undefined unless there are enough.
 * Of several groups the one of the smallest type does, so that the larger are left to who needs them.
 */
export function gangRooms(entry: QueueEntry, rooms: readonly Room[]): readonly Room[] | undefined {
  const groups = Map.groupBy(
    rooms.filter((room) => hasRoom(room, entry)),
    groupOf,
  );
  const [smallest] = [...groups.values()].filter((group) => group.length >= entry.nodes).toSorted(bySize);
  return smallest?.slice(0, entry.nodes).toSorted(byId);
}

/**
 * Nodes on which gangs that wait could start now. Others go there only where nothing else has room: a gang that has lost
 * one of its nodes to a job which had a place elsewhere would need all of them anew.
 */
export function wantedByGangs(queue: readonly QueueEntry[], rooms: readonly Room[]): ReadonlySet<string> {
  const wanted = new Set<string>();
  // What is left only shrinks: too little for one gang is too little for the next of its kind.
  const inVain = new Set<string>();
  let left = rooms;
  for (const entry of queue.filter(isGang)) {
    if (left.length < 2) break;
    if (inVain.has(kindOf(entry))) continue;
    const found = gangRooms(entry, left);
    if (!found) inVain.add(kindOf(entry));
    for (const { node } of found ?? []) wanted.add(node.id);
    if (found) left = left.filter(({ node }) => !wanted.has(node.id));
  }
  return wanted;
}

/**
 * Jobs of which nodes still hold an earlier attempt: members of a gang that ended, until their workers have stopped them.
 * No attempt begins before nothing of the last one runs. What only uploads runs no more.
 */
export function stillHeld(queue: readonly QueueEntry[], nodes: readonly Node[]): ReadonlySet<string> {
  if (!queue.some((entry) => isGang(entry) && entry.attempt > 1)) return new Set();
  return new Set(nodes.flatMap((node) => node.assignments.filter(isLeft).map(jobName)));
}

const isLeft = ({ rank, phase }: Assignment): boolean => rank !== undefined && phase !== "uploading";

const bySize = ([a]: readonly Room[], [b]: readonly Room[]): number => {
  if (!a || !b) return 0;
  const [one, other] = [a.node.type.resources, b.node.type.resources];
  return one.gpus - other.gpus || one.vcpus - other.vcpus || one.memoryGiB - other.memoryGiB || (groupOf(a) < groupOf(b) ? -1 : 1);
};
const groupOf = ({ node }: Room): string => `${node.type.name}/${node.offer.zone}`;
const byId = (a: Room, b: Room): number => (a.node.id < b.node.id ? -1 : 1);
