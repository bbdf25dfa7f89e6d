import * as z from "zod";
import { lifeOf, type Node } from "../../../model/node.ts";
import type { UnreadableItem } from "../../../model/plan.ts";
import type { Spent } from "../../../model/pool.ts";
import { keptMs } from "../../../model/values/kept.ts";
import { costByDay, nextStart, periodName } from "../../../model/values/period.ts";
import { getItem, getPartition, type Item, type TableAccess } from "../access.ts";
import { add, set } from "../expression.ts";
import { spentKey, teamSpentKey, teamsSpentPartition } from "../keys.ts";
import { separated, stored, ttlAfter } from "../stored.ts";
import type { Part } from "../transaction.ts";

/** Whole micro-dollars. The month's sum is the attribute `total`; a day's sum has the day's name, for example `2026-11-23`. */
const Sum = z.int().optional();

type Ended = Pick<Node, "pool" | "team" | "offer" | "state" | "stateSinceMs" | "launchedAtMs" | "declared">;

/** Returns the writes that record the cost of a node that ends at `atMs`: for each month of its life, the pool's and its team's. */
export function spentParts(node: Ended, atMs: number): Part[] {
  const days = [...costByDay(lifeOf(node, atMs))];
  const months = new Set(days.map(([day]) => monthOf(day)));
  return [...months].flatMap((month): Part[] => {
    const its = days.filter(([day]) => monthOf(day) === month);
    const total = its.reduce((sum, [, microUsd]) => sum + microUsd, 0);
    const ttl = ttlAfter(nextStart("month", Date.parse(`${month}-01T00:00:00Z`)), keptMs.spent);
    const changes = [add("total", total), ...its.map(([day, microUsd]) => add(day, microUsd)), set("ttl", ttl)];
    const { pool, team } = node;
    const keys = [spentKey(pool, month), ...(team === undefined ? [] : [teamSpentKey(pool, month, team)])];
    return keys.map((key) => ({ kind: "update", key, changes, when: [] }));
  });
}

/**
 * Returns the cost of ended nodes in the UTC day and month of `nowMs`. Throws if the pool's record cannot be read, because then nothing
 * is known about its budgets. A team's record that cannot be read affects only that team.
 */
export async function readSpent(
  access: TableAccess,
  pool: string,
  nowMs: number,
): Promise<{ readonly spent: Spent; readonly unreadable: readonly UnreadableItem[] }> {
  const day = periodName("day", nowMs);
  const sumsOf = (item: Item) => {
    const { total = 0, [day]: today = 0 } = stored(z.object({ total: Sum, [day]: Sum }), item);
    return { dayUsd: today / 1e6, monthUsd: total / 1e6 };
  };
  const [item, items] = await Promise.all([
    getItem(access, spentKey(pool, monthOf(day))),
    getPartition(access, teamsSpentPartition(pool, monthOf(day))),
  ]);
  const { read, unreadable } = separated("counter", items, (each) => [String(each["sk"]), sumsOf(each)] as const);
  const unknown = unreadable.map(({ key }) => [key.slice(key.indexOf(" ") + 1), { dayUsd: 0, monthUsd: 0, isUnknown: true }] as const);
  const teams = [...read, ...unknown];
  return { spent: { ...sumsOf(item ?? {}), ...(teams.length > 0 && { teams: Object.fromEntries(teams) }) }, unreadable };
}

const monthOf = (day: string): string => day.slice(0, 7);
