import { lifeOf, type Node } from "../../model/node.ts";
import type { Spent } from "../../model/pool.ts";
import { micro } from "../../model/reservations.ts";
import { costIn, type Period } from "../../model/values/period.ts";

/** Returns what nodes have cost in the period, in whole micro-dollars: those that have ended, and so far those that have not. */
export function spentMicro(
  period: Period,
  { nodes, spent, nowMs }: { readonly nodes: readonly Node[]; readonly spent: Omit<Spent, "teams">; readonly nowMs: number },
): number {
  const ended = micro(period === "day" ? spent.dayUsd : spent.monthUsd);
  const lives = nodes.filter((node) => !node.released).map((node) => costIn(lifeOf(node, nowMs), period, nowMs));
  return lives.reduce((total, cost) => total + cost, ended);
}
