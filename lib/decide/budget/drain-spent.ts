import type { Node } from "../../model/node.ts";
import type { Step } from "../../model/plan.ts";
import type { Pool } from "../../model/pool.ts";
import { type BudgetRoom, usedUpFor } from "./budget-room.ts";
import { usedUpInWords } from "./why-over-budget.ts";

export type SpentDrains = {
  readonly steps: readonly Step[];
  /** Nodes that the steps drain: they must get nothing more. */
  readonly leaving: ReadonlySet<string>;
  /** When a budget can be used up, or the drains end. */
  readonly wakesMs: readonly number[];
};

/**
 * Drains nodes that work although a budget with `whenSpent: "drain"` is used up, whatever the disruption budget says. Their work may go
 * on for the pool's drain time. If the budget renews before that is over, a drain would only stop work that is paid for again, so
 * the nodes stay. Nodes that hold nothing are given back elsewhere.
 */
export function drainSpent(nodes: readonly Node[], room: BudgetRoom, { pool, nowMs }: { pool: Pool; nowMs: number }): SpentDrains {
  const untilMs = nowMs + pool.drainSeconds * 1000;
  const steps = nodes.filter(mayBeDrained).flatMap((node): (Step & { readonly node: string })[] => {
    const spent = usedUpFor(room, node.team).find(({ drains, renewsAtMs }) => drains && renewsAtMs > untilMs);
    return spent ? [{ kind: "drain", node: node.id, untilMs, because: usedUpInWords(spent) }] : [];
  });
  const states = [room, ...Object.values(room.teams)].flatMap((scope) => scope.states);
  return {
    steps,
    leaving: new Set(steps.map(({ node }) => node)),
    wakesMs: [...states.flatMap(({ spentAtMs }) => spentAtMs ?? []), ...(steps.length > 0 ? [untilMs] : [])],
  };
}

/** A node that EC2 takes back is gone in two minutes, so it is not drained. */
const mayBeDrained = ({ state, drain, notice, assignments }: Node): boolean =>
  assignments.length > 0 &&
  (state === "launching" || state === "ready" || (state === "draining" && !drain && notice?.kind !== "interruption"));
