import { dollars } from "../../model/values/amount.ts";
import { periodName } from "../../model/values/period.ts";
import type { BudgetState, ScopeRoom } from "./budget-room.ts";

/** Returns why a job waits although the pool's limits leave room; undefined without a budget. */
export function whyOverBudget({ usedUp, tightest }: Pick<ScopeRoom, "usedUp" | "tightest">, pool: string): string | undefined {
  if (usedUp) {
    const work = usedUp.drains ? "what runs is stopped in time and queued again" : "running work goes on";
    return `${inWords(usedUp, pool)}; ${work}, and the job starts after ${renewal(usedUp)}`;
  }
  if (!tightest) return undefined;
  if (tightest.isUnknown)
    return `what ${whose(tightest, pool)} has spent this ${tightest.period} cannot be read, so its budget pays for no other node until that is repaired`;
  return `${inWords(tightest, pool)}, and the rest does not pay for an hour of another node; the job starts when other work ends, or after ${renewal(tightest)}`;
}

/** "the budget of $10 a day is used up", with the team if it is a team's. */
export const usedUpInWords = ({ team, usd, period }: Pick<BudgetState, "team" | "usd" | "period">): string =>
  `the budget of ${dollars(usd)} a ${period}${team === undefined ? "" : ` of team ${team}`} is used up`;

/** Rounds to twentieths of the budget, because each new sum costs a write per waiting job. */
function inWords(state: BudgetState, pool: string): string {
  const { period, usd, usedUsd } = state;
  const step = usd / 20;
  const least = step > 0 ? Math.floor(usedUsd / step + 1e-9) * step : 0;
  return `${whose(state, pool)} has spent at least ${dollars(least)} of its budget of ${dollars(usd)} a ${period}`;
}

const whose = ({ team }: BudgetState, pool: string): string => (team === undefined ? `pool ${pool}` : `team ${team} in pool ${pool}`);

/** "2026-11-24 00:00 UTC" */
const renewal = ({ renewsAtMs }: BudgetState): string => `${periodName("day", renewsAtMs)} 00:00 UTC`;
