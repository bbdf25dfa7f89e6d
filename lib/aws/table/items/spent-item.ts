import * as z from "zod";
import { lifeOf, type Node } from "../../../model/node.ts";
import type { Spent } from "../../../model/pool.ts";
import { costByDay, nextStart, periodName } from "../../../model/values/period.ts";
import { getItem, type TableAccess } from "../access.ts";
import { add, set } from "../expression.ts";
import { spentKey } from "../keys.ts";
import { stored, ttlAfter } from "../stored.ts";
import type { Part } from "../transaction.ts";

/** Days after the end of the month, so that costs can be seen for a year. */
const keptDays = 396;

/** Whole micro-dollars. The month's sum is the attribute `total`; a day's sum has the day's name, for example `2026-11-23`. */
const Sum = z.int().default(0);

/** Returns the writes that record the cost of a node that ends at `atMs`, one per month of its life. */
export function spentParts(node: Pick<Node, "pool" | "offer" | "state" | "stateSinceMs" | "launchedAtMs">, atMs: number): Part[] {
  const days = [...costByDay(lifeOf(node, atMs))];
  const months = new Set(days.map(([day]) => monthOf(day)));
  return [...months].map((month): Part => {
    const its = days.filter(([day]) => monthOf(day) === month);
    const total = its.reduce((sum, [, microUsd]) => sum + microUsd, 0);
    const ttl = ttlAfter(nextStart("month", Date.parse(`${month}-01T00:00:00Z`)), keptDays);
    return {
      kind: "update",
      key: spentKey(node.pool, month),
      changes: [add("total", total), ...its.map(([day, microUsd]) => add(day, microUsd)), set("ttl", ttl)],
      when: [],
    };
  });
}

/** Returns the cost of ended nodes in the UTC day and month of `nowMs`. */
export async function readSpent(access: TableAccess, pool: string, nowMs: number): Promise<Spent> {
  const day = periodName("day", nowMs);
  const item = await getItem(access, spentKey(pool, monthOf(day)));
  const { total = 0, [day]: today = 0 } = stored(z.object({ total: Sum, [day]: Sum }), item ?? {});
  return { dayUsd: today / 1e6, monthUsd: total / 1e6 };
}

const monthOf = (day: string): string => day.slice(0, 7);
