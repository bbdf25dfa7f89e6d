import { dataKey } from "./classes.ts";
import { coarse } from "./coarse.ts";
import { allowedBy, type Trait, traitKey, traitsOf } from "./match.ts";
import { type FreeNode, type JobClass, type Problem, type Supply, standardTerms } from "./problem.ts";
import type { Shape } from "./shape.ts";
import { standardThresholds, type Thresholds } from "./thresholds.ts";
import { sizeOf, unit, unitsOf } from "./units.ts";
import { byUrgency } from "./urgency.ts";

/** Bins of one kind: an offer, or identical nodes. */
export type BinKind = {
  readonly name: string;
  /** The cost of a bin per hour, including its expected interruptions, as a multiple of the most expensive offer's cost. 0 for nodes. */
  readonly price: number;
  readonly room: Float64Array;
  /** The free part of each GPU, in millionths. */
  readonly slots: Float64Array;
  /** The number of bins. */
  readonly most: number;
  /** The shapes of which one bin holds at least one, ascending. */
  readonly holds: Int32Array;
  /** The cost of one job on such a bin in addition to its price, by shape, in the unit of `price`. Undefined if jobs cost nothing. */
  readonly extra?: Float64Array | undefined;
  readonly offer?: Supply | undefined;
  readonly nodes?: readonly FreeNode[] | undefined;
};

/** A problem in numbers, without gangs. It has its own order, and leaves out what cannot matter. */
export type Instance = {
  readonly dimensions: number;
  readonly shapes: readonly Shape[];
  readonly kinds: readonly BinKind[];
  /** True if no different shapes were joined. */
  readonly isExact: boolean;
  /** Dollars per hour for a price of 1. */
  readonly usd: number;
};

type Coarseness = Partial<Pick<Thresholds, "maxShapes">> & { readonly rounding?: "up" | "down" };

export function instanceOf(problem: Problem, { rounding = "up", maxShapes = standardThresholds.maxShapes }: Coarseness = {}): Instance {
  const terms = { ...standardTerms, ...problem.terms };
  const jobs = problem.jobs.filter((each) => (each.nodes ?? 1) === 1 && each.names.length > 0);
  const exact = shapesOf(jobs);
  const shapes = coarse(exact, maxShapes, rounding);
  const traits = traitsOf(jobs);
  const priceOf = (offer: Supply): number => offer.usdPerHour * (1 + (offer.interruptionsPerHour ?? 0) * terms.hoursLostAtInterruption);
  const offers = undominated(problem.offers, traits, priceOf);
  const usd = offers.reduce((most, offer) => Math.max(most, priceOf(offer)), 0) || 1;
  const moved = (warm: readonly string[]): Float64Array | undefined => {
    const perGiB = terms.usdPerGiB / terms.hoursOfUse / usd;
    if (perGiB === 0 || !shapes.some((shape) => shape.classes[0]?.data)) return undefined;
    return Float64Array.from(shapes, ({ classes: [one] }) => rounded(perGiB * giBToMove(one, warm)));
  };
  const kindOf = (
    of: Pick<BinKind, "name" | "price" | "room" | "slots" | "most" | "extra" | "offer" | "nodes">,
    on: Supply | FreeNode,
  ): BinKind => {
    const allowed = shapes.map((shape) => shape.classes[0] !== undefined && allowedBy(shape.classes[0], on));
    const holds = shapes.flatMap((shape, index) => (allowed[index] && fitsAlone(shape, of) ? index : []));
    return { ...of, holds: Int32Array.from(holds) };
  };
  const bought = offers.map((offer) => {
    const slots = new Float64Array(offer.gpu?.count ?? 0).fill(unit);
    const price = rounded(priceOf(offer) / usd);
    const most = Math.min(offer.most ?? Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER);
    return kindOf({ name: offer.name, price, room: roomOf(offer.capacity, slots), slots, most, extra: moved([]), offer }, offer);
  });
  const there = alike(problem.nodes).map((nodes) => {
    const [node] = nodes;
    const slots = Float64Array.from(node.gpusFree ?? [], unitsOf);
    const of = {
      name: node.name,
      price: 0,
      room: roomOf(node.room, slots),
      slots,
      most: nodes.length,
      extra: moved(node.warm ?? []),
      nodes,
    };
    return kindOf(of, node);
  });
  return {
    dimensions: problem.dimensions.length + 1,
    shapes,
    isExact: shapes.length === exact.length,
    kinds: [...there, ...bought].filter((kind) => kind.holds.length > 0 && kind.most > 0),
    usd,
  };
}

/** Rounds to a binary fraction, so that multiplying all dollars by ten, for example, does not change the result. */
const rounded = (price: number): number => Math.round(price * 2 ** 30) / 2 ** 30;

function shapesOf(jobs: readonly JobClass[]): readonly Shape[] {
  const alikes = Map.groupBy(jobs, (job) => `${JSON.stringify([job.size, job.gpu?.count ?? 0])} ${traitKey(job)} ${dataKey(job.data)}`);
  return [...alikes.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, classes]) => {
      const [{ size, gpu }] = classes as [JobClass, ...JobClass[]];
      const gpus = gpu?.count ?? 0;
      return {
        size: Float64Array.from([...size, gpus], sizeOf),
        whole: gpus >= 1 ? gpus : 0,
        share: gpus < 1 ? sizeOf(gpus) : 0,
        count: classes.reduce((all, each) => all + each.names.length, 0),
        classes: classes.toSorted(byUrgency),
      };
    });
}

function roomOf(capacity: readonly number[], slots: Float64Array): Float64Array {
  const room = capacity.map(unitsOf);
  return Float64Array.from([...room, slots.reduce((all, each) => all + each, 0)]);
}

function fitsAlone(shape: Shape, { room, slots }: Pick<BinKind, "room" | "slots">): boolean {
  if (shape.size.some((size, dimension) => size > (room[dimension] ?? 0))) return false;
  if (shape.share > 0) return slots.some((free) => free >= shape.share);
  return shape.whole === 0 || slots.filter((free) => free >= unit).length >= shape.whole;
}

/** Groups nodes that differ only by name, in the order of their names. */
function alike(nodes: readonly FreeNode[]): readonly (readonly [FreeNode, ...FreeNode[]])[] {
  const key = (node: FreeNode): string =>
    JSON.stringify([node.room, node.gpusFree?.toSorted() ?? [], node.gpu ?? null, node.market, node.warm?.toSorted() ?? []]);
  const sorted = nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return [...Map.groupBy(sorted, key).values()] as unknown as readonly (readonly [FreeNode, ...FreeNode[]])[];
}

function giBToMove(job: JobClass | undefined, warm: readonly string[]): number {
  return Object.entries(job?.data ?? {}).reduce((sum, [name, giB]) => sum + (warm.includes(name) ? 0 : giB), 0);
}

/**
 * Returns the offers without those that another one dominates. An offer dominates another if it costs no more, has no less of anything,
 * takes all the jobs that the other takes, uses no more of any limit, and is unlimited. The result is sorted by price, and by name if
 * offers are equal.
 */
function undominated(offers: readonly Supply[], traits: readonly Trait[], priceOf: (offer: Supply) => number): readonly Supply[] {
  const taking = offers
    .map((offer) => ({ offer, price: priceOf(offer), takes: traits.map((trait) => allowedBy(trait, offer)) }))
    .filter(({ takes }) => takes.includes(true))
    .sort((a, b) => a.price - b.price || bySize(b.offer, a.offer) || (a.offer.name < b.offer.name ? -1 : 1));
  const kept: typeof taking = [];
  for (const each of taking) if (!kept.some((better) => dominates(better, each))) kept.push(each);
  return kept.map(({ offer }) => offer);
}

type Taking = { readonly offer: Supply; readonly takes: readonly boolean[] };

/** Reports whether `better` makes `other` unnecessary. It must not cost more. */
function dominates(better: Taking, other: Taking): boolean {
  const [a, b] = [better.offer, other.offer];
  if (a.most !== undefined) return false;
  for (let index = 0; index < b.capacity.length; index += 1) if ((a.capacity[index] ?? 0) < (b.capacity[index] ?? 0)) return false;
  if ((a.gpu?.count ?? 0) < (b.gpu?.count ?? 0)) return false;
  if (other.takes.some((takes, index) => takes && !better.takes[index])) return false;
  return Object.entries(a.uses ?? {}).every(([limit, uses]) => uses <= (b.uses?.[limit] ?? 0));
}

/** Orders offers of the same price so that one that may dominate another sorts first. */
const bySize = (a: Supply, b: Supply): number =>
  total(a) - total(b) || a.capacity.reduce((order, each, index) => order || each - (b.capacity[index] ?? 0), 0);
const total = ({ capacity, gpu }: Supply): number => capacity.reduce((sum, each) => sum + each, gpu?.count ?? 0);
