import * as z from "zod";
import type { Pool } from "../../lib/model/pool.ts";
import { whenSpents } from "../../lib/model/values/when-spent.ts";

const budget = z.number().min(0, "must not be negative").optional();

export const Budgets = z.strictObject({
  usdPerDay: budget.describe("Dollars that nodes may cost in a UTC day"),
  usdPerMonth: budget.describe("Dollars that nodes may cost in a calendar month (UTC)"),
  whenSpent: z
    .enum(whenSpents, 'must be "stop-growth" or "drain"')
    .optional()
    .describe(
      "Once a budget is used up, nothing starts until the next day or month. stop-growth: running jobs may finish. drain: running jobs may run for drainSeconds, and are then stopped and queued again, unless the budget renews before. stop-growth if omitted",
    ),
});

type Problem = { readonly path: (string | number)[]; readonly message: string };

/** Returns what is wrong with a pool's budgets and with those of teams in it. `at`: the pool's place in the configuration. */
export function budgetProblems(
  { name, shared, teams: allowed, budgets, teamBudgets = {} }: Pick<Pool, "name" | "shared" | "teams" | "budgets" | "teamBudgets">,
  teams: readonly string[],
  at: readonly (string | number)[],
): readonly Problem[] {
  const all = [
    ...(budgets ? [{ path: [...at, "budgets"], budgets }] : []),
    ...Object.entries(teamBudgets).map(([team, its]) => ({ path: [...at, "teamBudgets", team], budgets: its })),
  ];
  const aimless = all
    .filter(
      ({ budgets: { usdPerDay, usdPerMonth, whenSpent } }) =>
        whenSpent !== undefined && usdPerDay === undefined && usdPerMonth === undefined,
    )
    .map(({ path }) => ({ path, message: 'whenSpent has no effect alone: give "usdPerDay", "usdPerMonth" or both' }));
  const ofTeams = Object.keys(teamBudgets).flatMap((team): Problem[] => {
    const path = [...at, "teamBudgets", team];
    if (!teams.includes(team)) return [{ path, message: `there is no team "${team}"; known teams: ${teams.join(", ")}` }];
    if (allowed.length > 0 && !allowed.includes(team)) return [{ path, message: `team "${team}" may not use pool "${name}"` }];
    return [];
  });
  const isVain = shared && Object.keys(teamBudgets).length > 0;
  const vain = `nodes of the shared pool "${name}" belong to no team, so no team's budget can be counted; give the pool "budgets", or the team a pool that is not shared`;
  return [...aimless, ...(isVain ? [{ path: [...at, "teamBudgets"], message: vain }] : ofTeams)];
}
