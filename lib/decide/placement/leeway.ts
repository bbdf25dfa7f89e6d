import type { Reservation } from "../../model/launch.ts";
import type { Snapshot } from "../../model/plan.ts";
import { exactly } from "../../model/reservations.ts";
import type { BudgetRoom } from "../budget/budget-room.ts";
import { type Allowance, allowanceOf, allowed, without } from "../limits/allowance.ts";

/** What launches may still reserve, by limits and by the pool's budgets. */
export type Leeway = {
  readonly allowance: Allowance;
  /** Dollars per hour that the pool's budgets leave. */
  readonly affordableUsd: number;
};

/** Returns the leeway before the plan's first launch. */
export const leewayOf = (snapshot: Snapshot, budget: BudgetRoom): Leeway => ({
  allowance: allowanceOf(snapshot),
  affordableUsd: budget.usdPerHour,
});

/** Returns what a launch may reserve: for this team, or for all teams if `team` is undefined. */
export function leftFor(team: string | undefined, { allowance, affordableUsd }: Leeway): Reservation {
  const byLimits = allowed(allowance, team);
  return { ...byLimits, usdPerHour: Math.min(byLimits.usdPerHour, affordableUsd) };
}

/** Returns the leeway after `reserved` was reserved; a negative amount is given back. */
export const after = (leeway: Leeway, team: string | undefined, reserved: Reservation): Leeway => ({
  allowance: without(leeway.allowance, team, reserved),
  affordableUsd: exactly(leeway.affordableUsd - reserved.usdPerHour),
});
