import { expect } from "vitest";
import type { Plan, Snapshot } from "../../lib/model/plan.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What a pool has used of each budget, calculated independently from the days that each node lived. */
function budgetsOf({ pool, nodes, spent, nowMs }: Snapshot): { usd: number; usedUsd: number; hoursAhead: number }[] {
  const at = new Date(nowMs);
  const periods = [
    { usd: pool.budgets?.usdPerDay, ended: spent.dayUsd, fromMs: nowMs - (nowMs % dayMs), toMs: nowMs - (nowMs % dayMs) + dayMs },
    {
      usd: pool.budgets?.usdPerMonth,
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
export function isUsedUp(snapshot: Snapshot): boolean | undefined {
  const over = budgetsOf(snapshot).map(({ usd, usedUsd }) => usedUsd - usd);
  if (over.some((each) => Math.abs(each) < 1e-4)) return undefined;
  return over.some((each) => each > 0);
}

/** Checks that a plan starts nothing if a budget is used up, and launches only what every budget pays for an hour. */
export function expectWithinBudgets(snapshot: Snapshot, { steps }: Plan): void {
  const launches = steps.filter((step) => step.kind === "launch");
  if (isUsedUp(snapshot)) expect(steps.filter((step) => step.kind === "launch" || step.kind.startsWith("bind"))).toEqual([]);
  if (launches.length === 0) return;
  const usdPerHour = launches.reduce((sum, step) => sum + step.launch.reserved.usdPerHour, snapshot.reserved.usdPerHour);
  for (const { usd, usedUsd, hoursAhead } of budgetsOf(snapshot)) {
    expect(usedUsd + hoursAhead * usdPerHour).toBeLessThanOrEqual(usd + 1e-4);
    expect((1 - hoursAhead) * usdPerHour).toBeLessThanOrEqual(usd + 1e-4);
  }
}
