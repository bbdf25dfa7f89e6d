import type { JobClass } from "../problem/problem.ts";
import { give, hasRoom, type NodeRoom, needOf, takes, type UnitNeed } from "./rooms.ts";

/** Puts jobs on existing nodes, the largest first, each where it leaves least. Returns the jobs that found no room. */
export function fillNodes(jobs: readonly JobClass[], rooms: readonly NodeRoom[]): JobClass[] {
  const left: JobClass[] = [];
  const sized = jobs.map((job, index) => ({ job, index, need: needOf(job) }));
  const largest = largestOf(rooms);
  for (const { job, need } of sized.toSorted((a, b) => shareOf(b.need, largest) - shareOf(a.need, largest) || a.index - b.index)) {
    const fitting = rooms
      .filter((room) => takes(room, job, need))
      .map((room) => ({ room, spare: spareOf(room, largest) }))
      .sort((a, b) => a.spare - b.spare || (a.room.node.name < b.room.node.name ? -1 : 1));
    const names = [...job.names];
    for (const { room } of fitting) {
      while (names.length > 0 && hasRoom(room, need)) {
        room.jobs.push(names.shift() as string);
        give(room, need);
      }
      if (names.length === 0) break;
    }
    if (names.length > 0) left.push({ ...job, names });
  }
  return left;
}

/** Returns the most that one node has free, by dimension. */
function largestOf(rooms: readonly NodeRoom[]): Float64Array {
  const largest = new Float64Array(rooms[0]?.free.length ?? 0);
  for (const { free } of rooms)
    for (let dimension = 0; dimension < largest.length; dimension += 1)
      largest[dimension] = Math.max(largest[dimension] as number, free[dimension] as number);
  return largest;
}

const shareOf = ({ size, whole, share }: UnitNeed, largest: Float64Array): number =>
  largest.reduce((sum, most, dimension) => sum + (most > 0 ? (size[dimension] as number) / most : 0), whole + share / 1e6);

/** Returns how much a room has to spare. GPUs weigh most, because leaving GPUs unused costs most. */
const spareOf = ({ free, slots }: NodeRoom, largest: Float64Array): number =>
  largest.reduce((sum, most, dimension) => sum + (most > 0 ? (free[dimension] as number) / most : 0), 0) +
  slots.reduce((sum, slot) => sum + slot / 1e6, 0);
