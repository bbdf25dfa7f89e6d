import { lifeOf } from "../../model/node.ts";
import type { Snapshot } from "../../model/plan.ts";
import { dollars } from "../../model/values/amount.ts";
import { costIn, nextStart, type Period, periodName } from "../../model/values/period.ts";

/** The state of one budget. */
export type BudgetState = {
  readonly period: Period;
  readonly usd: number;
  /** Spent by nodes that have ended, and so far by those that have not. */
  readonly usedUsd: number;
  /** What launches may add to the dollars per hour that the pool has reserved; zero or less if nothing is left. */
  readonly usdPerHour: number;
  readonly renewsAtMs: number;
};

export type BudgetRoom = {
  /** The least that any budget leaves; infinite without a budget. */
  readonly usdPerHour: number;
  /** The budget that leaves the least; undefined without a budget. */
  readonly tightest?: BudgetState | undefined;
  /** The budget that is used up; if both are, the one that renews last. */
  readonly usedUp?: BudgetState | undefined;
};

/** A launch must be affordable for this long: until the period ends from its budget, and after that from the next period's. */
const aheadMs = 3_600_000;

/**
 * Returns what the pool's budgets leave for launches: everything that is reserved, including new launches, must be affordable for an hour.
 * A pool's decisions are serial, because each is fenced, and see every open launch in `reserved`. So what fits here still fits
 * when the intent is written, and budgets need not be checked again there.
 */
export function budgetRoom(snapshot: Snapshot): BudgetRoom {
  const { usdPerDay, usdPerMonth } = snapshot.pool.budgets ?? {};
  const states = [
    ...(usdPerMonth === undefined ? [] : [stateOf("month", usdPerMonth, snapshot)]),
    ...(usdPerDay === undefined ? [] : [stateOf("day", usdPerDay, snapshot)]),
  ];
  const [tightest] = states.toSorted((a, b) => a.usdPerHour - b.usdPerHour);
  const usedUp = states.find((state) => state.usedUsd >= state.usd);
  return { usdPerHour: tightest?.usdPerHour ?? Number.POSITIVE_INFINITY, tightest, usedUp };
}

function stateOf(period: Period, usd: number, { nodes, spent, reserved, nowMs }: Snapshot): BudgetState {
  const ended = micro(period === "day" ? spent.dayUsd : spent.monthUsd);
  const lives = nodes.filter((node) => !node.released).map((node) => costIn(lifeOf(node, nowMs), period, nowMs));
  const used = lives.reduce((total, cost) => total + cost, ended);
  const renewsAtMs = nextStart(period, nowMs);
  const nowHours = Math.min(aheadMs, renewsAtMs - nowMs) / 3_600_000;
  const nextHours = aheadMs / 3_600_000 - nowHours;
  const affordable = Math.min((micro(usd) - used) / nowHours, nextHours > 0 ? micro(usd) / nextHours : Number.POSITIVE_INFINITY);
  const room = Math.floor(affordable) - micro(reserved.usdPerHour);
  return { period, usd, usedUsd: used / 1e6, usdPerHour: room / 1e6, renewsAtMs };
}

/** Returns why a job waits although the pool's limits leave room. */
export function whyOverBudget({ usedUp, tightest }: BudgetRoom, pool: string): string | undefined {
  if (usedUp) return `${inWords(usedUp, pool)}; running work goes on, and the job starts after ${renewal(usedUp)}`;
  if (!tightest) return undefined;
  return `${inWords(tightest, pool)}, and the rest does not pay for an hour of another node; the job starts when other work ends, or after ${renewal(tightest)}`;
}

/** Rounds to twentieths of the budget, because each new sum costs a write per waiting job. */
function inWords({ period, usd, usedUsd }: BudgetState, pool: string): string {
  const step = usd / 20;
  const least = step > 0 ? Math.floor(usedUsd / step + 1e-9) * step : 0;
  return `pool ${pool} has spent at least ${dollars(least)} of its budget of ${dollars(usd)} a ${period}`;
}

/** "2026-11-24 00:00 UTC" */
const renewal = ({ renewsAtMs }: BudgetState): string => `${periodName("day", renewsAtMs)} 00:00 UTC`;

/** Dollars are counted in millionths, as the ledger keeps them. */
const micro = (usd: number): number => Math.round(usd * 1e6);
