import type { DatasetUse } from "./dataset.ts";
import type { InstanceType, OfferRef } from "./offer.ts";
import { fits, type Resources } from "./values/resources.ts";

/**
 * Everything that decides where a job may run. A job's spec asks for it, and its queue entry, its assignments and the
 * optimizer's problem carry it whole, so that no decision can look at a part of it only.
 *
 * Whatever is added here becomes a condition: it fails to compile until `conditions` says which places meet it, and until it
 * is read from the job's message and from the table.
 */
export type Wants = {
  /** What it needs of one node. */
  readonly needs: Resources;
  /** More than one: a gang. Each member runs on a node of its own, all in one zone and of one type, or none runs. */
  readonly nodes: number;
  /** The team's datasets that it reads. */
  readonly datasets: readonly DatasetUse[];
  /** What each of its GPUs must be; any (0 GiB, no models) for a job without GPUs, which runs on every type. */
  readonly gpu: GpuKind;
  /** Whether it may run on spot capacity. */
  readonly spot: boolean;
  /** The zones that it accepts; empty for any. */
  readonly zones: readonly string[];
};

export type GpuKind = {
  /** Least memory of each GPU, GiB; 0 for any. */
  readonly memoryGiB: number;
  /** Allowed models as EC2 names them ("T4", "A10G", …), compared without case; empty for any. */
  readonly models: readonly string[];
};

/** What a job's message asks for: the same as `Wants`, in the words of those who write it. */
export type Asked = Omit<Wants, "needs" | "gpu"> & {
  readonly gpus: GpuKind & { readonly count: number };
  readonly vcpus: number;
  readonly memoryGiB: number;
};

type ConditionName = Exclude<keyof Wants, "needs" | "nodes" | "datasets">;

/** What a place must be like, whatever the job's size. What is undefined does not restrict it, except that spot must be allowed. */
export type Conditions = { readonly [Name in ConditionName]?: Wants[Name] | undefined };

/** Where capacity is or can be bought. */
type Place = { readonly market: string; readonly zone: OfferRef["zone"] };
/** What it is. */
type Kind = Pick<InstanceType, "gpu">;

type Condition<Wanted> = {
  /** Equal for two values exactly when the same places meet both. */
  readonly key: (wanted: Wanted | undefined) => unknown;
  readonly isMet: (wanted: Wanted | undefined, place: Place, kind: Kind) => boolean;
  /** The value in words, after a job's size, such as "no spot"; empty if it does not restrict anything. */
  readonly inWords: (wanted: Wanted | undefined) => string;
  /** All that is sold if no place meets the condition, and what the team can change. */
  readonly onlySold: (places: readonly Place[]) => string;
  /** Why a place that does not meet it will not do, and the change after which it would. */
  readonly why: string;
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
    why: "its GPUs must be of another kind",
    change: "other GPUs",
  },
  spot: {
    key: (spot) => spot === true,
    isMet: (spot, place) => spot === true || place.market !== "spot",
    inWords: (spot) => (spot ? "" : "no spot"),
    onlySold: () => 'spot capacity only; set "spot": true',
    why: "it does not take spot capacity",
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

/** Why a place that does not meet this condition is none for the job, and what would have to change. */
export const conditionWords = (name: ConditionName): { readonly why: string; readonly change: string } => conditions[name];

/** Whether a job may run at this place on this type, if it has room there. */
export function allows(wanted: Conditions, place: Place, kind: Kind): boolean {
  for (const name of names) if (!isMet(name, wanted, place, kind)) return false;
  return true;
}

/** The conditions that this place and type do not meet. */
export const unmet = (wanted: Conditions, place: Place, kind: Kind): readonly ConditionName[] =>
  names.filter((name) => !isMet(name, wanted, place, kind));

/** Whether this type's GPUs will do. */
export const suits = (kind: Kind, wants: Pick<Wants, "needs" | "gpu">): boolean =>
  wants.needs.gpus === 0 || (kind.gpu !== undefined && conditions.gpu.isMet(wants.gpu, { market: "", zone: "" }, kind));

/** Whether `room` on a node of this type holds the job, or several like it if `needs` is their sum. */
export const holds = (kind: Kind, room: Resources, wants: Pick<Wants, "needs" | "gpu">): boolean =>
  fits(wants.needs, room) && suits(kind, wants);

/** Equal exactly for jobs that may run at the same places on the same types. */
export const conditionsKey = (wanted: Conditions): string => JSON.stringify(names.map((name) => keyOf(name, wanted)));

/** Equal exactly for jobs that want the same. */
export function wantsKey(wants: Wants): string {
  const { needs, nodes, datasets } = wants;
  const data = datasets.map(({ name, share }) => `${share} ${name}`).sort();
  return JSON.stringify([needs.vcpus, needs.memoryGiB, needs.gpus, nodes, data, conditionsKey(wants)]);
}

/** What is wanted, without what else a job or an assignment holds. */
export const wantsOf = ({ needs, nodes, datasets, gpu, spot, zones }: Wants): Wants => ({ needs, nodes, datasets, gpu, spot, zones });

/** What a message asks for. The kind of GPU is dropped if no GPU is asked for. */
export function wantsOfAsked({ vcpus, memoryGiB, gpus, ...asked }: Asked): Wants {
  const { count, ...gpu } = gpus;
  return wantsOf({ ...asked, needs: { vcpus, memoryGiB, gpus: count }, gpu: count > 0 ? gpu : { memoryGiB: 0, models: [] } });
}

/** The conditions in words, each of them after a comma; empty if there are none. */
export const conditionsInWords = (wanted: Conditions): string =>
  names
    .map((name) => wordsOf(name, wanted))
    .filter((words) => words !== "")
    .map((words) => `, ${words}`)
    .join("");
const wordsOf = <Name extends ConditionName>(name: Name, wanted: Conditions): string => conditions[name].inWords(wanted[name]);

/**
 * Why none of these places will do for a job that they would hold, and what to change: "spot capacity only; set "spot": true".
 * It names the condition that keeps the job from the most places.
 */
export function whyNotAllowed(wanted: Conditions, places: readonly { readonly place: Place; readonly kind: Kind }[]): string | undefined {
  const counts = names.map((name) => ({ name, count: places.filter(({ place, kind }) => !isMet(name, wanted, place, kind)).length }));
  const [worst] = counts.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  return worst && conditions[worst.name].onlySold(places.map(({ place }) => place));
}
