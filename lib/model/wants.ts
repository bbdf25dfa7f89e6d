import type { DatasetUse } from "./dataset.ts";
import type { InstanceType, OfferRef } from "./offer.ts";
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
export type Asked = Omit<Wants, "needs" | "gpu"> & {
  readonly gpus: GpuKind & { readonly count: number };
  readonly vcpus: number;
  readonly memoryGiB: number;
};

type ConditionName = Exclude<keyof Wants, "needs" | "nodes" | "datasets">;

/** What a place must meet, whatever the job's size. A field that is undefined sets no condition; but if `spot` is, spot is not allowed. */
export type Conditions = { readonly [Name in ConditionName]?: Wants[Name] | undefined };

/** Where capacity is, or can be bought. */
type Place = { readonly market: string; readonly zone: OfferRef["zone"] };
/** The part of an instance type that conditions depend on. */
type Kind = Pick<InstanceType, "gpu">;

type Condition<Wanted> = {
  /** Returns a key that is equal for two values if and only if the same places meet both. */
  readonly key: (wanted: Wanted | undefined) => unknown;
  readonly isMet: (wanted: Wanted | undefined, place: Place, kind: Kind) => boolean;
  /** Returns the value in words that follow a job's size, such as "no spot"; empty if it is no restriction. */
  readonly inWords: (wanted: Wanted | undefined) => string;
  /** Returns, if no place meets the condition, what these places sell instead and what the team can change. */
  readonly onlySold: (places: readonly Place[]) => string;
  /** Why a job cannot run at a place that does not meet the condition. */
  readonly why: string;
  /** The change of the job after which such a place would meet it. */
  readonly change: string;
};

const listed = (all: Iterable<string>): string => [...new Set(all)].sort().join(", ");
const lowerCase = (models: readonly string[]): readonly string[] => models.map((model) => model.toLowerCase());

const conditions: { readonly [Name in ConditionName]: Condition<Wants[Name]> } = {
  gpu: {
    key: (gpu) => [gpu?.memoryGiB ?? 0, lowerCase(gpu?.models ?? []).toSorted()],
    isMet: (gpu, _place, kind) => {
      if (!gpu || (gpu.memoryGiB === 0 && gpu.models.length === 0)) return true;
      if (!kind.gpu || kind.gpu.memoryGiB < gpu.memoryGiB) return false;
      const model = kind.gpu.model.toLowerCase();
      return gpu.models.length === 0 || gpu.models.some((each) => each.toLowerCase() === model);
    },
    inWords: () => "",
    onlySold: () => 'other GPUs only; change "gpus"',
    why: "it asks for other GPUs",
    change: "other GPUs",
  },
  spot: {
    key: (spot) => spot === true,
    isMet: (spot, place) => spot === true || place.market !== "spot",
    inWords: (spot) => (spot ? "" : "no spot"),
    onlySold: () => 'spot capacity only; set "spot": true',
    why: "it does not accept spot capacity",
    change: "spot: yes",
  },
  zones: {
    key: (zones) => (zones ?? []).toSorted(),
    isMet: (zones, place) => zones === undefined || zones.length === 0 || zones.includes(place.zone),
    inWords: (zones) => (zones && zones.length > 0 ? `in ${listed(zones)}` : ""),
    onlySold: (places) => `what fits in ${listed(places.map(({ zone }) => zone))} only; change "zones"`,
    why: "it does not accept the zone",
    change: "the zone among its zones",
  },
};
const names = Object.keys(conditions) as readonly ConditionName[];

/** Whether this is the name of a condition. */
export const isCondition = (name: string): name is ConditionName => Object.hasOwn(conditions, name);

const isMet = <Name extends ConditionName>(name: Name, wanted: Conditions, place: Place, kind: Kind): boolean =>
  conditions[name].isMet(wanted[name], place, kind);
const keyOf = <Name extends ConditionName>(name: Name, wanted: Conditions): unknown => conditions[name].key(wanted[name]);

/** Returns why a job cannot run at a place that does not meet this condition, and what would have to change. */
export const conditionWords = (name: ConditionName): { readonly why: string; readonly change: string } => conditions[name];

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
  wants.needs.gpus === 0 || (kind.gpu !== undefined && conditions.gpu.isMet(wants.gpu, { market: "", zone: "" }, kind));

/** Whether the job, or several like it if `needs` is their sum, fits in `room` on a node of this type. */
export const holds = (kind: Kind, room: Resources, wants: Pick<Wants, "needs" | "gpu">): boolean =>
  fits(wants.needs, room) && suits(kind, wants);

/** Returns a key that is equal for two jobs if and only if they may run at the same places on the same types. */
export const conditionsKey = (wanted: Conditions): string => JSON.stringify(names.map((name) => keyOf(name, wanted)));

/** Returns a key that is equal for two jobs if and only if they want the same. */
export function wantsKey(wants: Wants): string {
  const { needs, nodes, datasets } = wants;
  const data = datasets.map(({ name, share }) => `${share} ${name}`).sort();
  return JSON.stringify([needs.vcpus, needs.memoryGiB, needs.gpus, nodes, data, conditionsKey(wants)]);
}

/** Returns only the wants of a job, a queue entry or an assignment. */
export const wantsOf = ({ needs, nodes, datasets, gpu, spot, zones }: Wants): Wants => ({ needs, nodes, datasets, gpu, spot, zones });

/** Returns the wants of a job's message. The kind of GPU is dropped if the job asks for no GPU. */
export function wantsOfAsked({ vcpus, memoryGiB, gpus, ...asked }: Asked): Wants {
  const { count, ...gpu } = gpus;
  return wantsOf({ ...asked, needs: { vcpus, memoryGiB, gpus: count }, gpu: count > 0 ? gpu : { memoryGiB: 0, models: [] } });
}

/** Returns the conditions in words, each after a comma, or an empty text if there are none. */
export const conditionsInWords = (wanted: Conditions): string =>
  names
    .map((name) => wordsOf(name, wanted))
    .filter((words) => words !== "")
    .map((words) => `, ${words}`)
    .join("");
const wordsOf = <Name extends ConditionName>(name: Name, wanted: Conditions): string => conditions[name].inWords(wanted[name]);

/**
 * Returns why a job cannot run at any of these places, which have room for it, and what to change: "spot capacity only; set "spot": true".
 * It names the condition that excludes the most places. Undefined if no condition excludes one.
 */
export function whyNotAllowed(wanted: Conditions, places: readonly { readonly place: Place; readonly kind: Kind }[]): string | undefined {
  const counts = names.map((name) => ({ name, count: places.filter(({ place, kind }) => !isMet(name, wanted, place, kind)).length }));
  const [worst] = counts.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  return worst && conditions[worst.name].onlySold(places.map(({ place }) => place));
}
