import type { Node } from "../../model/node.ts";
import type { Step } from "../../model/plan.ts";
import type { Pool } from "../../model/pool.ts";

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
