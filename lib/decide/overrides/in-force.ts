import type { Limits, WiderLimits } from "../../model/limits.ts";
import type { Overrides } from "../../model/overrides/overrides.ts";
import { type PoolSettings, settingsInForce } from "../../model/overrides/settings.ts";
import type { Budgets, Pool } from "../../model/pool.ts";
import { own } from "../../model/values/own.ts";

/**
 * Returns the pool with the limits, budgets and minimum that apply now: those that admins have set, and the configured ones for the rest. Overrides
 * that cannot be read may have raised a budget, so none that is used up drains nodes. A pool that was removed from the configuration
 * stays as it is.
 */
export function inForce(pool: Pool, overrides: Overrides | undefined, nowMs: number): Pool {
  if (pool.closing || !overrides) return pool;
  if (overrides.isUnknown) return withoutDrains(pool);
  return withTeams(withSettings(pool, overrides.settings, nowMs), overrides.teams ?? {}, nowMs);
}

/**
 * Returns the limits across pools that apply now: those that admins have set, and the configured ones for the rest. If what they have set cannot
 * be read, the limits say so.
 */
export function widerInForce(limits: WiderLimits, overrides: Overrides | undefined, nowMs: number): WiderLimits {
  if (!overrides) return limits;
  if (overrides.isUnknown) return { ...limits, isUnknown: true };
  const ofAll = limitsIn(overrides.settings, nowMs);
  const ofTeams = Object.entries(overrides.teams ?? {}).flatMap(([team, settings]) => {
    const its = limitsIn(settings, nowMs);
    return its ? [[team, { ...teamLimitsOf(limits, team), ...its }] as const] : [];
  });
  return {
    ...limits,
    ...(ofAll && { deployment: { ...limits.deployment, ...ofAll } }),
    ...(ofTeams.length > 0 && { teams: { ...limits.teams, ...Object.fromEntries(ofTeams) } }),
  };
}

/** Returns the limits of a team in all pools together; undefined if it has none. */
export const teamLimitsOf = ({ teams }: Pick<WiderLimits, "teams">, team: string): Limits | undefined => own(teams, team);

const limitsIn = (settings: PoolSettings | undefined, nowMs: number) => valuesOf(["usdPerHour", "gpus"], settings, nowMs);

function withSettings(pool: Pool, settings: PoolSettings | undefined, nowMs: number): Pool {
  const limits = limitsIn(settings, nowMs);
  const budgets = valuesOf(["usdPerDay", "usdPerMonth", "whenSpent"], settings, nowMs);
  return {
    ...pool,
    ...valuesOf(["minNodes"], settings, nowMs),
    ...(limits && { limits: { ...pool.limits, ...limits } }),
    ...(budgets && { budgets: { ...pool.budgets, ...budgets } }),
  };
}

function withTeams(pool: Pool, teams: Readonly<Record<string, PoolSettings>>, nowMs: number): Pool {
  const set = Object.entries(teams).flatMap(([team, settings]) => {
    const budgets = valuesOf(["usdPerDay", "usdPerMonth", "whenSpent"], settings, nowMs);
    return budgets ? [[team, { ...teamBudgetsOf(pool, team), ...budgets }] as const] : [];
  });
  return set.length === 0 ? pool : { ...pool, teamBudgets: { ...pool.teamBudgets, ...Object.fromEntries(set) } };
}

/** Returns the configured budgets of a team in the pool. */
export const teamBudgetsOf = ({ teamBudgets }: Pick<Pool, "teamBudgets">, team: string): Budgets | undefined => own(teamBudgets, team);

function valuesOf(names: readonly string[], settings: PoolSettings | undefined, nowMs: number) {
  const values = settingsInForce(settings, nowMs).flatMap(([name, { value }]) => (names.includes(name) ? [[name, value] as const] : []));
  return values.length > 0 ? Object.fromEntries(values) : undefined;
}

function withoutDrains(pool: Pool): Pool {
  const { budgets, teamBudgets } = pool;
  const kept = (its: Budgets): Budgets => (its.whenSpent === "drain" ? { ...its, whenSpent: "stop-growth" } : its);
  return {
    ...pool,
    ...(budgets && { budgets: kept(budgets) }),
    ...(teamBudgets && { teamBudgets: Object.fromEntries(Object.entries(teamBudgets).map(([team, its]) => [team, kept(its)])) }),
  };
}
