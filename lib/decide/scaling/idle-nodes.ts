import type { Node } from "../../model/node.ts";
import type { Step } from "../../model/plan.ts";
import type { Pool } from "../../model/pool.ts";
import { type BudgetRoom, usedUpFor } from "../budget/budget-room.ts";
import { usedUpInWords } from "../budget/why-over-budget.ts";
import { isResponsive } from "../health/dead-nodes.ts";

export type Idle = {
  readonly steps: readonly Extract<Step, { kind: "retire" }>[];
  /** When the next node will have been idle for long enough. */
  readonly wakeAtMs?: number | undefined;
};

/** A GPU that works although its node holds nothing keeps the node for this long, and no longer. */
const disputedForMs = 3_600_000;

/**
 * Gives back nodes if three witnesses agree throughout the pool's idle time that they are idle: nothing is assigned to
 * them, their worker calls, and it has reported no busy GPU. A node without GPUs or samples is judged by the
 * other two, because no node should stay only for lack of samples. A node that falls silent is not idle, but lost when its lease has ended.
 */
export function idleNodes(nodes: readonly Node[], pool: Pool, nowMs: number): Idle {
  const idle = nodes
    .filter((node) => node.state === "ready" && node.assignments.length === 0 && isResponsive(node, nowMs))
    .map((node) => ({ node, dueMs: idleSinceMs(node) + pool.idleSeconds * 1000 }));
  const ahead = idle.filter(({ dueMs }) => dueMs > nowMs).map(({ dueMs }) => dueMs);
  return {
    steps: idle
      .filter(({ dueMs }) => dueMs <= nowMs)
      .map(({ node }) => ({ kind: "retire", node: node.id, because: `idle for ${pool.idleSeconds} s${gpusSay(node, pool, nowMs)}` })),
    wakeAtMs: ahead.length > 0 ? Math.min(...ahead) : undefined,
  };
}

/** Returns the time since which no witness has reported work. */
function idleSinceMs({ lastBusyMs, readyAtMs, stateSinceMs, gpusBusyAtMs = 0 }: Node): number {
  const emptySinceMs = Math.max(lastBusyMs, readyAtMs ?? stateSinceMs);
  return Math.max(emptySinceMs, Math.min(gpusBusyAtMs, emptySinceMs + disputedForMs));
}

/** Returns what GPU samples add to the reason; empty if they agree with the other witnesses. */
const gpusSay = ({ gpusBusyAtMs }: Node, pool: Pool, nowMs: number): string =>
  gpusBusyAtMs !== undefined && nowMs - gpusBusyAtMs < pool.idleSeconds * 1000
    ? `; one of its GPUs is busy, but no job has used the node for ${disputedForMs / 60_000} minutes`
    : "";

/**
 * Gives back all nodes that hold nothing once a budget of their pool or team is used up, because they get no more work but would go on
 * costing.
 */
export const unaffordableNodes = (nodes: readonly Node[], budget: BudgetRoom): Idle["steps"] =>
  nodes
    .filter((node) => (node.state === "ready" || node.state === "launching") && node.assignments.length === 0)
    .flatMap((node) => {
      const [spent] = usedUpFor(budget, node.team);
      return spent ? [{ kind: "retire", node: node.id, because: `it holds nothing and ${usedUpInWords(spent)}` }] : [];
    });
