import type { Node } from "../../model/node.ts";
import type { Step } from "../../model/plan.ts";
import type { Pool } from "../../model/pool.ts";
import { roomToDisrupt } from "./disruption.ts";

export type Lifetimes = {
  readonly steps: readonly Step[];
  /** Nodes that the steps end or drain: they must get nothing more. */
  readonly leaving: ReadonlySet<string>;
  readonly wakeAtMs?: number | undefined;
};

/**
 * Drains nodes in time for the end of their life: the pool's drain time before it, as many at a time as the disruption budget allows, the
 * oldest first. A node whose life has ended is drained whatever the budget says, and what runs on it is stopped at once. Nodes that hold
 * nothing are given back, because that disrupts no job.
 */
export function lifetimes(nodes: readonly Node[], pool: Pool, nowMs: number): Lifetimes {
  const { maxLifetimeSeconds, drainSeconds } = pool;
  if (maxLifetimeSeconds === undefined) return { steps: [], leaving: new Set() };
  const because = `its life of ${maxLifetimeSeconds} s ends`;
  const lives = nodes
    .filter(mayBeDrained)
    .map((node) => ({ node, endMs: node.launchedAtMs + maxLifetimeSeconds * 1000 }))
    .map((life) => ({ ...life, drainMs: life.endMs - drainSeconds * 1000 }))
    .toSorted((a, b) => a.endMs - b.endMs || (a.node.id < b.node.id ? -1 : 1));
  let room = roomToDisrupt(nodes, pool);
  const steps = lives
    .filter(({ drainMs }) => drainMs <= nowMs)
    .flatMap(({ node, endMs }): (Step & { readonly node: string })[] => {
      if (node.assignments.length === 0) return [{ kind: "retire", node: node.id, because }];
      if (room <= 0 && nowMs < endMs) return [];
      room -= 1;
      return [{ kind: "drain", node: node.id, untilMs: endMs, because }];
    });
  const leaving = new Set(steps.map(({ node }) => node));
  const wakes = lives
    .filter(({ node }) => !leaving.has(node.id))
    .map(({ drainMs, endMs }) => (drainMs > nowMs ? drainMs : endMs))
    .filter((atMs) => atMs > nowMs);
  return { steps, leaving, wakeAtMs: wakes.length > 0 ? Math.min(...wakes) : undefined };
}

/** A booting node has its own time-out, and a node that EC2 takes back is gone in two minutes, so neither is drained. */
const mayBeDrained = ({ state, drain, notice }: Node): boolean =>
  state === "ready" || (state === "draining" && !drain && notice?.kind !== "interruption");
