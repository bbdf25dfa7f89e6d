import type { Reservation } from "../../model/launch.ts";
import { type Catalogue, type InstanceType, type Offer, offerName } from "../../model/offer.ts";
import type { Pool } from "../../model/pool.ts";
import { isWithin, reservedBy, times } from "../../model/reservations.ts";
import { cost, dollars, gib, gpus } from "../../model/values/amount.ts";
import { type Bought, holds, offersFor, offersHolding, suits, type Wants, whyNoMarket, whyNotAllowed } from "../../model/wants.ts";

/**
 * Returns why no type of the pool's families could ever hold the job, and what to change. Returns undefined if one could, and while no
 * type is known at all, because jobs should not fail for a misspelt family in the configuration.
 */
export const whyTooLarge = (wants: Wants, pool: Pool, types: readonly InstanceType[]): string | undefined =>
  types.length === 0 || types.some((type) => holds(type, type.resources, wants)) ? undefined : tooLarge(wants, pool, types);

/**
 * Returns why none of today's offers may be bought for the job within the pool's limits and budgets; undefined if one may.
 * Limits can be raised and prices can fall, so this rejects new jobs but only holds those that already wait.
 */
export function whyUnsold(wants: Wants, pool: Pool, catalogue: Catalogue): string | undefined {
  const offers = offersFor(wants, catalogue);
  const [first] = offers.toSorted((a, b) => byPrice(a.offer, b.offer));
  if (!first) return notSold(pool, whyNotAllowed(wants, offersHolding(wants, catalogue)));
  const { offer: cheapest, type } = first;
  const { limits } = pool;
  const reservationOf = (bought: Bought) => times(wants.nodes, reservedBy(bought));
  const within = offers.filter((bought) => isWithin(reservationOf(bought), limits)).map(({ offer }) => offer);
  if (within.length > 0) return notAffordable(pool, within, wants.nodes);
  const tooMany = tooManyGpus(wants, pool);
  if (tooMany !== undefined) return tooMany;
  if (wants.nodes > 1) return gangUnsold(wants, pool, { cheapest, ...reservationOf(first) });
  const costs = `costs ${cost(cheapest.usdPerHour)}/h`;
  if (cheapest.usdPerHour > limits.usdPerHour)
    return `the cheapest node that fits, ${cheapest.instanceType}, ${costs} and pool ${pool.name} is limited to ${dollars(limits.usdPerHour)}/h`;
  const has = gpus(type.resources.gpus);
  return `no node that fits is within the limits of pool ${pool.name}: the cheapest, ${cheapest.instanceType}, has ${has} and ${costs}; the pool is limited to ${gpus(limits.gpus)} and ${dollars(limits.usdPerHour)}/h`;
}

/**
 * Returns why the pool's configuration alone excludes the job, and what to change, although it is not known yet what the pool can buy.
 * Undefined if it does not. The configuration may change, so this rejects new jobs but only holds those that already wait.
 */
export function whyExcluded(wants: Wants, pool: Pool): string | undefined {
  const noMarket = whyNoMarket(wants, pool.markets);
  if (noMarket !== undefined) return notSold(pool, noMarket);
  const { usdPerDay, usdPerMonth } = pool.budgets ?? {};
  const isPaused = pool.limits.usdPerHour === 0 || usdPerDay === 0 || usdPerMonth === 0;
  if (isPaused) return `pool ${pool.name} may spend nothing, because its limit or a budget of it is $0; name another pool`;
  return tooManyGpus(wants, pool);
}

function tooManyGpus({ nodes, needs }: Pick<Wants, "nodes" | "needs">, { name, limits }: Pool): string | undefined {
  const wanted = needs.gpus * nodes;
  if (wanted <= limits.gpus) return undefined;
  return nodes > 1
    ? `the gang needs ${gpus(wanted)} on ${nodes} nodes and pool ${name} is limited to ${limits.gpus}`
    : `the job needs ${gpus(wanted)} and pool ${name} is limited to ${limits.gpus}`;
}

/** Returns why the nodes of a gang are beyond the limits: each member gets a node of its own, and all of them count at once. */
function gangUnsold({ nodes }: Pick<Wants, "nodes">, { name, limits }: Pool, least: { readonly cheapest: Offer } & Reservation): string {
  const { cheapest } = least;
  return `no ${nodes} nodes that fit are within the limits of pool ${name}: of the cheapest, ${cheapest.instanceType}, they have ${gpus(least.gpus)} and cost ${cost(least.usdPerHour)}/h; the pool is limited to ${gpus(limits.gpus)} and ${dollars(limits.usdPerHour)}/h`;
}

/** Returns why the budgets will never pay for an hour of any of these offers; undefined if they do. */
function notAffordable(pool: Pool, offers: readonly Offer[], nodes: number): string | undefined {
  const { usdPerDay = Number.POSITIVE_INFINITY, usdPerMonth = Number.POSITIVE_INFINITY } = pool.budgets ?? {};
  const [cheapest] = offers.toSorted(byPrice);
  if (!cheapest) return undefined;
  const { usdPerHour } = times(nodes, { usdPerHour: cheapest.usdPerHour, gpus: 0 });
  if (usdPerHour <= Math.min(usdPerDay, usdPerMonth)) return undefined;
  const budget = usdPerDay <= usdPerMonth ? `${dollars(usdPerDay)} a day` : `${dollars(usdPerMonth)} a month`;
  const what = nodes > 1 ? `${nodes} of the cheapest node` : "the cheapest node";
  return `an hour of ${what} that fits, ${cheapest.instanceType}, costs ${cost(usdPerHour)} and the budget of pool ${pool.name} is ${budget}`;
}

/** `only`: what the pool does buy, if offers that fit are sold but the job's own conditions exclude all of them. */
const notSold = (pool: Pool, only: string | undefined): string =>
  only === undefined
    ? `EC2 sells no instance type that fits in the zones and markets of pool ${pool.name}; name another pool`
    : `pool ${pool.name} buys ${only} or name another pool`;

function tooLarge(wants: Wants, pool: Pool, types: readonly InstanceType[]): string {
  const suiting = types.filter((type) => suits(type, wants));
  if (suiting.length === 0) return `no instance type of pool ${pool.name} has ${describe(wants)}; it has ${models(types)}`;
  const largest = (of: (type: InstanceType) => number) => suiting.toSorted((a, b) => of(b) - of(a) || (a.name < b.name ? -1 : 1))[0];
  const byGpus = largest((type) => type.resources.gpus);
  if (byGpus && wants.needs.gpus > byGpus.resources.gpus)
    return `no instance type of pool ${pool.name} has ${gpus(wants.needs.gpus)}; the largest, ${byGpus.name}, has ${byGpus.resources.gpus}`;
  const byCpu = largest((type) => type.resources.vcpus);
  if (byCpu && wants.needs.vcpus > byCpu.resources.vcpus)
    return `no fitting instance type of pool ${pool.name} has ${wants.needs.vcpus} vCPUs available to jobs; the largest, ${byCpu.name}, has ${byCpu.resources.vcpus}`;
  const byMemory = largest((type) => type.resources.memoryGiB);
  if (byMemory && wants.needs.memoryGiB > byMemory.resources.memoryGiB)
    return `no fitting instance type of pool ${pool.name} has ${wants.needs.memoryGiB} GiB of memory available to jobs; the largest, ${byMemory.name}, has ${gib(byMemory.resources.memoryGiB)}`;
  return `no single instance type of pool ${pool.name} has ${gpus(wants.needs.gpus)}, ${wants.needs.vcpus} vCPUs and ${wants.needs.memoryGiB} GiB together`;
}

const byPrice = (a: Offer, b: Offer): number => a.usdPerHour - b.usdPerHour || (offerName(a) < offerName(b) ? -1 : 1);

function describe(wants: Wants): string {
  const model = wants.gpu.models.length > 0 ? ` of model ${wants.gpu.models.join(" or ")}` : "";
  const memory = wants.gpu.memoryGiB > 0 ? ` with ${wants.gpu.memoryGiB} GiB` : "";
  return `GPUs${model}${memory}`;
}

function models(types: readonly InstanceType[]): string {
  const known = new Set(types.flatMap((type) => (type.gpu ? [`${type.gpu.model} (${gib(type.gpu.memoryGiB)})`] : [])));
  return known.size > 0 ? [...known].sort().join(", ") : "no GPUs";
}
