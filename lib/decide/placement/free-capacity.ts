import { freeOn, type Node } from "../../model/node.ts";
import { fits, minus, type Resources } from "../../model/values/resources.ts";
import { allows, type Wants } from "../../model/wants.ts";
import { maxPlaces, placesOf } from "./bundles.ts";

/** What is left of a node while jobs are placed one after another. */
export type FreeCapacity = { readonly node: Node; free: Resources; places: number };

/** Returns the nodes' rooms, oldest first, so that the youngest nodes become idle and are given back. */
export const freeCapacityOf = (nodes: readonly Node[]): readonly FreeCapacity[] =>
  nodes
    .toSorted((a, b) => a.launchedAtMs - b.launchedAtMs || (a.id < b.id ? -1 : 1))
    .map((node) => ({
      node,
      free: freeOn(node),
      places: maxPlaces - node.assignments.reduce((taken, held) => taken + placesOf(held), 0),
    }));

export const hasRoom = ({ node, free, places }: FreeCapacity, entry: Wants & { readonly team: string }): boolean =>
  places >= placesOf(entry) &&
  (node.team === undefined || node.team === entry.team) &&
  allows(entry, node.offer, node.type) &&
  fits(entry.needs, free);

/** Takes what the job, or one member of it, needs from the room. */
export function occupy(room: FreeCapacity, held: Wants): void {
  room.places -= placesOf(held);
  room.free = minus(room.free, held.needs);
}
