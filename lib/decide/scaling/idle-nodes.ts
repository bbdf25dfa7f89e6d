import type { Node } from "../../model/node.ts";
import type { Step } from "../../model/plan.ts";
import type { Pool } from "../../model/pool.ts";
import type { BudgetState } from "../budget/budget-room.ts";

export type Idle = {
  readonly steps: readonly Step[];
  /** When the next node will have been idle for long enough. */
  readonly wakeAtMs?: number | undefined;
};

/** Gives back nodes that have held nothing for the pool's idle time. */
export function idleNodes(nodes: readonly Node[], pool: Pool, nowMs: number): Idle {
  const idle = nodes
    .filter((node) => node.state === "ready" && node.assignments.length === 0)
    .map((node) => ({ node, dueMs: Math.max(node.lastBusyMs, node.readyAtMs ?? node.stateSinceMs) + pool.idleSeconds * 1000 }));
  const ahead = idle.filter(({ dueMs }) => dueMs > nowMs).map(({ dueMs }) => dueMs);
  return {
    steps: idle
      .filter(({ dueMs }) => dueMs <= nowMs)
      .map(({ node }) => ({ kind: "retire", node: node.id, because: `idle for ${pool.idleSeconds} s` })),
    wakeAtMs: ahead.length > 0 ? Math.min(...ahead) : undefined,
  };
}

/** Gives back, once a budget is used up, all that holds nothing: nothing more comes to it, and it costs on. */
export const unaffordableNodes = (nodes: readonly Node[], { usd, period }: Pick<BudgetState, "usd" | "period">): Idle => ({
  steps: nodes
    .filter((node) => (node.state === "ready" || node.state === "launching") && node.assignments.length === 0)
    .map((node) => ({ kind: "retire", node: node.id, because: `it holds nothing and the budget of $${usd} a ${period} is used up` })),
});
