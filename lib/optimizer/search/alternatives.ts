import { allowedBy } from "../problem/match.ts";
import type { JobClass, Supply } from "../problem/problem.ts";
import type { Purchase } from "./solution.ts";

/**
 * Returns the other offers that hold all jobs of a purchase, cheapest first. If its jobs need GPUs, an offer must have as many GPUs as the
 * one that was bought. That is stricter than needed if jobs share GPUs, but every offer returned is certain to hold the jobs.
 */
export function alternatives(
  { offer, jobs, nodes }: Purchase,
  offers: readonly Supply[],
  classOf: ReadonlyMap<string, JobClass>,
): Supply[] {
  const classes = jobs.flatMap((job) => classOf.get(job) ?? []);
  const needs = classes.reduce<readonly number[]>(
    (sum, { size }) => sum.map((each, dimension) => each + (size[dimension] ?? 0)),
    offer.capacity.map(() => 0),
  );
  const gpus = classes.some(({ gpu }) => (gpu?.count ?? 0) > 0) ? (offer.gpu?.count ?? 0) : 0;
  const traits = [...new Set(classes)];
  return offers
    .filter(
      (other) =>
        other.name !== offer.name &&
        (other.most ?? Number.POSITIVE_INFINITY) >= nodes &&
        (other.gpu?.count ?? 0) >= gpus &&
        needs.every((need, dimension) => need <= (other.capacity[dimension] ?? 0)) &&
        traits.every((job) => allowedBy(job, other)),
    )
    .toSorted((a, b) => a.usdPerHour - b.usdPerHour || (a.name < b.name ? -1 : 1));
}
