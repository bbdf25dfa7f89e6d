import type { Plan, Snapshot } from "../model/plan.ts";
import { budgetRoom } from "./budget/budget-room.ts";
import { deadNodes, isHeard, nextLookAtBooting } from "./health/dead-nodes.ts";
import { firstFit } from "./placement/first-fit.ts";
import { idleNodes, unaffordableNodes } from "./scaling/idle-nodes.ts";

/** EC2's answer to an open launch is asked for again after this long. */
const askAgainMs = 5_000;

/**
 * What to do with one pool now: first what is dead, then what waits, then what is idle.
 * The same snapshot gives the same plan, in whatever order its parts are listed.
 */
export function decide(snapshot: Snapshot): Plan {
  const { nowMs, pool } = snapshot;
  const nodes = snapshot.nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const dead = deadNodes({ ...snapshot, nodes });
  const left = new Set(dead.map((step) => (step.kind === "lose" || step.kind === "retire" ? step.node : "")));
  const usable = nodes.filter((node) => !left.has(node.id) && isHeard(node, nowMs));
  const placed = firstFit(snapshot, usable);
  const unused = placed.isWhole ? usable.filter((node) => !placed.bound.has(node.id)) : [];
  const { usedUp } = budgetRoom(snapshot);
  const lookedAt = new Set(dead.flatMap((step) => (step.kind === "confirm" ? step.node : [])));
  const idle = usedUp
    ? unaffordableNodes(
        unused.filter((node) => !lookedAt.has(node.id)),
        usedUp,
      )
    : idleNodes(unused, pool, nowMs);
  const wakes = [
    placed.wakeAtMs,
    idle.wakeAtMs,
    nextLookAtBooting(nodes, nowMs),
    snapshot.openLaunches.length > 0 ? nowMs + askAgainMs : undefined,
    // What a dead node held waits only after this plan: look again at once.
    dead.some((step) => step.kind === "lose") ? nowMs : undefined,
  ].filter((at) => at !== undefined);
  return { steps: [...dead, ...placed.steps, ...idle.steps], wakeAtMs: wakes.length > 0 ? Math.min(...wakes) : undefined };
}
