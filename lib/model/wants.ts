import type { DatasetUse } from "./dataset.ts";
import type { Catalogue, InstanceType, Offer } from "./offer.ts";
import { fits, type Resources } from "./values/resources.ts";

/**
 * Everything that determines where a job may run. A job's spec asks for it. Its queue entry, its assignments and the optimizer's problem
 * contain all of it, so that no decision can overlook a part.
 *
 * A field that is added here becomes a condition: it does not compile until `conditions` says which places meet it, and until it is read
 * from the job's message and from the table.
 */
export type Wants = {
  /** What the job needs on each node. */
  readonly needs: Resources;
  /** More than 1 for a gang: each member runs on a node of its own, all in one zone and of one type, or no member runs. */
  readonly nodes: number;
  /** The team's datasets that the job reads. */
  readonly datasets: readonly DatasetUse[];
  /** What each of its GPUs must be. For a job without GPUs, which may run on every type: 0 GiB and no models. */
  readonly gpu: GpuKind;
  /** Whether it may run on spot capacity. */
  readonly spot: boolean;
  /** The availability zones that the job accepts; empty for any. */
  readonly zones: readonly string[];
};

export type GpuKind = {
  /** The least memory of each GPU, GiB; 0 for any. */
  readonly memoryGiB: number;
  /** Allowed models as EC2 names them ("T4", "A10G", …), ignoring case; empty for any. */
  readonly models: readonly string[];
};

/** The same as `Wants`, in the form of a job's message. */
export type MessageWants = Omit<Wants, "needs" | "gpu"> & {
  readonly gpus: GpuKind & { readonly count: number };
  readonly vcpus: number;
  readonly memoryGiB: number;
};

type ConditionName = Exclude<keyof Wants, "needs" | "nodes" | "datasets">;
type Wanted = Omit<Wants, "gpu"> & { readonly gpu: Partial<GpuKind> };

/** What a place must meet, whatever the job's size. A field that is undefined sets no condition; but if `spot` is, spot is not allowed. */
export type Conditions = { readonly [Name in ConditionName]?: Wanted[Name] | undefined };

/** Where capacity is, or can be bought. */
type Place = { readonly market: string; readonly zone: string };
/** The part of an instance type that conditions depend on. */
type Kind = Pick<InstanceType, "gpu">;

type Condition<Value> = {
  /**
   * Returns a key that is equal for two values if and only if the same places meet both. It is a JSON value, or empty if the value is no
   * restriction: packing asks for the keys of every job, and JSON takes longest.
   */
  readonly key: (wanted: Value | undefined) => string;
  readonly isMet: (wanted: Value | undefined, place: Place, kind: Kind) => boolean;
  /** Returns the value in words that follow a job's size, such as "no spot"; empty if it is no restriction. */
  readonly inWords: (wanted: Value | undefined) => string;
  /** Returns, if no place meets the condition, what these places sell instead and what the team can change. */
  readonly onlySold: (places: readonly Place[]) => string;
  /** Why a job cannot run at a place that does not meet the condition. */
  readonly reason: string;
  /** The change of the job after which such a place would meet it. */
  readonly change: string;
};

const listed = (all: Iterable<string>): string => [...new Set(all)].sort().join(", ");

/** Whether a GPU of this kind will do. */
function isRight({ memoryGiB = 0, models = [] }: Partial<GpuKind>, has: NonNullable<Kind["gpu"]>): boolean {
  const model = has.model.toLowerCase();
  return has.memoryGiB >= memoryGiB && (models.length === 0 || models.some((each) => each.toLowerCase() === model));
}

const conditions: { readonly [Name in ConditionName]: Condition<Wanted[Name]> } = {
  gpu: {
    key: ({ memoryGiB = 0, models = [] } = {}) =>
      memoryGiB === 0 && models.length === 0 ? "" : JSON.stringify([memoryGiB, models.map((model) => model.toLowerCase()).sort()]),
    isMet: (gpu = {}, _place, kind) => {
      if (!gpu.memoryGiB && !gpu.models?.length) return true;
      return kind.gpu !== undefined && isRight(gpu, kind.gpu);
    },
    inWords: () => "",
    onlySold: () => 'other GPUs only; change "gpus"',
    reason: "it asks for other GPUs",
    change: "other GPUs",
  },
  spot: {
    key: (spot) => (spot === true ? "" : "0"),
    isMet: (spot, place) => spot === true || place.market !== "spot",
    inWords: (spot) => (spot ? "" : "no spot"),
    onlySold: () => 'spot capacity only; set "spot": true',
    reason: "it does not accept spot capacity",
    change: "spot: yes",
  },
  zones: {
    key: (zones = []) => (zones.length === 0 ? "" : JSON.stringify(zones.toSorted())),
    isMet: (zones, place) => zones === undefined || zones.length === 0 || zones.includes(place.zone),
    inWords: (zones) => (zones && zones.length > 0 ? `in ${listed(zones)}` : ""),
    onlySold: (places) => `nodes for this job only in ${listed(places.map(({ zone }) => zone))}; change "zones"`,
    reason: "it does not accept the zone",
    change: "the zone among its zones",
  },
};
const names = Object.keys(conditions) as readonly ConditionName[];

/** Whether this is the name of a condition. */
export const isCondition = (name: string): name is ConditionName => Object.hasOwn(conditions, name);

const isMet = <Name extends ConditionName>(name: Name, wanted: Conditions, place: Place, kind: Kind): boolean =>
  conditions[name].isMet(wanted[name], place, kind);
const keyOf = <Name extends ConditionName>(name: Name, wanted: Conditions): string => conditions[name].key(wanted[name]);
const wordsOf = <Name extends ConditionName>(name: Name, wanted: Conditions): string => conditions[name].inWords(wanted[name]);

/** Returns why a job cannot run at a place that does not meet this condition, and what would have to change. */
export const conditionWords = (name: ConditionName): { readonly reason: string; readonly change: string } => conditions[name];

/** Whether a job may run at this place on this instance type, provided that it has room. */
export function allows(wanted: Conditions, place: Place, kind: Kind): boolean {
  for (const name of names) if (!isMet(name, wanted, place, kind)) return false;
  return true;
}

/** Returns the conditions that this place and type do not meet. */
export const unmet = (wanted: Conditions, place: Place, kind: Kind): readonly ConditionName[] =>
  names.filter((name) => !isMet(name, wanted, place, kind));

/** Whether this type has the GPUs that the job wants, whatever their number. */
export const suits = (kind: Kind, wants: Pick<Wants, "needs" | "gpu">): boolean =>
  wants.needs.gpus === 0 || (kind.gpu !== undefined && isRight(wants.gpu, kind.gpu));

/** Whether the job, or several like it if `needs` is their sum, fits in `room` on a node of this type. */
export const holds = (kind: Kind, room: Resources, wants: Pick<Wants, "needs" | "gpu">): boolean =>
  fits(wants.needs, room) && suits(kind, wants);

/** Returns a key that is equal for two jobs if and only if they may run at the same places on the same types. */
export function conditionsKey(wanted: Conditions): string {
  let key = "";
  for (const name of names) key += ` ${keyOf(name, wanted)}`;
  return key;
}

/** Returns a key that is equal for two jobs if and only if they want the same but for their datasets, so they may run in the same places. */
export const placesKey = (wants: Wants): string => {
  const { needs, nodes } = wants;
  return `${needs.vcpus} ${needs.memoryGiB} ${needs.gpus} ${nodes} ${conditionsKey(wants)}`;
};

/** Returns a key that is equal for two jobs if and only if they want the same. */
export function wantsKey(wants: Wants): string {
  const { datasets } = wants;
  const data = datasets.length === 0 ? "" : JSON.stringify(datasets.map(({ name, share }) => `${share} ${name}`).sort());
  return `${placesKey(wants)} ${data}`;
}

/** Returns only the wants of a job, a queue entry or an assignment. */
export const wantsOf = ({ needs, nodes, datasets, gpu, spot, zones }: Wants): Wants => ({ needs, nodes, datasets, gpu, spot, zones });

/** Returns the wants of a job's message. The kind of GPU is dropped if the job asks for no GPU. */
export function wantsOfMessage({ vcpus, memoryGiB, gpus, ...rest }: MessageWants): Wants {
  const { count, ...gpu } = gpus;
  return wantsOf({ ...rest, needs: { vcpus, memoryGiB, gpus: count }, gpu: count > 0 ? gpu : { memoryGiB: 0, models: [] } });
}

/** Returns the conditions in words, each after a comma, or an empty text if there are none. */
export const conditionsInWords = (wanted: Conditions): string =>
  names.map((name) => wordsOf(name, wanted)).reduce((all, words) => (words === "" ? all : `${all}, ${words}`), "");

/** An offer, and the instance type that it buys. */
export type Bought = { readonly offer: Offer; readonly type: InstanceType };

/** Returns the offers of types that are large enough for the job and have the right GPUs, in the catalogue's order. */
export function offersHolding(wants: Wants, { types, offers }: Catalogue): readonly Bought[] {
  const holding = new Map(types.filter((type) => holds(type, type.resources, wants)).map((type) => [type.name, type]));
  return offers.flatMap((offer) => {
    const type = holding.get(offer.instanceType);
    return type ? [{ offer, type }] : [];
  });
}

/** Returns the offers that could be bought for the job if EC2 had capacity, whatever they cost, in the catalogue's order. */
export const offersFor = (wants: Wants, catalogue: Catalogue): readonly Bought[] =>
  offersHolding(wants, catalogue).filter(({ offer, type }) => allows(wants, offer, type));

/** Returns why a job can run in none of these markets, and what to change: "spot capacity only; set "spot": true"; undefined if it can. */
export function whyNoMarket({ spot }: Pick<Wants, "spot">, markets: readonly string[]): string | undefined {
  const places = markets.map((market) => ({ market, zone: "" }));
  const { isMet: isSold, onlySold } = conditions.spot;
  return places.length > 0 && places.every((place) => !isSold(spot, place, {})) ? onlySold(places) : undefined;
}

/**
 * Returns why a job cannot run on any of these offers, which hold it, and what to change: "spot capacity only; set "spot": true".
 * It names the condition that excludes the most of them. Undefined if no condition excludes one.
 */
export function whyNotAllowed(wanted: Conditions, sold: readonly Bought[]): string | undefined {
  const counts = names.map((name) => ({ name, count: sold.filter(({ offer, type }) => !isMet(name, wanted, offer, type)).length }));
  const [worst] = counts.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  return worst && conditions[worst.name].onlySold(sold.map(({ offer }) => offer));
}
