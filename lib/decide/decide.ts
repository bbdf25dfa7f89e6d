import type { QueueEntry } from "../model/job.ts";
import type { Node } from "../model/node.ts";
import type { Overrides } from "../model/overrides/overrides.ts";
import { nextExpiryMs } from "../model/overrides/settings.ts";
import type { NodeSnapshot, Plan, Snapshot, Step } from "../model/plan.ts";
import { withoutResting, withoutRestingJobs } from "./back-off/resting.ts";
import { type BudgetRoom, budgetRoom, usedUpFor } from "./budget/budget-room.ts";
import { drainSpent } from "./budget/drain-spent.ts";
import { heal } from "./health/breaker.ts";
import { bury, isResponsive, overdueNodes } from "./health/dead-nodes.ts";
import { lookUps } from "./health/look-ups.ts";
import { checkAgainAtMs } from "./launches/open-launch.ts";
import { droppedDrains, orderedDrains, orderOf } from "./overrides/node-orders.ts";
import { isPaused, whyPaused } from "./overrides/paused.ts";
import { firstFit, holdAll } from "./placement/first-fit.ts";
import { startSooner } from "./placement/start-sooner.ts";
import { emptied, failed } from "./scaling/closing.ts";
import { consolidation } from "./scaling/consolidation.ts";
import { roomToDisrupt } from "./scaling/disruption.ts";
import { idleNodes, unaffordableNodes } from "./scaling/idle-nodes.ts";
import { lifetimes } from "./scaling/lifetimes.ts";
import { beyondMinimum, minimumOf, shortFor, withoutKept } from "./scaling/minimum.ts";
import { minimumLaunches } from "./scaling/missing-nodes.ts";
import { nextEndOfDrain, replacements } from "./scaling/replacements.ts";
import { type RoomForJobs, roomForJobs } from "./scaling/room-for-jobs.ts";

/**
 * The phases of a decision, in order. Each is a pure function of what the phases before it have decided. A node that gets a step, or must
 * get none, is taken from `nodes`, so that no later phase uses it. These depend on nodes alone, so that whatever is in the queue, and even
 * if it cannot be read, nodes end and limits hold.
 */
const nodePhases: readonly Phase<NodeSnapshot>[] = [
  // Forgets boot failures that a node disproves, before that node may be found dead itself.
  healBreakers,
  // Ends nodes that are dead or stuck, takes back their work, and looks up nodes whose state is in doubt.
  buryDead,
  // Ends nodes whose worker does not stop what has used up its time.
  endOverdue,
  // Drains nodes in time for the end of their life.
  retireOld,
  // Drains nodes that an admin has ordered to be drained, and drops such drains whose order was taken back.
  drainOrdered,
  // Drains nodes that work although a budget that asks for it is used up.
  drainUnaffordable,
  // Leaves nodes alone that are draining already or whose worker is silent: they get no work, and are not idle. Looks silent ones up.
  spareSilent,
  // Gives back nodes that hold nothing although a budget is used up.
  endUnaffordable,
  // Leaves nodes alone that an admin has cordoned: they get nothing new, and are given back only if they are idle.
  spareCordoned,
];

const jobPhases: readonly Phase<Snapshot>[] = [
  // Places waiting jobs on nodes, launches nodes for the others, or records why they wait. In a paused pool, all wait.
  placeWaiting,
  // Launches nodes for work that must soon leave its node, within what the launches above leave of limits and budgets.
  replaceLeaving,
  // Launches the nodes that are missing from the pool's minimum, within what waiting jobs cannot need.
  keepMinimum,
  // Moves jobs that wait for a node to boot to nodes that are free now and that nothing else needs.
  startAtOnce,
  // If nothing waits for free room, drains nodes whose work fits on others.
  consolidate,
  // Gives back nodes that have had nothing to do for long enough.
  giveBackIdle,
  // Wakes when a limit or budget that an admin has set expires, if there is anything that it concerns.
  awaitExpiry,
];

/** A plan in the making: what the phases so far have decided. */
type Draft<S> = {
  readonly snapshot: S;
  readonly budget: BudgetRoom;
  readonly steps: readonly Step[];
  readonly wakesMs: readonly number[];
  /** The nodes that the next phases may use, by id. */
  readonly nodes: readonly Node[];
  /** Nodes that get nothing new, but are given back if they are idle. */
  readonly cordoned: readonly Node[];
  /** How many more nodes with work may be drained. */
  readonly drainsLeft: number;
  /** All jobs that wait, also those that rest. */
  readonly waiting: readonly QueueEntry[];
  /** The nodes that could get work before the plan gave them any. */
  readonly forJobs: readonly Node[];
  /** What waiting jobs may need, and nodes without work must leave to them; undefined if the pool has no minimum. */
  readonly roomForJobs?: RoomForJobs | undefined;
  /** Nodes that wait for the work of another node. They are idle, but must not be given back yet. */
  readonly kept: ReadonlySet<string>;
  readonly packed?: Pick<Plan, "packing" | "learned"> | undefined;
};

/** What a phase adds to the draft (`steps`, `wakesMs`) or replaces in it. */
type Decided = {
  readonly steps?: readonly Step[];
  /** When to decide again even if nothing happens; undefined for never. */
  readonly wakesMs?: readonly (number | undefined)[];
} & Partial<Omit<Draft<unknown>, "snapshot" | "budget" | "steps" | "wakesMs">>;

type Phase<S> = (draft: Draft<S>) => Decided;

/** What is decided about a pool's nodes before its queue is known. */
export type NodeDecision = Draft<NodeSnapshot>;

/** Returns what to do with one pool now. The same snapshot gives the same plan, in whatever order its parts are listed. */
export const decide = (snapshot: Snapshot): Plan => decideJobs(decideNodes(snapshot), snapshot);

/** Returns what to do with the pool's nodes, whatever waits. `steps` can be carried out at once. */
export function decideNodes(unordered: NodeSnapshot): NodeDecision {
  const nodes = unordered.nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const snapshot = { ...unordered, nodes };
  const start = {
    snapshot,
    budget: budgetRoom(snapshot),
    steps: [],
    wakesMs: [],
    nodes,
    cordoned: [],
    drainsLeft: 0,
    waiting: [],
    forJobs: [],
    kept: new Set<string>(),
  };
  if (snapshot.pool.closing) return extended(start, emptied(snapshot));
  return nodePhases.reduce<NodeDecision>((draft, phase) => extended(draft, phase(draft)), start);
}

/** Returns the whole plan, which begins with the steps about nodes. */
export function decideJobs(nodes: NodeDecision, waiting: Pick<Snapshot, "queue" | "queued" | "next" | "unreadable">): Plan {
  const { queued, next, unreadable } = waiting;
  const { queue, holds, dueAtMs } = withoutRestingJobs(waiting.queue, nodes.snapshot);
  const undecided = { ...nodes, waiting: waiting.queue, snapshot: { ...nodes.snapshot, queue, queued, next, unreadable } };
  const draft = extended<Snapshot>(undecided, { steps: holds, wakesMs: [dueAtMs] });
  const whole = nodes.snapshot.pool.closing
    ? extended(draft, failed(draft.snapshot))
    : jobPhases.reduce<Draft<Snapshot>>((before, phase) => extended(before, phase(before)), draft);
  const { steps, wakesMs, packed } = whole;
  const aheadMs = wakesMs.filter((atMs) => atMs > nodes.snapshot.nowMs);
  return { steps, wakeAtMs: earliest(wakesMs), laterAtMs: earliest(aheadMs), ...packed };
}

const earliest = (timesMs: readonly number[]): number | undefined => (timesMs.length > 0 ? Math.min(...timesMs) : undefined);

/**
 * Adds what a phase has decided, without the steps that rest because they failed a moment ago. If all of them rest, the phase has nothing to
 * decide right after them.
 */
function extended<S extends NodeSnapshot>(draft: Draft<S>, { steps: wanted = [], wakesMs = [], ...replaced }: Decided): Draft<S> {
  const { snapshot } = draft;
  const { steps, holds, dueAtMs } = withoutResting(wanted, snapshot);
  const isAtRest = wanted.length > 0 && steps.length === 0;
  const wakes = [...wakesMs, dueAtMs].filter((atMs) => atMs !== undefined);
  return {
    ...draft,
    ...replaced,
    steps: [...draft.steps, ...steps, ...holds],
    wakesMs: [...draft.wakesMs, ...(isAtRest ? wakes.filter((atMs) => atMs > snapshot.nowMs) : wakes)],
  };
}

function healBreakers({ snapshot }: NodeDecision): Decided {
  return { steps: heal(snapshot) };
}

function buryDead({ snapshot, nodes }: NodeDecision): Decided {
  const { steps, wakesMs } = bury(snapshot);
  const ended = nodesOf(steps.filter(({ kind }) => kind !== "confirm"));
  return { steps, wakesMs, nodes: nodes.filter(({ id }) => !ended.has(id)) };
}

function endOverdue({ snapshot, nodes }: NodeDecision): Decided {
  const steps = overdueNodes(nodes, snapshot);
  const ended = new Set(steps.map(({ node }) => node));
  return { steps, nodes: nodes.filter(({ id }) => !ended.has(id)) };
}

function retireOld({ snapshot: { pool, nowMs }, nodes }: NodeDecision): Decided {
  const { steps, leaving, wakeAtMs } = lifetimes(nodes, pool, nowMs);
  return {
    steps,
    nodes: nodes.filter(({ id }) => !leaving.has(id)),
    drainsLeft: roomToDisrupt(nodes, pool) - steps.filter(({ kind }) => kind === "drain").length,
    wakesMs: [wakeAtMs],
  };
}

function drainOrdered({ snapshot, nodes, steps: planned }: NodeDecision): Decided {
  const certain = withoutDoubt(nodes, planned);
  const { steps: drains, wakesMs } = orderedDrains(certain, snapshot);
  const dropped = droppedDrains(certain, snapshot);
  const steps = [...drains, ...dropped];
  const decided = nodesOf(steps);
  // Nodes whose drain is dropped can be used by the next decision.
  return { steps, wakesMs: dropped.length > 0 ? [...wakesMs, snapshot.nowMs] : wakesMs, nodes: nodes.filter(({ id }) => !decided.has(id)) };
}

function drainUnaffordable({ snapshot, budget, nodes }: NodeDecision): Decided {
  const { steps, leaving, wakesMs } = drainSpent(nodes, budget, snapshot);
  return { steps, wakesMs, nodes: nodes.filter(({ id }) => !leaving.has(id)) };
}

function spareSilent({ snapshot, nodes, steps: planned }: NodeDecision): Decided {
  const { nowMs } = snapshot;
  const decided = nodesOf(planned);
  const undecided = snapshot.nodes.filter(({ id }) => !decided.has(id));
  return { steps: lookUps(undecided, snapshot), nodes: nodes.filter((node) => isResponsive(node, nowMs)) };
}

function endUnaffordable({ budget, nodes, steps: planned }: NodeDecision): Decided {
  const steps = unaffordableNodes(withoutDoubt(nodes, planned), budget);
  const ended = nodesOf(steps);
  return { steps, nodes: nodes.filter(({ id }) => !ended.has(id)) };
}

function spareCordoned({ snapshot: { overrides }, nodes }: NodeDecision): Decided {
  const isCordoned = ({ id }: Node): boolean => orderOf(overrides, id) !== undefined;
  return { nodes: nodes.filter((node) => !isCordoned(node)), cordoned: nodes.filter(isCordoned) };
}

function placeWaiting({ snapshot, budget, nodes }: Draft<Snapshot>): Decided {
  const paused = whyPaused(snapshot);
  const placed = paused === undefined ? firstFit(snapshot, nodes, budget) : holdAll(snapshot, paused);
  const { steps, bound, isWhole, packed, wakeAtMs } = placed;
  return {
    steps,
    forJobs: nodes,
    // If not all jobs had their turn, the next plan may need the nodes that this one leaves empty.
    nodes: isWhole ? nodes.filter(({ id }) => !bound.has(id)) : [],
    packed,
    wakesMs: [wakeAtMs, ...snapshot.openLaunches.map((launch) => checkAgainAtMs(launch, snapshot.nowMs))],
  };
}

function startAtOnce({ snapshot, budget, nodes, kept }: Draft<Snapshot>): Decided {
  if (isPaused(snapshot.overrides)) return {};
  const { steps, touched, isAll } = startSooner(
    snapshot,
    nodes.filter(({ id, team }) => !kept.has(id) && usedUpFor(budget, team).length === 0),
  );
  return { steps, nodes: nodes.filter(({ id }) => !touched.has(id)), wakesMs: [isAll ? undefined : snapshot.nowMs] };
}

function replaceLeaving({ snapshot, budget, nodes, steps: planned }: Draft<Snapshot>): Decided {
  // In a paused pool, the work that leaves is not placed again.
  if (isPaused(snapshot.overrides)) return { wakesMs: [nextEndOfDrain(snapshot)] };
  const free = nodes.filter(({ assignments }) => assignments.length === 0);
  return { ...replacements(snapshot, { planned, free, budget }), wakesMs: [nextEndOfDrain(snapshot)] };
}

function keepMinimum({ snapshot, budget, steps: planned, waiting, forJobs }: Draft<Snapshot>): Decided {
  if (minimumOf(snapshot) === 0) return {};
  const jobs = roomForJobs(snapshot, { queue: waiting, nodes: forJobs, planned });
  return { steps: minimumLaunches(snapshot, { planned, budget, jobs }), roomForJobs: jobs };
}

function consolidate({ snapshot, budget, nodes, drainsLeft, steps: planned }: Draft<Snapshot>): Decided {
  const { queue, openLaunches, pool, nowMs, overrides } = snapshot;
  const isWanted = isPaused(overrides) || queue.length > 0 || openLaunches.length > 0 || budget.usedUp !== undefined;
  // A team whose budget is used up could not start again what is moved.
  const affordable = nodes.filter(({ team }) => usedUpFor(budget, team).length === 0);
  const most = Math.min(drainsLeft, beyondMinimum(snapshot, planned));
  return isWanted ? {} : { steps: consolidation(affordable, pool, { nowMs, most }) };
}

function giveBackIdle({ snapshot, budget, nodes, cordoned, kept, steps: planned, roomForJobs: jobs }: Draft<Snapshot>): Decided {
  const { steps, wakeAtMs } = idleNodes(
    [...nodes, ...cordoned].filter(({ id, team }) => !kept.has(id) && usedUpFor(budget, team).length === 0),
    snapshot.pool,
    snapshot.nowMs,
  );
  if (!jobs || steps.length === 0) return { steps, wakesMs: [wakeAtMs] };
  return { steps: withoutKept(steps, snapshot, { planned, short: shortFor(jobs, snapshot, { planned, budget }) }), wakesMs: [wakeAtMs] };
}

function awaitExpiry({ snapshot: { overrides, widerOverrides, queue, nodes, nowMs } }: Draft<Snapshot>): Decided {
  // A pool that is empty may have to keep nodes again.
  if (queue.length + nodes.length === 0 && !overrides?.settings?.minNodes) return {};
  return { wakesMs: [nextExpiryMs([overrides, widerOverrides].flatMap(allSettings), nowMs)] };
}

const allSettings = ({ settings, teams = {} }: Pick<Overrides, "settings" | "teams"> = {}) => [settings, ...Object.values(teams)];

/** Returns the nodes without those that this plan looks up, because only one step of a plan may be about a node. */
function withoutDoubt(nodes: readonly Node[], planned: readonly Step[]): readonly Node[] {
  const inDoubt = nodesOf(planned.filter(({ kind }) => kind === "confirm"));
  return nodes.filter(({ id }) => !inDoubt.has(id));
}

const nodesOf = (steps: readonly Step[]): ReadonlySet<string> => new Set(steps.flatMap((step) => ("node" in step ? step.node : [])));
