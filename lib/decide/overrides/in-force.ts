import type { Overrides } from "../../model/overrides/overrides.ts";
import { settingsInForce } from "../../model/overrides/settings.ts";
import type { Pool } from "../../model/pool.ts";

/**
 * Returns the pool with the limits and budgets that apply now: those that admins have set, and the configured ones for the rest. Overrides
 * that cannot be read may have raised a budget, so none that is used up drains nodes. A pool that was removed from the configuration
 * stays as it is.
 */
export function inForce(pool: Pool, overrides: Overrides | undefined, nowMs: number): Pool {
  if (pool.closing || !overrides) return pool;
  const { limits, budgets } = pool;
  if (overrides.isUnknown) return budgets?.whenSpent === "drain" ? { ...pool, budgets: { ...budgets, whenSpent: "stop-growth" } } : pool;
  const applied = settingsInForce(overrides.settings, nowMs);
  if (applied.length === 0) return pool;
  const set = (of: readonly string[]) =>
    Object.fromEntries(applied.flatMap(([name, { value }]) => (of.includes(name) ? [[name, value]] : [])));
  const ofBudgets = set(["usdPerDay", "usdPerMonth", "whenSpent"]);
  const isBudget = Object.keys(ofBudgets).length > 0;
  return { ...pool, limits: { ...limits, ...set(["usdPerHour", "gpus"]) }, ...(isBudget && { budgets: { ...budgets, ...ofBudgets } }) };
}
