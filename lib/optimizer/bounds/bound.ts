import type { Budget } from "../problem/budget.ts";
import type { BinKind, Instance } from "../problem/instance.ts";
import type { Shape } from "../problem/shape.ts";
import { unit } from "../problem/units.ts";
import { firstPatterns } from "./first-patterns.ts";
import { type BinPattern, Master } from "./master.ts";
import { Pricing } from "./pricing.ts";

const smoothing = 0.82;
const maxRounds = 400;
const maxPivots = 400;
/** The relative distance of the program's cost to its bound below which the bound counts as optimal. */
const closed = 1e-4;

/**
 * Returns a lower bound on the cost of every packing of `counts` jobs of each shape. It needs no solver: column generation over the loads
 * of relaxed bins gives prices, and prices that are scaled until no bin is worth more than it costs bound every packing (Farley's bound).
 * The bound is valid whenever the run stops. If it runs to the end, the bound is the optimum of the linear program that the dual-feasible
 * functions strengthen.
 */
export function lowerBound(instance: Instance, counts: Float64Array, of: { known: readonly BinPattern[]; budget: Budget }): number {
  const relaxed = relaxedInstance(instance, counts);
  if (relaxed.shapes.every((shape) => shape.count === 0)) return 0;
  const pricing = new Pricing(relaxed);
  const master = masterOf(pricing, boughtOf(instance, of.known));
  master.solve(0, maxPivots * 4);
  let center = pricesOf(master, relaxed);
  let trust = 0;
  let best = 0;
  for (let round = 0; round < maxRounds; round += 1) {
    const before = pricing.steps;
    const prices = pricesOf(master, relaxed).map((price, shape) => (1 - trust) * price + trust * (center[shape] as number));
    const { bound, patterns } = priced(pricing, master, prices);
    if (bound > best) [best, center] = [bound, prices];
    const pivots = include(master, patterns);
    const isLast = patterns.length === 0 && trust === 0 && round > 0;
    trust = trustAfter(round, { trust, found: patterns.length });
    const isMore = of.budget.spend(pricing.steps - before + pivots * master.rows * 4);
    if (isLast || !isMore || master.cost <= best * (1 + closed)) break;
  }
  return best;
}

/** Returns the weight of the best prices so far in the next ones: `smoothing` from the second round on, less if that finds nothing. */
function trustAfter(round: number, { trust, found }: { trust: number; found: number }): number {
  if (round === 0) return smoothing;
  if (found > 0) return trust;
  return trust > 0.05 ? trust / 2 : 0;
}

function include(master: Master, patterns: readonly BinPattern[]): number {
  const from = master.patterns.length;
  for (const pattern of patterns) master.add(pattern);
  return master.solve(from, maxPivots) + master.solve(0, maxPivots);
}

const pricesOf = (master: Master, { shapes }: Instance): Float64Array =>
  master.prices.slice(0, shapes.length).map((price) => Math.max(0, price));

/** Returns the bound that these prices give, and the patterns that would lower the cost of the program. */
function priced(pricing: Pricing, master: Master, prices: Float64Array): { bound: number; patterns: readonly BinPattern[] } {
  const { kinds, shapes } = pricing.instance;
  const most = pricing.value(prices);
  let scale = 1;
  let sum = shapes.reduce((all, shape, index) => all + shape.count * (prices[index] as number), 0);
  const patterns: BinPattern[] = [];
  for (const [index, kind] of kinds.entries()) {
    const value = most[index] as number;
    if (kind.price === 0) sum -= value;
    else if (value > kind.price) scale = Math.min(scale, kind.price / value);
    const load = pricing.relaxation(index).fractional();
    const extra = kind.extra
      ? load.shapes.reduce((all, shape, at) => all + (kind.extra?.[shape] as number) * (load.counts[at] as number), 0)
      : 0;
    const pattern = { ...load, kind: index, cost: kind.price + extra };
    if (load.shapes.length > 0 && master.reduced(pattern) < -1e-6 * Math.max(kind.price, 1e-3)) patterns.push(pattern);
  }
  return { bound: sum * scale, patterns };
}

/** Returns the patterns of bought bins, with their kinds renumbered for the relaxed instance, where bought kinds have the first places. */
function boughtOf({ kinds }: Instance, known: readonly BinPattern[]): readonly BinPattern[] {
  const places = new Map([...kinds.entries()].filter(([, kind]) => kind.price > 0).map(([index], place) => [index, place]));
  return known.flatMap((pattern) => {
    const kind = places.get(pattern.kind);
    return kind === undefined ? [] : { ...pattern, kind };
  });
}

function masterOf(pricing: Pricing, known: readonly BinPattern[]): Master {
  const { instance } = pricing;
  const nodes = instance.kinds.findIndex((kind) => kind.price === 0);
  const master = new Master(
    firstPatterns(pricing),
    instance.shapes.map((shape) => shape.count),
    nodes < 0 ? new Map() : new Map([[nodes, 1]]),
  );
  for (const pattern of known) master.add(pattern);
  return master;
}

/** Merges all free nodes into one bin and makes offers unlimited, so that every packing of the instance stays possible. */
function relaxedInstance(instance: Instance, counts: Float64Array): Instance {
  const shapes = instance.shapes.map((shape, index): Shape => ({ ...shape, count: counts[index] as number }));
  const bought = instance.kinds.filter((kind) => kind.price > 0).map((kind) => ({ ...kind, most: Number.MAX_SAFE_INTEGER }));
  const free = instance.kinds.filter((kind) => kind.price === 0);
  return { ...instance, shapes, kinds: free.length === 0 ? bought : [...bought, merged(instance, free)] };
}

function merged({ shapes, dimensions }: Instance, free: readonly BinKind[]): BinKind {
  const room = new Float64Array(dimensions);
  const extra = free.some((kind) => kind.extra) ? new Float64Array(shapes.length).fill(Number.POSITIVE_INFINITY) : undefined;
  for (const kind of free) {
    for (let dimension = 0; dimension < dimensions; dimension += 1)
      room[dimension] = (room[dimension] as number) + kind.most * (kind.room[dimension] as number);
    if (extra) for (const shape of kind.holds) extra[shape] = Math.min(extra[shape] as number, kind.extra?.[shape] ?? 0);
  }
  const holds = Int32Array.from(new Set(free.flatMap((kind) => [...kind.holds]))).sort();
  // Half a GPU disables the functions of single GPUs, because they need whole ones.
  const slots = Float64Array.from([unit / 2]);
  return { name: "all that is free", price: 0, room, slots, most: 1, holds, extra };
}
