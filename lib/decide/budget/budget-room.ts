import type { Node } from "../../model/node.ts";
import type { NodeSnapshot } from "../../model/plan.ts";
import type { Budgets, Spent } from "../../model/pool.ts";
import { micro } from "../../model/reservations.ts";
import { own } from "../../model/values/own.ts";
import { nextStart, type Period, startOf } from "../../model/values/period.ts";
import { spentMicro } from "./spent-so-far.ts";

/** The state of one budget. */
export type BudgetState = {
  /** The team whose nodes in the pool it is for; undefined for the whole pool. */
  readonly team?: string | undefined;
  readonly period: Period;
  readonly usd: number;
  /** Spent by nodes that have ended, and so far by those that have not. */
  readonly usedUsd: number;
  /** What launches may add to the dollars per hour that are reserved; zero or less if nothing is left. */
  readonly usdPerHour: number;
  readonly renewsAtMs: number;
  /** Set if the record of what was spent cannot be read. The budget then leaves nothing for launches, and work that runs goes on. */
  readonly isUnknown?: true | undefined;
  /** Set if nodes are drained once it is used up. */
  readonly drains?: true | undefined;
  /** The earliest time at which it can be used up by what is reserved now; undefined if that is not in this period. */
  readonly spentAtMs?: number | undefined;
};

/** What the budgets of a pool, or of a team in it, leave. */
export type ScopeRoom = {
  /** The least that any budget leaves; infinite without a budget. */
  readonly usdPerHour: number;
  /** The budget that leaves the least; undefined without a budget. */
  readonly tightest?: BudgetState | undefined;
  /** The budget that is used up; if both are, the one that renews last. */
  readonly usedUp?: BudgetState | undefined;
  /** All of them. */
  readonly states: readonly BudgetState[];
};

/** What the pool's budgets leave, and those of teams that have any in this pool. */
export type BudgetRoom = ScopeRoom & { readonly teams: Readonly<Record<string, ScopeRoom>> };

/** A launch must be affordable for this long: until the period ends from its budget, and after that from the next period's. */
const hourMs = 3_600_000;

/**
 * Returns what the pool's and its teams' budgets leave for launches: everything that is reserved, including new launches, must be
 * affordable for an hour.
 * A pool's decisions are serial, because each is fenced, and see every open launch in `reserved`. So what fits here still fits
 * when the intent is written, and budgets need not be checked again there.
 */
export function budgetRoom(snapshot: NodeSnapshot): BudgetRoom {
  const { pool, nodes, spent, reserved, nowMs } = snapshot;
  const hidden = hiddenMicro(snapshot);
  const teams = Object.entries(pool.teamBudgets ?? {}).map(([team, budgets]) => {
    const its = { team, nodes: nodes.filter((node) => node.team === team), spent: own(spent.teams, team) ?? nothing };
    return [team, roomOf(budgets, { ...its, reservedMicro: reservedMicro(snapshot, team) + hidden, hidden, nowMs })] as const;
  });
  const whole = roomOf(pool.budgets, { nodes, spent, reservedMicro: micro(reserved.usdPerHour), hidden, nowMs });
  return { ...whole, teams: Object.fromEntries(teams) };
}

/** Returns the budgets that are used up for a node or job of the team: the pool's first, then the team's. */
export const usedUpFor = (room: BudgetRoom, team: string | undefined): readonly BudgetState[] =>
  [room.usedUp, own(room.teams, team)?.usedUp].filter((state) => state !== undefined);

const nothing = { dayUsd: 0, monthUsd: 0 };

/** What one scope has: the pool, or a team in it. `hidden`: see `hiddenMicro`. */
type Scope = {
  readonly team?: string;
  readonly nodes: readonly Node[];
  readonly spent: Omit<Spent, "teams">;
  readonly reservedMicro: number;
  readonly hidden: number;
  readonly nowMs: number;
};

function roomOf({ usdPerDay, usdPerMonth, whenSpent }: Budgets = {}, scope: Scope): ScopeRoom {
  const of = { ...scope, drains: whenSpent === "drain" };
  const states = [
    ...(usdPerMonth === undefined ? [] : [stateOf("month", usdPerMonth, of)]),
    ...(usdPerDay === undefined ? [] : [stateOf("day", usdPerDay, of)]),
  ];
  const [tightest] = states.toSorted((a, b) => a.usdPerHour - b.usdPerHour);
  const usedUp = states.find((state) => state.usedUsd >= state.usd);
  return { usdPerHour: tightest?.usdPerHour ?? Number.POSITIVE_INFINITY, tightest, usedUp, states };
}

function stateOf(period: Period, usd: number, of: Scope & { readonly drains: boolean }): BudgetState {
  const { team, spent, reservedMicro: reserved, hidden, nowMs } = of;
  const used = spentMicro(period, of);
  const renewsAtMs = nextStart(period, nowMs);
  const nowHours = Math.min(hourMs, renewsAtMs - nowMs) / hourMs;
  const nextHours = 1 - nowHours;
  // What cannot be read counts as if it had run since the period began.
  const left = micro(usd) - used - (hidden * (nowMs - startOf(period, nowMs))) / hourMs;
  const affordable = Math.min(left / nowHours, nextHours > 0 ? micro(usd) / nextHours : Number.POSITIVE_INFINITY);
  const room = Math.floor(affordable) - reserved;
  const spentAtMs = nowMs + Math.max(1_000, Math.ceil(((micro(usd) - used) / reserved) * hourMs));
  return {
    ...(team === undefined ? {} : { team }),
    period,
    usd,
    usedUsd: used / 1e6,
    usdPerHour: (spent.isUnknown ? Math.min(0, room) : room) / 1e6,
    renewsAtMs,
    ...(spent.isUnknown ? { isUnknown: true } : {}),
    ...(of.drains ? { drains: true } : {}),
    ...(of.drains && reserved > 0 && used < micro(usd) && spentAtMs < renewsAtMs ? { spentAtMs } : {}),
  };
}

/** Returns what is reserved for nodes and launches that can be read: those of a team, or all if `team` is undefined. */
function reservedMicro({ nodes, openLaunches }: NodeSnapshot, team?: string): number {
  const isMeant = (each: { readonly team?: string | undefined }): boolean => team === undefined || each.team === team;
  const ofNodes = nodes.filter((node) => !node.released && isMeant(node)).map((node) => micro(node.offer.usdPerHour));
  const ofLaunches = openLaunches.filter(isMeant).map((launch) => micro(launch.reserved.usdPerHour));
  return [...ofNodes, ...ofLaunches].reduce((sum, each) => sum + each, 0);
}

/**
 * Returns what the pool has reserved for nodes and launches that cannot be read. It may be any team's, so it counts towards each team's
 * budgets.
 */
function hiddenMicro(snapshot: NodeSnapshot): number {
  const isAnyHidden = (snapshot.unreadable ?? []).some(({ kind }) => kind === "node" || kind === "launch");
  return isAnyHidden ? Math.max(0, micro(snapshot.reserved.usdPerHour) - reservedMicro(snapshot)) : 0;
}
