import type { Limits, WiderLimits } from "../../model/limits.ts";
import { type Catalogue, offerName } from "../../model/offer.ts";
import type { Pool } from "../../model/pool.ts";
import { isWithin, reservedBy, times } from "../../model/reservations.ts";
import { cost, dollars } from "../../model/values/amount.ts";
import { own } from "../../model/values/own.ts";
import { type Bought, offersFor, type Wants } from "../../model/wants.ts";
import { inWords, needInWords } from "./in-words.ts";

/**
 * Returns why no offer that holds the job is within the limits of its team and of the deployment, even if nothing else were reserved;
 * undefined if one is. Limits can be raised, so this rejects new jobs but only holds those that already wait.
 */
export function whyBeyond(
  wants: Wants & { readonly team: string },
  on: { pool: Pool; catalogue: Catalogue; limits: WiderLimits | undefined },
): string | undefined {
  const { pool, catalogue, limits } = on;
  const offers = offersFor(wants, catalogue).toSorted(byPrice);
  const reservationOf = (bought: Bought) => times(wants.nodes, reservedBy(bought));
  const [cheapest] = offers;
  if (!cheapest) return undefined;
  const fits = ({ usdPerHour = Number.POSITIVE_INFINITY, gpus = Number.POSITIVE_INFINITY }: Limits): boolean =>
    offers.some((bought) => isWithin(reservationOf(bought), { usdPerHour, gpus }));
  const least = `${wants.nodes === 1 ? "the cheapest that fits" : `${wants.nodes} of the cheapest that fits`}, ${cheapest.type.name}, costs ${needInWords(reservationOf(cheapest))}`;
  // A node that serves several teams counts towards none of their limits.
  const ofTeam = pool.shared ? undefined : own(limits?.teams, wants.team);
  const unpaid = pool.shared ? undefined : notPaidFor(wants, pool, cheapest);
  if (unpaid !== undefined) return unpaid;
  if (ofTeam && !fits(ofTeam)) return `${least}, and team ${wants.team} is limited to ${inWords(ofTeam)} across all pools`;
  const ofAll = limits?.deployment;
  if (ofAll && !fits(ofAll)) return `${least}, and the whole deployment is limited to ${inWords(ofAll)}`;
  return undefined;
}

/** Returns why the team's budgets in the pool will never pay for an hour of the cheapest offer; undefined if they do. */
function notPaidFor({ nodes, team }: Wants & { readonly team: string }, pool: Pool, { offer }: Bought): string | undefined {
  const { usdPerDay = Number.POSITIVE_INFINITY, usdPerMonth = Number.POSITIVE_INFINITY } = own(pool.teamBudgets, team) ?? {};
  const { usdPerHour } = times(nodes, { usdPerHour: offer.usdPerHour, gpus: 0 });
  if (usdPerHour <= Math.min(usdPerDay, usdPerMonth)) return undefined;
  const budget = usdPerDay <= usdPerMonth ? `${dollars(usdPerDay)} a day` : `${dollars(usdPerMonth)} a month`;
  const what = nodes > 1 ? `${nodes} of the cheapest node` : "the cheapest node";
  return `an hour of ${what} that fits, ${offer.instanceType}, costs ${cost(usdPerHour)} and the budget of team ${team} in pool ${pool.name} is ${budget}`;
}

const byPrice = ({ offer: a }: Bought, { offer: b }: Bought): number =>
  a.usdPerHour - b.usdPerHour || (offerName(a) < offerName(b) ? -1 : 1);
