import type { QueueEntry } from "../../model/job.ts";
import type { Reservation } from "../../model/launch.ts";
import { type InstanceType, type Offer, offerName } from "../../model/offer.ts";
import { isWithin, reservedBy, times } from "../../model/reservations.ts";
import { fits, nothing, plus, type Resources } from "../../model/values/resources.ts";
import { allows, type Wants } from "../../model/wants.ts";
import type { OfferStatus } from "../capacity/cooldown.ts";
import type { Least } from "../limits/in-words.ts";

/** How much more than the cheapest an offer of one launch may cost: EC2 needs a choice to find capacity, but the cost must be bounded. */
const dearestFactor = 1.5;
/** The most offers of one launch. EC2 takes 300, but more than this only make the reservation more expensive. */
const maxOffers = 24;

/**
 * The most places on one node. All its jobs are stored in the node's item, which holds 400 KB including what its worker reports, and
 * their orders must fit in few responses. A place is about 430 bytes: a job with the longest names, or five names of what it wants.
 */
export const maxPlaces = 200;
const namesOfPlace = 5;
/** Returns the places that a job takes. The first five GPU models and zones are free, because they are short and most jobs name none. */
export const placesOf = ({ datasets, gpu, zones }: Pick<Wants, "datasets" | "gpu" | "zones">): number =>
  1 + Math.ceil(datasets.length / namesOfPlace) + Math.floor((gpu.models.length + zones.length) / namesOfPlace);

/**
 * Offers that may be requested now, cheapest first, each with the type that it buys. `halfOpen`: it was refused, its cooldown is over, and
 * whether it is available again is not known yet.
 */
export type AvailableOffers = readonly { readonly offer: Offer; readonly type: InstanceType; readonly halfOpen: boolean }[];

/** Jobs that will share one node to be launched, or a gang, which gets several. */
export type Bundle = {
  readonly team: string | undefined;
  /** The number of nodes. If more than one, they hold nothing but a gang, in equal shares. */
  readonly count: number;
  readonly entries: readonly QueueEntry[];
  /** Per node. */
  readonly places: number;
  /** Per node. */
  readonly needs: Resources;
  /** All offers that hold the jobs, whatever they cost. */
  readonly holding: AvailableOffers;
  /** What EC2 should choose from: the cheapest offer within the limits, and similar ones in the same market. */
  readonly offers: readonly Offer[];
  /** The instance types that the offers buy. */
  readonly types: readonly InstanceType[];
  /** The price of one node of the cheapest offer. */
  readonly usdPerHour: number;
  /** For all nodes, at the price of the most expensive offer. */
  readonly reserved: Reservation;
};

/** Returns the offers that may be requested now. */
export function availableOffers(
  types: readonly InstanceType[],
  offers: readonly Offer[],
  statusOf: (offer: Offer, type: InstanceType) => OfferStatus,
): AvailableOffers {
  const byName = new Map(types.map((type) => [type.name, type]));
  return offers
    .flatMap((offer) => {
      const type = byName.get(offer.instanceType);
      const status = type ? statusOf(offer, type) : "cooling-down";
      return type && status !== "cooling-down" ? [{ offer, type, halfOpen: status === "half-open" }] : [];
    })
    .toSorted((a, b) => a.offer.usdPerHour - b.offer.usdPerHour || (offerName(a.offer) < offerName(b.offer) ? -1 : 1));
}

/** Returns a bundle without jobs, which every available offer holds. */
export const emptyBundle = (team: string | undefined, from: AvailableOffers, count = 1): Bundle => ({
  team,
  count,
  entries: [],
  places: 0,
  needs: nothing,
  holding: from,
  offers: [],
  types: [],
  usdPerHour: 0,
  reserved: { usdPerHour: 0, gpus: 0 },
});

/**
 * Returns the bundle with one more job. Returns `nothing` if no offer holds all jobs, and `limit` if one does, but not within `room`,
 * which is what the pool may still reserve without this bundle.
 */
export function extended(bundle: Bundle, entry: QueueEntry, room: Reservation): Bundle | "nothing" | "limit" {
  const places = bundle.places + placesOf(entry);
  if (places > maxPlaces) return "nothing";
  const needs = plus(bundle.needs, entry.needs);
  const holding = bundle.holding.filter(({ offer, type }) => allows(entry, offer, type) && fits(needs, type.resources));
  if (holding.length === 0) return "nothing";
  const reservationOf = (usdPerHour: number, gpus: number): Reservation => times(bundle.count, { usdPerHour, gpus });
  const within = holding.filter(({ offer, type }) => isWithin(reservationOf(offer.usdPerHour, type.resources.gpus), room));
  const cheapest = within[0]?.offer;
  if (!cheapest) return "limit";
  const chosen = choiceOf(within.filter(({ offer }) => offer.market === cheapest.market));
  return {
    team: bundle.team,
    count: bundle.count,
    entries: [...bundle.entries, entry],
    places,
    needs,
    holding,
    offers: chosen.map(({ offer }) => offer),
    types: [...new Set(chosen.map(({ type }) => type))],
    usdPerHour: cheapest.usdPerHour,
    reserved: reservationOf(
      Math.max(...chosen.map(({ offer }) => offer.usdPerHour)),
      Math.max(...chosen.map(({ type }) => type.resources.gpus)),
    ),
  };
}

/**
 * Returns the offers of one market that EC2 should choose from: the cheapest and those with a similar price. If all of these were
 * refused before, the cheapest offer that was not refused is added with those like it: the launch then succeeds either way, and
 * finds out what would otherwise need a launch that may be wasted. If every offer was refused, one launch requests them all.
 */
function choiceOf(market: AvailableOffers): AvailableOffers {
  const likeOf = (first: AvailableOffers[number] | undefined, of: AvailableOffers): AvailableOffers =>
    first ? of.filter(({ offer }) => offer.usdPerHour <= first.offer.usdPerHour * dearestFactor) : [];
  const cheapest = likeOf(market[0], market);
  if (cheapest.some(({ halfOpen }) => !halfOpen)) return cheapest.slice(0, maxOffers);
  const sure = market.filter(({ halfOpen }) => !halfOpen);
  if (sure.length === 0) return market.slice(0, maxOffers);
  return [...cheapest.slice(0, maxOffers / 2), ...likeOf(sure[0], sure)].slice(0, maxOffers);
}

/**
 * Returns the cheapest available node that holds the job, and what it would reserve for the job alone, or for all nodes of a gang. An
 * offer that would exceed `most`, the limits themselves, counts only if there is no other.
 */
export function cheapestFor(entry: QueueEntry, from: AvailableOffers, most: Reservation): Least {
  const empty = emptyBundle(undefined, from, entry.nodes);
  const within = extended(empty, entry, most);
  const alone =
    typeof within === "object" ? within : extended(empty, entry, { usdPerHour: Number.POSITIVE_INFINITY, gpus: Number.POSITIVE_INFINITY });
  const [cheapest] = typeof alone === "object" ? alone.holding.filter(({ offer }) => offer === alone.offers[0]) : [];
  if (!cheapest) return { instanceType: "unknown", needed: { usdPerHour: 0, gpus: 0 } };
  const { offer, type } = cheapest;
  return { instanceType: type.name, needed: times(entry.nodes, reservedBy({ offer, type })) };
}
