import type { Reservation } from "../../model/launch.ts";
import type { Snapshot } from "../../model/plan.ts";
import { exactly } from "../../model/reservations.ts";
import { own } from "../../model/values/own.ts";
import type { BudgetRoom } from "../budget/budget-room.ts";
import { type Allowance, allowanceOf, allowed, without } from "../limits/allowance.ts";

/** What launches may still reserve, by limits and by the pool's budgets. */
export type Leeway = {
  readonly allowance: Allowance;
  /** Dollars per hour that the pool's budgets leave. */
  readonly affordableUsd: number;
  /** Dollars per hour that teams' budgets leave, for teams that have any. */
  readonly affordableToTeamsUsd: Readonly<Record<string, number>>;
};

/** Returns the leeway before the plan's first launch. */
export const leewayOf = (snapshot: Snapshot, budget: BudgetRoom): Leeway => ({
  allowance: allowanceOf(snapshot),
  affordableUsd: budget.usdPerHour,
  affordableToTeamsUsd: Object.fromEntries(Object.entries(budget.teams).map(([team, { usdPerHour }]) => [team, usdPerHour])),
});

/** Returns what a launch may reserve: for this team, or for all teams if `team` is undefined. */
export function leftFor(team: string | undefined, leeway: Leeway): Reservation {
  const byPool = leftByPool(team, leeway);
  const ofTeam = own(leeway.affordableToTeamsUsd, team);
  return ofTeam === undefined ? byPool : { ...byPool, usdPerHour: Math.min(byPool.usdPerHour, ofTeam) };
}

/** Returns what a launch may reserve if the team had no budgets of its own. */
export function leftByPool(team: string | undefined, { allowance, affordableUsd }: Leeway): Reservation {
  const byLimits = allowed(allowance, team);
  return { ...byLimits, usdPerHour: Math.min(byLimits.usdPerHour, affordableUsd) };
}

/** Returns the leeway after `reserved` was reserved; a negative amount is given back. */
export function after(leeway: Leeway, team: string | undefined, reserved: Reservation): Leeway {
  const ofTeam = own(leeway.affordableToTeamsUsd, team);
  return {
    allowance: without(leeway.allowance, team, reserved),
    affordableUsd: exactly(leeway.affordableUsd - reserved.usdPerHour),
    affordableToTeamsUsd:
      team === undefined || ofTeam === undefined
        ? leeway.affordableToTeamsUsd
        : { ...leeway.affordableToTeamsUsd, [team]: exactly(ofTeam - reserved.usdPerHour) },
  };
}
