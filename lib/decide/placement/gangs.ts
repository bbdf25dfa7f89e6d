import { jobName, type QueueEntry } from "../../model/job.ts";
import type { Assignment } from "../../model/node.ts";
import type { Snapshot } from "../../model/plan.ts";
import { type FreeCapacity, hasRoom } from "./free-capacity.ts";
import type { KindOf } from "./kinds.ts";

/** Reports whether the job runs on several nodes, which start together or not at all. */
export const isGang = (entry: QueueEntry): boolean => entry.nodes > 1;

/**
 * Returns nodes for all members of a gang, by rank: of one instance type and in one zone. Returns undefined unless there are enough.
 * If several groups fit, it returns the one of the smallest type, so that larger types remain for jobs that need them.
 */
export function gangRooms(entry: QueueEntry, rooms: readonly FreeCapacity[]): readonly FreeCapacity[] | undefined {
  const groups = Map.groupBy(
    rooms.filter((room) => hasRoom(room, entry)),
    groupOf,
  );
  const [smallest] = [...groups.values()].filter((group) => group.length >= entry.nodes).toSorted(bySize);
  return smallest?.slice(0, entry.nodes).toSorted(byId);
}

/**
 * Returns nodes on which waiting gangs could start now. Other jobs should use them only if no other node has room, because a gang that
 * loses one of its nodes to a job with a place elsewhere would need all of them again.
 */
export function wantedByGangs(queue: readonly QueueEntry[], rooms: readonly FreeCapacity[], kindOf: KindOf): ReadonlySet<string> {
  const wanted = new Set<string>();
  // If one gang does not fit, neither does the next of its kind, because what is left only shrinks.
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
 * Returns the jobs whose earlier attempt is still held by nodes: members of a gang that ended, until their workers have stopped them.
 * An attempt must not start while any part of the last one runs. An attempt that only uploads no longer runs.
 */
export function stillHeld(
  queue: readonly QueueEntry[],
  { nodes, unreadable = [] }: Pick<Snapshot, "nodes" | "unreadable">,
): ReadonlySet<string> {
  const again = queue.filter((entry) => isGang(entry) && entry.attempt > 1);
  if (again.length === 0) return new Set();
  // A node that cannot be read may hold a member of any of them.
  if (unreadable.some(({ kind }) => kind === "node")) return new Set(again.map(jobName));
  return new Set(nodes.flatMap((node) => node.assignments.filter(isLeft).map(jobName)));
}

const isLeft = ({ rank, phase }: Assignment): boolean => rank !== undefined && phase !== "uploading";

const bySize = ([a]: readonly FreeCapacity[], [b]: readonly FreeCapacity[]): number => {
  if (!a || !b) return 0;
  const [one, other] = [a.node.type.resources, b.node.type.resources];
  return one.gpus - other.gpus || one.vcpus - other.vcpus || one.memoryGiB - other.memoryGiB || (groupOf(a) < groupOf(b) ? -1 : 1);
};
const groupOf = ({ node }: FreeCapacity): string => `${node.type.name}/${node.offer.zone}`;
const byId = (a: FreeCapacity, b: FreeCapacity): number => (a.node.id < b.node.id ? -1 : 1);
