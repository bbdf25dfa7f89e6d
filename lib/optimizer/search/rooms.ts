import { allowedBy } from "../problem/match.ts";
import type { FreeNode, JobNeed } from "../problem/problem.ts";
import type { Shape } from "../problem/shape.ts";
import { sizeOf, unit, unitsOf } from "../problem/units.ts";

/** The free room of a node while jobs are put on it, in millionths. */
export type NodeRoom = { readonly node: FreeNode; readonly free: number[]; readonly slots: number[]; readonly jobs: string[] };

export function roomsOf(nodes: readonly FreeNode[]): readonly NodeRoom[] {
  return nodes
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((node) => ({
      node,
      free: node.room.map(unitsOf),
      slots: (node.gpusFree ?? []).map(unitsOf),
      jobs: [],
    }));
}

/** The needs of a job, in millionths. */
export type UnitNeed = Pick<Shape, "size" | "whole" | "share">;

export function needOf({ size, gpu }: JobNeed): UnitNeed {
  const gpus = gpu?.count ?? 0;
  return { size: Float64Array.from([...size, gpus], sizeOf), whole: gpus >= 1 ? gpus : 0, share: gpus < 1 ? sizeOf(gpus) : 0 };
}

export const takes = (room: NodeRoom, job: JobNeed, need: UnitNeed): boolean => allowedBy(job, room.node) && hasRoom(room, need);

export function hasRoom({ free, slots }: NodeRoom, { size, whole, share }: UnitNeed): boolean {
  for (let dimension = 0; dimension < free.length; dimension += 1)
    if ((size[dimension] as number) > (free[dimension] as number)) return false;
  if (share > 0) return slots.some((left) => left >= share);
  return whole === 0 || slots.reduce((count, left) => count + (left >= unit ? 1 : 0), 0) >= whole;
}

/** Puts one such job on the node. A share of a GPU goes to the GPU where it leaves least. */
export function give({ free, slots }: NodeRoom, { size, whole, share }: UnitNeed): void {
  for (let dimension = 0; dimension < free.length; dimension += 1)
    free[dimension] = (free[dimension] as number) - (size[dimension] as number);
  if (share > 0) {
    let best = -1;
    for (let slot = 0; slot < slots.length; slot += 1) {
      const left = slots[slot] as number;
      if (left >= share && (best < 0 || left < (slots[best] as number))) best = slot;
    }
    slots[best] = (slots[best] as number) - share;
  }
  let wanted = whole;
  for (let slot = 0; slot < slots.length && wanted > 0; slot += 1) {
    if ((slots[slot] as number) < unit) continue;
    slots[slot] = 0;
    wanted -= 1;
  }
}

/** Returns the node with the room that is still free. */
export const restOf = ({ node, free, slots }: NodeRoom): FreeNode => ({
  ...node,
  room: free.map((left) => left / unit),
  gpusFree: slots.map((left) => left / unit),
});
