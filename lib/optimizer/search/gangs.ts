import { allowedBy } from "../problem/match.ts";
import type { JobClass, JobNeed, Supply } from "../problem/problem.ts";
import { sizeOf, unitsOf } from "../problem/units.ts";
import { give, type NodeRoom, needOf, takes } from "./rooms.ts";

/** Puts a gang on the existing nodes of one type, zone and market with least to spare. Returns undefined if there are too few. */
export function boundGang(gang: JobClass, rooms: readonly NodeRoom[]): readonly NodeRoom[] | undefined {
  const need = needOf(gang);
  const members = gang.nodes ?? 1;
  const groups = Map.groupBy(
    rooms.filter((room) => takes(room, gang, need)),
    ({ node }) => `${node.type}/${node.zone}/${node.market}`,
  );
  const spare = (group: readonly NodeRoom[]): number => group[0]?.free.reduce((sum, each) => sum + each, group[0].slots.length) ?? 0;
  const [chosen] = [...groups.entries()]
    .filter(([, group]) => group.length >= members)
    .sort(([a, one], [b, other]) => spare(one) - spare(other) || (a < b ? -1 : 1));
  const chosenRooms = chosen?.[1].slice(0, members);
  for (const room of chosenRooms ?? []) give(room, need);
  return chosenRooms;
}

/** Returns the cheapest offer that holds the gang, one member per node, or undefined if there is none. */
export function cheapestFor(gang: JobClass, offers: readonly Supply[], priceOf: (offer: Supply) => number): Supply | undefined {
  const [cheapest] = offers
    .filter((offer) => holdsOne(gang, offer) && (offer.most ?? Number.POSITIVE_INFINITY) >= (gang.nodes ?? 1))
    .sort((a, b) => priceOf(a) - priceOf(b) || (a.name < b.name ? -1 : 1));
  return cheapest;
}

/** Reports whether an empty node of this offer holds one such job, or one member of a gang. */
export function holdsOne(job: JobNeed, offer: Supply): boolean {
  return (
    allowedBy(job, offer) &&
    job.size.every((size, dimension) => sizeOf(size) <= unitsOf(offer.capacity[dimension] ?? 0)) &&
    (job.gpu?.count ?? 0) <= (offer.gpu?.count ?? 0)
  );
}
