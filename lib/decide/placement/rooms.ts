import type { QueueEntry } from "../../model/job.ts";
import { holds, mayBuy } from "../../model/match.ts";
import { type Assignment, freeOn, type Node } from "../../model/node.ts";
import { minus, type Resources } from "../../model/values/resources.ts";
import { mostPlaces, placesOf } from "./bundles.ts";

/** What is left of a node while jobs are placed one after the other. */
export type Room = { readonly node: Node; free: Resources; places: number };

/** Oldest first, so that the youngest fall idle and are given back. */
export const roomsOf = (nodes: readonly Node[]): readonly Room[] =>
  nodes
    .toSorted((a, b) => a.launchedAtMs - b.launchedAtMs || (a.id < b.id ? -1 : 1))
    .map((node) => ({
      node,
      free: freeOn(node),
      places: mostPlaces - node.assignments.reduce((taken, held) => taken + placesOf(held), 0),
    }));

export const hasRoom = ({ node, free, places }: Room, entry: QueueEntry): boolean =>
  places >= placesOf(entry) &&
  (node.team === undefined || node.team === entry.team) &&
  mayBuy(node.offer, entry) &&
  holds(node.type, free, entry);

/** Takes what the job, or one member of it, needs. */
export function give(room: Room, { needs, datasets }: Pick<Assignment, "needs" | "datasets">): void {
  room.places -= placesOf({ datasets });
  room.free = minus(room.free, needs);
}

/** Jobs of one kind fit in the same places. */
export const kindOf = ({ team, needs, gpu, spot, nodes, datasets }: QueueEntry): string =>
  JSON.stringify([team, needs.vcpus, needs.memoryGiB, needs.gpus, gpu, spot, nodes, placesOf({ datasets })]);
