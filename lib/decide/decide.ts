import type { Node } from "../model/node.ts";
import type { Plan, Snapshot } from "../model/plan.ts";
import { budgetRoom } from "./budget/budget-room.ts";
import { heal } from "./health/breaker.ts";
import { deadNodes, isResponsive, nextLookAtBooting } from "./health/dead-nodes.ts";
import { asksAgainAtMs } from "./launches/open-launch.ts";
import { firstFit } from "./placement/first-fit.ts";
import { close } from "./scaling/closing.ts";
import { consolidation } from "./scaling/consolidation.ts";
import { roomToDisrupt } from "./scaling/disruption.ts";
import { type Idle, idleNodes, unaffordableNodes } from "./scaling/idle-nodes.ts";
import { lifetimes } from "./scaling/lifetimes.ts";
import { replacements } from "./scaling/replacements.ts";

/**
 * Returns what to do with one pool now: first about nodes that are dead or have lived long enough, then about waiting jobs, then about
 * idle nodes. The same snapshot gives the same plan, in whatever order its parts are listed.
 */
export function decide(unordered: Snapshot): Plan {
  const { nowMs, pool } = unordered;
  const snapshot = { ...unordered, nodes: unordered.nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
  if (pool.closing) return close(snapshot);
  const { nodes } = snapshot;
  const dead = deadNodes(snapshot);
  const judged = new Set(dead.flatMap((step) => ("node" in step && step.kind !== "confirm" ? [step.node] : [])));
  const alive = nodes.filter((node) => !judged.has(node.id));
  const old = lifetimes(alive, pool, nowMs);
  const usable = alive.filter((node) => !old.leaving.has(node.id) && isResponsive(node, nowMs));
  const placed = firstFit(snapshot, usable);
  const unused = placed.isWhole ? usable.filter((node) => !placed.bound.has(node.id)) : [];
  const replacing = replacements(snapshot, { planned: placed.steps, free: unused.filter((node) => node.assignments.length === 0) });
  const emptied = nothingIsWanted(snapshot)
    ? consolidation(unused, pool, { nowMs, most: roomToDisrupt(alive, pool) - old.steps.filter(({ kind }) => kind === "drain").length })
    : [];
  const lookedAt = new Set(dead.flatMap((step) => (step.kind === "confirm" ? step.node : [])));
  const idle = givenBack(unused, { snapshot, lookedAt, kept: replacing.kept });
  const wakes = [
    old.wakeAtMs,
    placed.wakeAtMs,
    idle.wakeAtMs,
    nextLookAtBooting(nodes, nowMs),
    nextEndOfDrain(nodes, snapshot),
    ...snapshot.openLaunches.map((launch) => asksAgainAtMs(launch, nowMs)),
    // What a dead node held is queued by this plan's steps, so it must be decided on right after them.
    dead.some((step) => step.kind === "lose") ? nowMs : undefined,
  ].filter((at) => at !== undefined);
  return {
    steps: [...heal(snapshot), ...dead, ...old.steps, ...placed.steps, ...replacing.steps, ...emptied, ...idle.steps],
    wakeAtMs: wakes.length > 0 ? Math.min(...wakes) : undefined,
    ...placed.packed,
  };
}

/** Reports whether nothing else needs the free room on nodes, so that work of other nodes may start again there. */
const nothingIsWanted = (snapshot: Snapshot): boolean =>
  snapshot.queue.length === 0 && snapshot.openLaunches.length === 0 && !budgetRoom(snapshot).usedUp;

type Seen = { readonly snapshot: Snapshot; readonly lookedAt: ReadonlySet<string>; readonly kept: ReadonlySet<string> };

/** Gives back nodes with nothing to do. A node that will take over work is kept until that work arrives. */
function givenBack(unused: readonly Node[], { snapshot, lookedAt, kept }: Seen): Idle {
  const { usedUp } = budgetRoom(snapshot);
  if (usedUp) {
    return unaffordableNodes(
      unused.filter((node) => !lookedAt.has(node.id)),
      usedUp,
    );
  }
  const idle = unused.filter(({ id }) => !kept.has(id));
  return idleNodes(idle, snapshot.pool, snapshot.nowMs);
}

/** Returns when the next draining node's work needs another node, or its worker must stop that work. */
function nextEndOfDrain(nodes: readonly Node[], { pool, nowMs }: Snapshot): number | undefined {
  const ahead = nodes
    .filter(({ state }) => state === "draining")
    .flatMap(({ drain }) => (drain ? [drain.untilMs - pool.bootSeconds * 1000, drain.untilMs] : []))
    .filter((atMs) => atMs > nowMs);
  return ahead.length > 0 ? Math.min(...ahead) : undefined;
}
