import { jobName } from "../../model/job.ts";
import { lifeOf, type Node } from "../../model/node.ts";
import type { Budgets, Pool } from "../../model/pool.ts";
import { micro } from "../../model/reservations.ts";
import { own } from "../../model/values/own.ts";
import { costIn, nextStart, type Period, periodName } from "../../model/values/period.ts";
import type { Fact } from "../world/facts.ts";
import type { WorldView } from "../world/seen.ts";
import { atMostEvery, type Invariant, type InvariantBreach } from "./invariant.ts";

/** A decision that has read the costs before may still write for this long. */
const graceMs = 60_000;
/** A waiting job must have a reason after this long, although decisions crash, and messages and calls are lost. */
const reasonMs = 15 * 60_000;
/** How long nodes may stay after a drain: a decision, the worker and EC2 need a while, and faults make each of them slower. */
const drainedMs = 25 * 60_000;
const checkEveryMs = 5_000;
const hourMs = 3_600_000;

/** One budget: of a pool, or of a team in it. */
type Budget = { readonly pool: Pool; readonly team?: string; readonly period: Period; readonly usd: number; readonly drains: boolean };

/** A budget that is used up: since when, what was spent by then, and what was reserved. Dollars are whole micro-dollars. */
type UsedUp = {
  readonly budget: Budget;
  readonly name: string;
  readonly sinceMs: number;
  readonly spent: number;
  readonly reserved: number;
};

/** 12: a budget stops what it should, and is overrun by no more than what was running. */
export const budgets: Invariant = {
  number: 12,
  name: "budgets hold",
  says: "While a budget is used up, nothing is launched and no job begins. It is overrun by at most what was running. Jobs that wait for it say so.",
  watch: (seen) => {
    const all = seen().pools.flatMap(budgetsOf);
    if (all.length === 0) return {};
    const usedUp = new Map<Budget, UsedUp>();
    const isDue = atMostEvery(checkEveryMs);
    return {
      on: (fact) => {
        const now = seen();
        if (isDue(now.nowMs)) {
          for (const budget of all) note(budget, usedUp, now);
          const wrong = [...usedUp.values()].map((each) => overrun(each, now) ?? silent(each, now)).find((each) => each);
          if (wrong !== undefined) return wrong;
        }
        return [...usedUp.values()].map((each) => begun(fact, each, now)).find((each) => each);
      },
    };
  },
};

const budgetsOf = (pool: Pool): readonly Budget[] => [
  ...periodsOf(pool.budgets).map((each) => ({ ...each, pool })),
  ...Object.entries(pool.teamBudgets ?? {}).flatMap(([team, its]) => periodsOf(its).map((each) => ({ ...each, pool, team }))),
];

const periodsOf = ({ usdPerDay, usdPerMonth, whenSpent }: Budgets = {}): readonly Omit<Budget, "pool" | "team">[] =>
  [["day", usdPerDay] as const, ["month", usdPerMonth] as const].flatMap(([period, usd]) =>
    usd === undefined ? [] : [{ period, usd, drains: whenSpent === "drain" }],
  );

/** Notes that a budget has been used up, or that its next period has begun. */
function note(budget: Budget, usedUp: Map<Budget, UsedUp>, now: WorldView): void {
  const known = usedUp.get(budget);
  if (known && periodName(budget.period, known.sinceMs) !== periodName(budget.period, now.nowMs)) usedUp.delete(budget);
  const spent = spentOf(budget, now);
  if (usedUp.has(budget) || spent < micro(budget.usd)) return;
  const whose = budget.team === undefined ? `pool ${budget.pool.name}` : `team ${budget.team} in pool ${budget.pool.name}`;
  const name = `the budget of $${budget.usd} a ${budget.period} of ${whose}`;
  usedUp.set(budget, { budget, name, sinceMs: now.nowMs, spent, reserved: reservedOf(budget, now) });
}

const isOf = ({ pool, team }: Budget, each: { readonly pool: string; readonly team?: string | undefined }): boolean =>
  each.pool === pool.name && (team === undefined || each.team === team);

const nodesOf = (budget: Budget, { table }: WorldView): readonly Node[] =>
  [...table.nodes.values()].filter(({ node, released }) => !released && isOf(budget, node)).map(({ node }) => node);

/** Returns what the budget's nodes have cost in its period: those that were released, and so far the others. */
function spentOf(budget: Budget, now: WorldView): number {
  const { pool, team, period } = budget;
  const spent = now.table.spent(pool.name, now.nowMs);
  const sums = team === undefined ? spent : (own(spent.teams, team) ?? { dayUsd: 0, monthUsd: 0 });
  return nodesOf(budget, now).reduce(
    (sum, node) => sum + costIn(lifeOf(node, now.nowMs), period, now.nowMs),
    micro(period === "day" ? sums.dayUsd : sums.monthUsd),
  );
}

/** Returns what is reserved for the budget's nodes and launches per hour. */
function reservedOf(budget: Budget, now: WorldView): number {
  const launches = [...now.table.openLaunches.values()].filter((launch) => isOf(budget, launch));
  return (
    nodesOf(budget, now).reduce((sum, { offer }) => sum + micro(offer.usdPerHour), 0) +
    launches.reduce((sum, { reserved }) => sum + micro(reserved.usdPerHour), 0)
  );
}

/** Reports if more has been spent since the budget was used up than what was reserved then costs, for as long as it may stay. */
function overrun({ budget, name, sinceMs, spent, reserved }: UsedUp, now: WorldView): InvariantBreach {
  const { pool, period, drains } = budget;
  const drainMs = pool.drainSeconds * 1000;
  // If the period ends before a drain would, the work goes on.
  const mayStay = !drains || nextStart(period, sinceMs) <= sinceMs + graceMs + drainMs;
  const forMs = Math.min(now.nowMs - sinceMs, mayStay ? Number.POSITIVE_INFINITY : drainMs + drainedMs);
  const most = spent + (reserved * (forMs + graceMs)) / hourMs;
  const is = spentOf(budget, now);
  return is > most ? `$${is / 1e6} of ${name} is spent, and what ran when it was used up costs $${most / 1e6} at most` : undefined;
}

/** Reports a job that has long waited for the budget and does not say why. */
function silent({ budget, name, sinceMs }: UsedUp, now: WorldView): InvariantBreach {
  if (now.nowMs < sinceMs + reasonMs) return undefined;
  for (const { pool, entry } of now.table.queue.values()) {
    const isLate = isOf(budget, { pool, team: entry.team }) && entry.submittedAtMs + reasonMs < now.nowMs;
    if (isLate && entry.reason === undefined) return `${jobName(entry)} waits without a reason, although ${name} is used up`;
  }
  return undefined;
}

/** Reports a launch that was intended, or a job that was placed, although the budget is used up. */
function begun(fact: Fact, { budget, name, sinceMs }: UsedUp, { nowMs }: WorldView): InvariantBreach {
  if (nowMs < sinceMs + graceMs || periodName(budget.period, sinceMs) !== periodName(budget.period, nowMs)) return undefined;
  const what = startedBy(fact, budget);
  return what && `${what}, although ${name} is used up`;
}

function startedBy(fact: Fact, budget: Budget): string | undefined {
  if (fact.kind === "intended") return isOf(budget, fact.launch) ? `the launch ${fact.launch.id} was intended` : undefined;
  if (fact.kind !== "job" || fact.before?.state !== "queued" || fact.after.state !== "placed") return undefined;
  return isOf(budget, fact.after) ? `${jobName(fact.after)} was placed` : undefined;
}
