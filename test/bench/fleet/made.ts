import { type Random, seeded } from "../../../lib/optimizer/engines/random.ts";
import type { FreeNode, NamedJob, Supply } from "../../../lib/optimizer/problem/problem.ts";

export const nodesThere = 1_000;

/** Returns as many offers as a region sells, by repeating the given ones, each time a little more expensive and a little larger. */
export const manyOf = (offers: readonly Supply[], count: number): readonly Supply[] =>
  Array.from({ length: count }, (_, index) => {
    const offer = offers[index % offers.length] as Supply;
    const round = Math.floor(index / offers.length);
    const larger = offer.capacity.map((each) => each * (1 + round / 100));
    return { ...offer, name: `${offer.name}-${round}`, usdPerHour: offer.usdPerHour * (1 + round / 50), capacity: larger };
  });

/** Returns nodes that are mostly taken. */
export function nodesOf(offers: readonly Supply[]): readonly FreeNode[] {
  const random = seeded(7);
  return Array.from({ length: nodesThere }, (_, index) => {
    const { type, zone, market, capacity, gpu } = offers[Math.floor(random() * offers.length)] as Supply;
    const room = capacity.map((each) => each * random() ** 3);
    const gpusFree = Array.from({ length: gpu?.count ?? 0 }, () => (random() < 0.2 ? 1 : 0));
    return { name: `n${index}`, type, zone, market, room, ...(gpu ? { gpu, gpusFree } : {}) };
  });
}

/** Returns jobs of which no two have the same needs. */
export const distinct = (count: number, random: Random): readonly NamedJob[] =>
  Array.from({ length: count }, (_, index): NamedJob => {
    const gpu = random() < 0.3 ? { count: 1 } : undefined;
    return { name: `d${index}`, size: [0.1 + 7.5 * random(), 0.1 + 30 * random()], spot: true, ...(gpu ? { gpu } : {}) };
  });

/** Returns jobs of a few classes. */
export function alike(count: number, { classes, random }: { classes: number; random: Random }): readonly NamedJob[] {
  const shapes = distinct(classes, random);
  return Array.from({ length: count }, (_, index): NamedJob => ({ ...(shapes[index % classes] as NamedJob), name: `a${index}` }));
}
