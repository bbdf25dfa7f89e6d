import { byTurn, jobName, type QueueEntry } from "../../model/job.ts";
import type { Reservation } from "../../model/launch.ts";
import { freeOn, type Node } from "../../model/node.ts";
import { offerName } from "../../model/offer.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import type { Pool } from "../../model/pool.ts";
import { minus, type Resources } from "../../model/resources.ts";
import { type BudgetRoom, budgetRoom, whyOverBudget } from "../budget/budget-room.ts";
import { type Bundle, emptyBundle, extended, mostJobs, type Shelf, shelf } from "./bundles.ts";
import { whyTooLarge, whyUnsold } from "./impossible.ts";
import { holds } from "./match.ts";

/** Launches of one decision. EC2 answers in a second or two as a rule, and sixteen are asked for at a time. */
const mostLaunches = 40;

/** Jobs that one decision binds or fails: each is a transaction, and a run has 20 s. The next decision follows at once. */
const mostSteps = 1_000;
/** Jobs that one decision tells why they wait; the others are told by the next ones. */
const mostHolds = 500;

export type Placement = {
  readonly steps: readonly Step[];
  /** Nodes that were given something. */
  readonly bound: ReadonlySet<string>;
  /** When a job that waits could be placed though nothing else happens. */
  readonly wakeAtMs?: number | undefined;
};

/** What is left while jobs are placed one after the other. */
type Board = {
  readonly pool: Pool;
  readonly rooms: readonly { readonly node: Node; free: Resources; places: number }[];
  readonly shelf: Shelf;
  readonly bundles: Bundle[];
  readonly budget: BudgetRoom;
  /** What the pool may still reserve, by its limits and its budgets. */
  left: Reservation;
  /** Dollars per hour that the limits would leave on top of that. */
  readonly withheldUsd: number;
};

type Found = { readonly node: Node } | "bundled" | Miss;
/** `nothing`: no offer to be had. `limit`: not within the pool's limits. `budget`: within them, but its budgets do not pay for it. `later`: this decision launches enough already. */
type Miss = "nothing" | "limit" | "budget" | "later";
type Wait = { readonly miss: Miss; readonly because: string | undefined };

/**
 * Places waiting jobs, each in its turn, on the first of `nodes` that holds it, else together with others on a node
 * to be launched where that costs less than a node of its own. Jobs that cannot be placed are told why.
 */
export function firstFit(snapshot: Snapshot, nodes: readonly Node[]): Placement {
  const { catalogue, pool } = snapshot;
  const beingLaunched = new Set(snapshot.openLaunches.flatMap((launch) => launch.jobs.map(jobName)));
  const queue = snapshot.queue.filter((entry) => !beingLaunched.has(jobName(entry))).toSorted(byTurn);
  if (!catalogue) return withoutPrices(queue, snapshot.nowMs);

  const board = boardOf(snapshot, nodes);
  // What was in vain for one job is in vain for the next of its kind: the board only fills.
  const inVain = new Map<string, Wait>();
  const steps: Step[] = [];
  const holds: Step[] = [];
  const bound = new Set<string>();
  for (const entry of queue) {
    if (steps.length >= mostSteps) break;
    const tooLarge = whyTooLarge(entry, pool, catalogue.types);
    if (tooLarge) {
      steps.push({ kind: "fail", attempt: entry, because: tooLarge });
      continue;
    }
    const found = inVain.get(kindOf(entry)) ?? find(entry, board);
    if (found === "bundled") continue;
    if (typeof found === "object" && "node" in found) {
      bound.add(found.node.id);
      steps.push({ kind: "bind", entry, node: found.node.id, because: `${found.node.offer.instanceType} ${found.node.id} has room` });
      continue;
    }
    const wait =
      typeof found === "object"
        ? found
        : { miss: found, because: whyUnsold(entry, pool, catalogue) ?? whyHeld(found, { snapshot, budget: board.budget }) };
    inVain.set(kindOf(entry), wait);
    holds.push(...hold(entry, wait.because));
  }
  return {
    // Telling thousands why they wait must not make the first one wait for its node.
    steps: [...steps, ...board.bundles.map((each) => launchStep(each, pool)), ...holds.slice(0, mostHolds)],
    bound,
    wakeAtMs: wakeOf(new Set([...inVain.values()].map((wait) => wait.miss)), { snapshot, budget: board.budget, steps: steps.length }),
  };
}

/** A fresh deployment's first tick fetches prices; jobs that came before it are looked at again soon. */
function withoutPrices(queue: readonly QueueEntry[], nowMs: number): Placement {
  const steps = queue.flatMap((entry) => hold(entry, "prices are being fetched; that takes up to a minute")).slice(0, mostHolds);
  return { steps, bound: new Set(), wakeAtMs: queue.length > 0 ? nowMs + 2_000 : undefined };
}

function boardOf(snapshot: Snapshot, nodes: readonly Node[]): Board {
  const dry = new Set(snapshot.refusals.filter((refusal) => refusal.untilMs > snapshot.nowMs).map(offerName));
  const budget = budgetRoom(snapshot);
  const byLimits = less(snapshot.pool.limits, snapshot.reserved);
  const left = { ...byLimits, usdPerHour: Math.min(byLimits.usdPerHour, budget.usdPerHour) };
  return {
    pool: snapshot.pool,
    // Oldest first, so that the youngest fall idle and are given back.
    rooms: nodes
      .toSorted((a, b) => a.launchedAtMs - b.launchedAtMs || (a.id < b.id ? -1 : 1))
      .map((node) => ({ node, free: freeOn(node), places: mostJobs - node.assignments.length })),
    shelf: shelf(snapshot.catalogue?.types ?? [], snapshot.catalogue?.offers ?? [], (offer) => dry.has(offerName(offer))),
    bundles: [],
    budget,
    left,
    withheldUsd: exactly(byLimits.usdPerHour - left.usdPerHour),
  };
}

/** Where the job goes; takes what it needs off the board. */
function find(entry: QueueEntry, board: Board): Found {
  if (board.budget.usedUp) return "budget";
  const room = board.rooms.find(
    ({ node, free, places }) => places > 0 && (node.team === undefined || node.team === entry.team) && holds(node.type, free, entry),
  );
  if (room) {
    room.places -= 1;
    room.free = minus(room.free, entry.needs);
    return { node: room.node };
  }
  const team = board.pool.shared ? undefined : entry.team;
  const alone = extended(emptyBundle(team, board.shelf), entry, board.left);
  if (alone === "nothing") return "nothing";
  const aloneCosts = alone === "limit" ? Number.POSITIVE_INFINITY : alone.usdPerHour;
  for (const [index, open] of board.bundles.entries()) {
    if (open.team !== team) continue;
    const shared = extended(open, entry, plus(board.left, open.reserved));
    if (typeof shared !== "object" || shared.usdPerHour - open.usdPerHour >= aloneCosts) continue;
    board.left = less(plus(board.left, open.reserved), shared.reserved);
    board.bundles[index] = shared;
    return "bundled";
  }
  if (alone === "limit") {
    const withheld = { usdPerHour: board.withheldUsd, gpus: 0 };
    return extended(emptyBundle(team, board.shelf), entry, plus(board.left, withheld)) === "limit" ? "limit" : "budget";
  }
  if (board.bundles.length >= mostLaunches) return "later";
  board.left = less(board.left, alone.reserved);
  board.bundles.push(alone);
  return "bundled";
}

function launchStep(each: Bundle, pool: Pool): Step {
  const [cheapest] = each.offers;
  const jobs = each.entries.length;
  const because = `${jobs === 1 ? "a job waits" : `${jobs} jobs wait`}; ${cheapest?.instanceType} ${cheapest?.market} at $${each.usdPerHour}/h is the cheapest that holds ${jobs === 1 ? "it" : "them"}`;
  return {
    kind: "launch",
    because,
    launch: {
      pool: pool.name,
      team: each.team,
      market: cheapest?.market ?? "on-demand",
      offers: each.offers,
      types: each.types,
      jobs: each.entries.map(({ team, job }) => ({ team, job })),
      count: 1,
      reserved: each.reserved,
      because,
    },
  };
}

/** Undefined for a wait of seconds, which is not worth a write. */
function whyHeld(miss: Miss, of: { snapshot: Snapshot; budget: BudgetRoom }): string | undefined {
  const { pool, refusals, nowMs } = of.snapshot;
  switch (miss) {
    case "nothing": {
      const codes = [...new Set(refusals.filter(({ untilMs }) => untilMs > nowMs).map(({ code }) => code))].sort();
      return `EC2 gives no instance type that fits just now (${codes.join(", ")}); it is asked again within minutes`;
    }
    case "limit":
      return `pool ${pool.name} is at its limit of $${pool.limits.usdPerHour}/h and ${pool.limits.gpus} GPUs; the job starts when other work ends or the limit is raised`;
    case "budget":
      return whyOverBudget(of.budget, pool.name);
    case "later":
      return undefined;
  }
}

/** A hold, unless there is nothing to tell or the job knows already. */
const hold = (entry: QueueEntry, because: string | undefined): Step[] =>
  because === undefined || entry.reason === because ? [] : [{ kind: "hold", entry, because }];

function wakeOf(misses: ReadonlySet<Miss>, after: { snapshot: Snapshot; budget: BudgetRoom; steps: number }): number | undefined {
  const { refusals, nowMs } = after.snapshot;
  if (misses.has("later") || after.steps >= mostSteps) return nowMs;
  const budget = after.budget.usedUp ?? after.budget.tightest;
  const wakes = [
    ...(misses.has("nothing") ? refusals.map((refusal) => refusal.untilMs).filter((untilMs) => untilMs > nowMs) : []),
    ...(misses.has("budget") && budget ? [budget.renewsAtMs] : []),
  ];
  return wakes.length > 0 ? Math.min(...wakes) : undefined;
}

/** Jobs of one kind fit in the same places. */
const kindOf = ({ team, needs, gpu, spot }: QueueEntry): string =>
  JSON.stringify([team, needs.vcpus, needs.memoryGiB, needs.gpus, gpu, spot]);
/** Dollars count in millionths, as the ledger keeps them: 0.3 less 0.1 leaves room for 0.2. */
const exactly = (usd: number): number => Math.round(usd * 1e6) / 1e6;
const plus = (a: Reservation, b: Reservation): Reservation => ({
  usdPerHour: exactly(a.usdPerHour + b.usdPerHour),
  gpus: a.gpus + b.gpus,
});
const less = (a: Reservation, b: Reservation): Reservation => ({
  usdPerHour: exactly(a.usdPerHour - b.usdPerHour),
  gpus: a.gpus - b.gpus,
});
