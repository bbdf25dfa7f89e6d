import type { Assignment, Node } from "../../model/node.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import { freeCapacityOf, hasRoom, occupy } from "./free-capacity.ts";

/** The most jobs of one decision that move: each is a transaction. The next decision follows at once. */
const maxRebinds = 100;

export type Rebinds = {
  readonly steps: readonly Extract<Step, { kind: "rebind" }>[];
  /** The nodes that lose or get a job. */
  readonly touched: ReadonlySet<string>;
  readonly isAll: boolean;
};

/**
 * Moves jobs from nodes that still boot to nodes that are ready and have room, so that they start at once. The order for such a job was
 * never handed out, because the worker of its node has not called yet. A job that moves is on a ready node from then on, so it moves only
 * once. Gangs stay together where they are, and while one waits, free rooms are left to it.
 *
 * `nodes`: those that get nothing else in this plan.
 */
export function startSooner({ queue }: Pick<Snapshot, "queue">, nodes: readonly Node[]): Rebinds {
  const none: Rebinds = { steps: [], touched: new Set(), isAll: true };
  if (queue.some((entry) => entry.nodes > 1)) return none;
  const booting = nodes.filter(({ state, assignments }) => state === "launching" && assignments.length > 0);
  if (booting.length === 0) return none;
  const rooms = freeCapacityOf(nodes.filter(({ state }) => state === "ready"));
  // Those whose nodes were launched last would wait longest.
  const waiting = booting
    .toSorted((a, b) => b.launchedAtMs - a.launchedAtMs || (a.id < b.id ? -1 : 1))
    .flatMap((node) => node.assignments.filter(mayMove).map((attempt) => ({ from: node.id, attempt })));
  const steps: Rebinds["steps"][number][] = [];
  for (const { from, attempt } of waiting) {
    const room = rooms.find((each) => hasRoom(each, attempt));
    if (!room) continue;
    if (steps.length >= maxRebinds) return { steps, touched: touchedBy(steps), isAll: false };
    occupy(room, attempt);
    const because = `${room.node.offer.instanceType} ${room.node.id} has room, and ${from} still boots`;
    steps.push({ kind: "rebind", attempt, from, node: room.node.id, because });
  }
  return { steps, touched: touchedBy(steps), isAll: true };
}

/** A gang's members must be on their nodes together, and an attempt that is evicted begins nowhere. */
const mayMove = ({ phase, rank, evict }: Assignment): boolean => phase === "placed" && rank === undefined && evict === undefined;
const touchedBy = (steps: Rebinds["steps"]): ReadonlySet<string> => new Set(steps.flatMap(({ from, node }) => [from, node]));
