import { allowedBy } from "../problem/match.ts";
import type { JobClass, Supply } from "../problem/problem.ts";
import type { Purchase } from "./answer.ts";

/**
 * Other offers that hold all jobs of a purchase, cheapest first. Where jobs share GPUs it asks for as many GPUs as were bought:
 * what is left out might do too, what is told does.
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
