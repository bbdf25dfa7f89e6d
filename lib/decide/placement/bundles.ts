import type { QueueEntry } from "../../model/job.ts";
import type { Reservation } from "../../model/launch.ts";
import { type InstanceType, type Offer, offerName } from "../../model/offer.ts";
import { isWithin, times } from "../../model/reservations.ts";
import { fits, nothing, plus, type Resources } from "../../model/values/resources.ts";
import { allows, type Wants } from "../../model/wants.ts";
import type { Standing } from "../capacity/rest.ts";

/** How much dearer than the cheapest an offer of one launch may be: width for EC2 to find capacity, bounded by what it may cost. */
const dearestFactor = 1.5;
/** Offers of one launch. EC2 takes 300; more than this only makes the reservation dearer. */
const mostOffers = 24;

/**
 * Places on one node: all its jobs are stored in the node's item, which holds 400 KB with what its worker reports, and their
 * orders travel in few answers. A place is some 430 bytes: a job with the longest names, or five names of what it wants.
 */
export const mostPlaces = 200;
const namesOfPlace = 5;
/** GPU models and zones are short, and most jobs name none: the first five cost nothing. */
export const placesOf = ({ datasets, gpu, zones }: Pick<Wants, "datasets" | "gpu" | "zones">): number =>
  1 + Math.ceil(datasets.length / namesOfPlace) + Math.floor((gpu.models.length + zones.length) / namesOfPlace);

/**
 * Offers that may be asked for now, cheapest first, each with the type it buys. `rested`: it was refused, and whether there is
 * any now has yet to be found out.
 */
export type Shelf = readonly { readonly offer: Offer; readonly type: InstanceType; readonly rested: boolean }[];

/** Jobs that are to share one node to be launched, or a gang, which gets several. */
export type Bundle = {
  readonly team: string | undefined;
  /** Nodes. Each has a like share of the gang; more than one holds nothing but that gang. */
  readonly count: number;
  readonly entries: readonly QueueEntry[];
  /** On each node. */
  readonly places: number;
  /** On each node. */
  readonly needs: Resources;
  /** All that holds them, whatever it costs. */
  readonly holding: Shelf;
  /** What EC2 is to choose from: the cheapest within the limits and its like in the same market. */
  readonly offers: readonly Offer[];
  /** The shapes of what those buy. */
  readonly types: readonly InstanceType[];
  /** Of one node of the cheapest offer. */
  readonly usdPerHour: number;
  /** Of all nodes, of the dearest. */
  readonly reserved: Reservation;
};

/** The shelf, without what rests. */
export function shelf(
  types: readonly InstanceType[],
  offers: readonly Offer[],
  standingOf: (offer: Offer, type: InstanceType) => Standing,
): Shelf {
  const byName = new Map(types.map((type) => [type.name, type]));
  return offers
    .flatMap((offer) => {
      const type = byName.get(offer.instanceType);
      const standing = type ? standingOf(offer, type) : "rests";
      return type && standing !== "rests" ? [{ offer, type, rested: standing === "probe" }] : [];
    })
    .toSorted((a, b) => a.offer.usdPerHour - b.offer.usdPerHour || (offerName(a.offer) < offerName(b.offer) ? -1 : 1));
}

/** A bundle without jobs, which everything on the shelf holds. */
export const emptyBundle = (team: string | undefined, from: Shelf, count = 1): Bundle => ({
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
 * The bundle with one job more. `nothing`: no offer holds them all. `limit`: one does, but not within `room`,
 * which is what the pool may still reserve without this bundle.
 */
export function extended(bundle: Bundle, entry: QueueEntry, room: Reservation): Bundle | "nothing" | "limit" {
  const places = bundle.places + placesOf(entry);
  if (places > mostPlaces) return "nothing";
  const needs = plus(bundle.needs, entry.needs);
  const holding = bundle.holding.filter(({ offer, type }) => allows(entry, offer, type) && fits(needs, type.resources));
  if (holding.length === 0) return "nothing";
  const asks = (usdPerHour: number, gpus: number): Reservation => times(bundle.count, { usdPerHour, gpus });
  const within = holding.filter(({ offer, type }) => isWithin(asks(offer.usdPerHour, type.resources.gpus), room));
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
    reserved: asks(Math.max(...chosen.map(({ offer }) => offer.usdPerHour)), Math.max(...chosen.map(({ type }) => type.resources.gpus))),
  };
}

/**
 * Of one market's offers what EC2 is to choose from: the cheapest and its like. Where all of those have yet to show that there is
 * any again, the cheapest that nothing stands against comes with its like: the launch then brings something either way, and
 * finds out by the way what a launch of its own would have been wasted on. Where there is no such offer, one launch asks for all.
 */
function choiceOf(market: Shelf): Shelf {
  const likeOf = (first: Shelf[number] | undefined, of: Shelf): Shelf =>
    first ? of.filter(({ offer }) => offer.usdPerHour <= first.offer.usdPerHour * dearestFactor) : [];
  const cheapest = likeOf(market[0], market);
  if (cheapest.some(({ rested }) => !rested)) return cheapest.slice(0, mostOffers);
  const sure = market.filter(({ rested }) => !rested);
  if (sure.length === 0) return market.slice(0, mostOffers);
  return [...cheapest.slice(0, mostOffers / 2), ...likeOf(sure[0], sure)].slice(0, mostOffers);
}
