import { expect } from "vitest";
import type { Plan, Snapshot } from "../../lib/model/plan.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What a pool, or a team in it, has used of each budget, calculated independently from the days that each node lived. */
function budgetsOf(snapshot: Snapshot, team?: string): { usd: number; usedUsd: number; hoursAhead: number }[] {
  const { pool, nowMs } = snapshot;
  const nodes = snapshot.nodes.filter((node) => team === undefined || node.team === team);
  const spent = team === undefined ? snapshot.spent : (snapshot.spent.teams?.[team] ?? { dayUsd: 0, monthUsd: 0 });
  const budgets = team === undefined ? pool.budgets : pool.teamBudgets?.[team];
  const at = new Date(nowMs);
  const periods = [
    { usd: budgets?.usdPerDay, ended: spent.dayUsd, fromMs: nowMs - (nowMs % dayMs), toMs: nowMs - (nowMs % dayMs) + dayMs },
    {
      usd: budgets?.usdPerMonth,
      ended: spent.monthUsd,
      fromMs: Date.UTC(at.getUTCFullYear(), at.getUTCMonth()),
      toMs: Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1),
    },
  ];
  return periods.flatMap(({ usd, ended, fromMs, toMs }) => {
    if (usd === undefined) return [];
    const lives = nodes.map((node) => {
      if (node.released) return 0;
      const endMs = node.state === "gone" ? node.stateSinceMs : nowMs;
      const billedMs = Math.max(60_000, Math.ceil((endMs - node.launchedAtMs) / 1000) * 1000);
      const within = Math.min(toMs, node.launchedAtMs + billedMs) - Math.max(fromMs, node.launchedAtMs);
      return (Math.max(0, within) / hourMs) * node.offer.usdPerHour;
    });
    const usedUsd = lives.reduce((sum, each) => sum + each, ended);
    return [{ usd, usedUsd, hoursAhead: Math.min(1, (toMs - nowMs) / hourMs) }];
  });
}

/** Reports whether a budget is used up; undefined if the last millionth decides. */
export function isUsedUp(snapshot: Snapshot, team?: string): boolean | undefined {
  const over = budgetsOf(snapshot, team).map(({ usd, usedUsd }) => usedUsd - usd);
  if (over.some((each) => Math.abs(each) < 1e-4)) return undefined;
  return over.some((each) => each > 0);
}

/** Checks that a plan starts nothing if a budget is used up, and launches only what every budget pays for an hour. */
export function expectWithinBudgets(snapshot: Snapshot, plan: Plan): void {
  const { pool, reserved } = snapshot;
  expectWithin(snapshot, plan.steps, { reservedUsd: reserved.usdPerHour });
  if (pool.shared) return;
  for (const team of Object.keys(pool.teamBudgets ?? {})) {
    const nodes = snapshot.nodes.filter((node) => node.team === team && !node.released).map((node) => node.offer.usdPerHour);
    const open = snapshot.openLaunches.filter((launch) => launch.team === team).map((launch) => launch.reserved.usdPerHour);
    const its = plan.steps.filter((step) =>
      step.kind === "launch" ? step.launch.team === team : "entry" in step && step.entry.team === team,
    );
    expectWithin(snapshot, its, { team, reservedUsd: [...nodes, ...open].reduce((sum, usd) => sum + usd, 0) });
  }
}

function expectWithin(snapshot: Snapshot, steps: Plan["steps"], { team, reservedUsd }: { team?: string; reservedUsd: number }): void {
  const launches = steps.filter((step) => step.kind === "launch");
  if (isUsedUp(snapshot, team)) expect(steps.filter((step) => step.kind === "launch" || step.kind.startsWith("bind"))).toEqual([]);
  if (launches.length === 0) return;
  const usdPerHour = launches.reduce((sum, step) => sum + step.launch.reserved.usdPerHour, reservedUsd);
  for (const { usd, usedUsd, hoursAhead } of budgetsOf(snapshot, team)) {
    expect(usedUsd + hoursAhead * usdPerHour).toBeLessThanOrEqual(usd + 1e-4);
    expect((1 - hoursAhead) * usdPerHour).toBeLessThanOrEqual(usd + 1e-4);
  }
}
