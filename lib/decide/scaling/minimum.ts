import type { Reservation } from "../../model/launch.ts";
import { isLive, type Node } from "../../model/node.ts";
import type { NodeSnapshot, Snapshot, Step } from "../../model/plan.ts";
import { less, plus, reservedBy } from "../../model/reservations.ts";
import type { BudgetRoom } from "../budget/budget-room.ts";
import { isResponsive } from "../health/dead-nodes.ts";
import { orderOf } from "../overrides/node-orders.ts";
import { isPaused } from "../overrides/paused.ts";
import { leewayOf, leftFor } from "../placement/leeway.ts";
import type { RoomForJobs } from "./room-for-jobs.ts";

type NodeStep = Extract<Step, { node: string }>;

/**
 * Returns how many nodes the pool keeps now, with work or without. A pool that is paused or drained keeps none. A node of a pool that is not
 * shared serves one team, and it is not known whose job is next, so such a pool keeps none either.
 */
export const minimumOf = ({ pool, overrides }: Pick<NodeSnapshot, "pool" | "overrides">): number =>
  pool.closing || !pool.shared || overrides?.paused ? 0 : (pool.minNodes ?? 0);

/** Returns the nodes that boot or work, that the plan so far neither ends nor drains, and that no admin has cordoned. */
export function usable({ nodes, overrides }: NodeSnapshot, planned: readonly Step[]): readonly Node[] {
  const leaving = new Set(planned.flatMap((step) => (isLeaving(step) ? step.node : [])));
  const kept = new Set(planned.flatMap((step) => (step.kind === "undrain" ? step.node : [])));
  return nodes.filter((node) => (isLive(node) ? !leaving.has(node.id) : kept.has(node.id)) && orderOf(overrides, node.id) === undefined);
}

const isEnding = (step: Step): step is NodeStep => step.kind === "retire" || step.kind === "end" || step.kind === "lose";
const isLeaving = (step: Step): step is NodeStep => step.kind === "drain" || isEnding(step);

/**
 * Returns how many more nodes the plan may end or drain before the pool has fewer than its minimum; infinite if it has none. Nodes whose worker
 * is silent may be lost, so they do not count.
 */
export function beyondMinimum(snapshot: NodeSnapshot, planned: readonly Step[]): number {
  const minimum = minimumOf(snapshot);
  if (minimum === 0) return Number.POSITIVE_INFINITY;
  return Math.max(0, usable(snapshot, planned).filter((node) => isResponsive(node, snapshot.nowMs)).length - minimum);
}

/**
 * Returns what waiting jobs may need more than limits and budgets leave, also after the nodes that leave have ended. Nothing if the pool is
 * paused, because no job starts then, or if the limits cannot be read, because no node's end would make room.
 */
export function shortFor(
  jobs: RoomForJobs,
  snapshot: Snapshot,
  { planned, budget }: { planned: readonly Step[]; budget: BudgetRoom },
): Reservation {
  if (isPaused(snapshot.overrides) || snapshot.wider?.limits.isUnknown) return nothing;
  const leaving = new Set(planned.flatMap((step) => (isEnding(step) ? step.node : [])));
  const coming = snapshot.nodes
    .filter((node) => !node.released && (leaving.has(node.id) || !(isLive(node) || node.state === "draining")))
    .reduce((sum, node) => plus(sum, takenBy(node)), nothing);
  const room = less(plus(leftFor(undefined, leewayOf(snapshot, budget)), coming), plannedRoom(planned));
  const { usdPerHour, gpus } = less(jobs.waiting, room);
  return { usdPerHour: Math.max(0, usdPerHour), gpus: Math.max(0, gpus) };
}

/** Returns the launches of a plan. */
export const plannedLaunches = (planned: readonly Step[]) => planned.flatMap((step) => (step.kind === "launch" ? step.launch : []));

/** Returns what the plan's launches reserve. */
export const plannedRoom = (planned: readonly Step[]): Reservation =>
  plannedLaunches(planned).reduce((sum, { reserved }) => plus(sum, reserved), nothing);

/**
 * Returns the steps that end idle nodes, without those of the cheapest nodes that the pool keeps. It keeps none that take up what waiting jobs
 * are `short` of. Cordoned nodes do not count.
 */
export function withoutKept<S extends NodeStep>(
  steps: readonly S[],
  snapshot: NodeSnapshot,
  { planned, short }: { planned: readonly Step[]; short: Reservation },
): readonly S[] {
  const most = beyondMinimum(snapshot, planned);
  const counted = new Set(usable(snapshot, planned).map(({ id }) => id));
  const nodes = new Map(snapshot.nodes.map((node) => [node.id, node]));
  const roomOf = ({ node }: S): Reservation => takenBy(nodes.get(node));
  const ended = new Set<S>(steps.filter(({ node }) => !counted.has(node)));
  let left = [...ended].reduce((sum, step) => less(sum, roomOf(step)), short);
  const dearestFirst = steps
    .filter((step) => !ended.has(step))
    .toSorted((a, b) => roomOf(b).usdPerHour - roomOf(a).usdPerHour || (a.node < b.node ? -1 : 1));
  for (const [index, step] of dearestFirst.entries()) {
    if (index >= most && !helps(roomOf(step), left)) continue;
    ended.add(step);
    left = less(left, roomOf(step));
  }
  return steps.filter((step) => ended.has(step));
}

/** Reports whether the room has some of what is short. */
const helps = (room: Reservation, short: Reservation): boolean =>
  (short.usdPerHour > 0 && room.usdPerHour > 0) || (short.gpus > 0 && room.gpus > 0);

const takenBy = (node: Node | undefined): Reservation => (node ? reservedBy(node) : nothing);

const nothing: Reservation = { usdPerHour: 0, gpus: 0 };
