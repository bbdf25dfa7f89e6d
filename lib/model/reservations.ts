import type { Reservation } from "./launch.ts";
import type { InstanceType, Offer } from "./offer.ts";

/** Returns whole micro-dollars, in which dollars are counted and stored so that additions and subtractions cancel exactly. */
export const micro = (usd: number): number => Math.round(usd * 1e6);

/** Rounds to millionths of a dollar, as the ledger stores them, so that 0.3 less 0.1 leaves room for 0.2. */
export const exactly = (usd: number): number => micro(usd) / 1e6;

/** Returns what a node of this offer and type reserves. */
export const reservedBy = ({
  offer,
  type,
}: {
  readonly offer: Pick<Offer, "usdPerHour">;
  readonly type: Pick<InstanceType, "resources">;
}): Reservation => ({ usdPerHour: offer.usdPerHour, gpus: type.resources.gpus });

export const plus = (a: Reservation, b: Reservation): Reservation => ({
  usdPerHour: exactly(a.usdPerHour + b.usdPerHour),
  gpus: a.gpus + b.gpus,
});

export const less = (a: Reservation, b: Reservation): Reservation => ({
  usdPerHour: exactly(a.usdPerHour - b.usdPerHour),
  gpus: a.gpus - b.gpus,
});

export const times = (count: number, each: Reservation): Reservation => ({
  // Each one is rounded before they are added, because each node's price will be.
  usdPerHour: exactly(exactly(each.usdPerHour) * count),
  gpus: each.gpus * count,
});

export const isWithin = (reservation: Reservation, room: Reservation): boolean =>
  reservation.usdPerHour <= room.usdPerHour && reservation.gpus <= room.gpus;
