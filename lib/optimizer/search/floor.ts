import { allowedBy } from "../problem/match.ts";
import type { FreeNode, JobClass, Supply } from "../problem/problem.ts";
import { holdsOne } from "./gangs.ts";

/** Jobs without gangs, and where they may go. `priceOf` returns what one node of an offer costs, in dollars per hour. */
type Placeable = {
  readonly jobs: readonly JobClass[];
  readonly nodes: readonly FreeNode[];
  readonly offers: readonly Supply[];
  readonly priceOf: (offer: Supply) => number;
};

/**
 * Returns a lower bound that needs no search, in dollars per hour: all jobs at the lowest price per unit of each dimension, or the cheapest
 * offer for the largest job, whichever is more. It takes time in proportion to the classes, the nodes and the offers.
 */
export function floorUsd({ jobs, nodes, offers, priceOf }: Placeable): number {
  const [first] = jobs;
  if (!first) return 0;
  const dimensions = Array.from({ length: first.size.length + 1 }, (_, dimension) => dimension);
  return Math.max(
    ...dimensions.map((dimension) => {
      const needed = jobs.reduce((sum, job) => sum + job.names.length * need(job, dimension), 0);
      const free = nodes.reduce((sum, node) => sum + freeOf(node, dimension), 0);
      const usdPerUnit = offers.reduce(
        (least, offer) => Math.min(least, priceOf(offer) / roomOf(offer, dimension)),
        Number.POSITIVE_INFINITY,
      );
      return needed > free && Number.isFinite(usdPerUnit) ? (needed - free) * usdPerUnit : 0;
    }),
    ...dimensions.map((dimension) => {
      const largest = jobs.reduce((most, job) => (isLarger(job, most, [dimension, ...dimensions]) ? job : most), first);
      if (nodes.some((node) => mayHold(node, largest))) return 0;
      const usd = offers.reduce(
        (least, offer) => (holdsOne(largest, offer) ? Math.min(least, priceOf(offer)) : least),
        Number.POSITIVE_INFINITY,
      );
      return Number.isFinite(usd) ? usd : 0;
    }),
  );
}

/** The dimension after the sizes is the number of GPUs. */
const need = ({ size, gpu }: JobClass, dimension: number): number => size[dimension] ?? gpu?.count ?? 0;
/** Compares two jobs by the dimensions in their order, so that of equals in one dimension the larger one in the others counts. */
function isLarger(job: JobClass, other: JobClass, dimensions: readonly number[]): boolean {
  const differing = dimensions.find((dimension) => need(job, dimension) !== need(other, dimension));
  return differing !== undefined && need(job, differing) > need(other, differing);
}

const roomOf = ({ capacity, gpu }: Supply, dimension: number): number =>
  dimension < capacity.length ? (capacity[dimension] ?? 0) : (gpu?.count ?? 0);
const freeOf = ({ room, gpusFree = [] }: FreeNode, dimension: number): number =>
  dimension < room.length ? (room[dimension] ?? 0) : gpusFree.reduce((sum, each) => sum + each, 0);

/** Reports whether the node may have room for the job, whichever GPUs its room is on. */
const mayHold = (node: FreeNode, job: JobClass): boolean =>
  allowedBy(job, node) &&
  [...job.size.keys(), job.size.length].every((dimension) => need(job, dimension) <= freeOf(node, dimension) + 1e-9);
