import { byTurn, jobName, type QueueEntry } from "../../model/job.ts";
import type { Reservation } from "../../model/launch.ts";
import type { Node } from "../../model/node.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import { isWithin, plus, reservedBy, times } from "../../model/reservations.ts";
import { offersFor } from "../../model/wants.ts";
import { beingLaunched } from "../launches/open-launch.ts";
import { allowed, unreserved } from "../limits/allowance.ts";
import { freeCapacityOf, hasRoom, occupy } from "../placement/free-capacity.ts";
import { gangRooms, isGang } from "../placement/gangs.ts";
import { kindsIn } from "../placement/kinds.ts";

/**
 * The most that jobs of a shared pool may have to reserve for nodes of their own. It depends on neither what EC2 has refused nor what failed a
 * moment ago, so that what is left to others does not change with these.
 */
export type RoomForJobs = {
  /** For jobs that no node has room for, and for which no launch is planned or open: for example because all offers rest. */
  readonly waiting: Reservation;
  /** For jobs for which a launch is planned or open. If EC2 refuses it, the next one may be for a more expensive offer. */
  readonly launching: Reservation;
};

/** `queue`: all jobs, also those that rest. `nodes`: those that may get work, as they were before the plan. `planned`: without the steps that rest. */
export function roomForJobs(
  snapshot: Snapshot,
  { queue, nodes, planned }: { queue: readonly QueueEntry[]; nodes: readonly Node[]; planned: readonly Step[] },
): RoomForJobs {
  const open = beingLaunched(snapshot);
  const launched = new Set(planned.flatMap((step) => (step.kind === "launch" ? step.launch.jobs.map(jobName) : [])));
  const leaving = new Set(
    planned.flatMap((step) => (step.kind === "move" ? jobName(step.entry) : step.kind === "fail" ? jobName(step.attempt) : [])),
  );
  const kindOf = kindsIn(snapshot);
  const isPlaced = placer(nodes, kindOf);
  const mostOf = mostFor(snapshot);
  const mostByKind = new Map<string, Reservation>();
  const sums = { waiting: nothing, launching: nothing };
  for (const entry of queue.toSorted(byTurn)) {
    const name = jobName(entry);
    if (leaving.has(name)) continue;
    const isLaunched = launched.has(name) || open.has(name);
    if (!isLaunched && isPlaced(entry)) continue;
    const kind = kindOf(entry);
    const most = mostByKind.get(kind) ?? mostOf(entry);
    mostByKind.set(kind, most);
    const to = isLaunched ? "launching" : "waiting";
    sums[to] = plus(sums[to], most);
  }
  return sums;
}

/** Returns a function that puts a job on nodes if they have room, and reports whether they have. */
function placer(nodes: readonly Node[], kindOf: (entry: QueueEntry) => string): (entry: QueueEntry) => boolean {
  const free = freeCapacityOf(nodes);
  // If one job does not fit, neither does the next of its kind, because what is left only shrinks.
  const inVain = new Set<string>();
  return (entry) => {
    const kind = kindOf(entry);
    if (inVain.has(kind)) return false;
    const one = isGang(entry) ? undefined : free.find((room) => hasRoom(room, entry));
    const rooms = isGang(entry) ? gangRooms(entry, free) : one && [one];
    for (const room of rooms ?? []) occupy(room, entry);
    if (!rooms) inVain.add(kind);
    return rooms !== undefined;
  };
}

/**
 * Returns a function that returns the most that a job may have to reserve: the dollars of its most expensive offer and the GPUs of its largest
 * one. Offers that limits or budgets would exclude even if nothing were reserved do not count, so a job that no offer can ever hold needs nothing.
 */
function mostFor(snapshot: Snapshot): (entry: QueueEntry) => Reservation {
  const { catalogue, pool } = snapshot;
  const { usdPerDay = Number.POSITIVE_INFINITY, usdPerMonth = Number.POSITIVE_INFINITY } = pool.budgets ?? {};
  const limits = allowed(unreserved(snapshot), undefined);
  const most = { ...limits, usdPerHour: Math.min(limits.usdPerHour, usdPerDay, usdPerMonth) };
  return (entry) =>
    (catalogue ? offersFor(entry, catalogue) : [])
      .map((bought) => times(entry.nodes, reservedBy(bought)))
      .filter((reservation) => isWithin(reservation, most))
      .reduce((a, b) => ({ usdPerHour: Math.max(a.usdPerHour, b.usdPerHour), gpus: Math.max(a.gpus, b.gpus) }), nothing);
}

const nothing: Reservation = { usdPerHour: 0, gpus: 0 };
