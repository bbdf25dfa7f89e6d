import { ordinalOf } from "../../model/job.ts";
import type { Assignment, Node } from "../../model/node.ts";
import type { Step } from "../../model/plan.ts";
import type { Pool } from "../../model/pool.ts";
import { dollars } from "../../model/values/amount.ts";
import { fits, sum } from "../../model/values/resources.ts";
import { allows } from "../../model/wants.ts";
import { placesOf } from "../placement/bundles.ts";
import { type FreeCapacity, freeCapacityOf, occupy } from "../placement/free-capacity.ts";

type DrainStep = Extract<Step, { kind: "drain" }>;

/** The savings must be worth this many times the loss, because both are estimates, and a job that starts again also waits. */
const margin = 2;

/**
 * Drains nodes whose work fits into the free room of other nodes, which stay because of their own work: at most `most`, the most
 * expensive first.
 * A program that is stopped starts from the beginning, so the move must pay. How long work will still run is unknown; the estimate is that
 * it will run as long again as it has. So a node saves its price for the time since anything changed on it, and loses
 * the share of its price that is in use, for as long as it has worked. A job that has started again before stays, because nothing should
 * move twice. So do gangs, jobs that have not started, uploads, and jobs that would have to fetch their data again.
 *
 * `nodes`: those that work and get nothing in this plan. The caller must make sure that nothing waits for the free room.
 */
export function consolidation(nodes: readonly Node[], pool: Pool, { nowMs, most }: { nowMs: number; most: number }): readonly DrainStep[] {
  const { consolidateSeconds } = pool;
  if (consolidateSeconds === undefined) return [];
  const working = nodes.filter(({ state, assignments }) => state === "ready" && assignments.length > 0);
  let rooms = freeCapacityOf(working);
  const kept = new Set<string>();
  const steps: DrainStep[] = [];
  const candidates = working
    .filter((node) => nowMs - node.lastBusyMs >= consolidateSeconds * 1000 && node.assignments.every(mayMove) && pays(node, nowMs))
    .toSorted((a, b) => b.offer.usdPerHour - a.offer.usdPerHour || (a.id < b.id ? -1 : 1));
  for (const node of candidates) {
    if (steps.length >= most) break;
    if (kept.has(node.id)) continue;
    const left = withoutRoom(rooms, node);
    const hosts = hostsOf(node, left);
    if (!hosts) continue;
    rooms = left;
    for (const id of hosts) kept.add(id);
    steps.push({
      kind: "drain",
      node: node.id,
      untilMs: nowMs + pool.drainSeconds * 1000,
      hasRoom: true,
      because: `what runs on it has room on ${[...hosts].sort().join(" and ")}, and ${dollars(node.offer.usdPerHour)}/h is saved`,
    });
  }
  return steps;
}

const mayMove = ({ attempt, phase, rank }: Assignment): boolean => ordinalOf(attempt) === 1 && phase === "running" && rank === undefined;

function pays({ assignments, type: { resources }, readyAtMs, launchedAtMs, lastBusyMs }: Node, nowMs: number): boolean {
  const used = sum(assignments.map(({ needs }) => needs));
  const shares = [used.vcpus / resources.vcpus, used.memoryGiB / resources.memoryGiB, used.gpus / Math.max(1, resources.gpus)];
  return nowMs - lastBusyMs >= margin * Math.max(...shares) * (nowMs - (readyAtMs ?? launchedAtMs));
}

/** Returns a copy of the rooms without this node's; taking places in it does not change the original. */
const withoutRoom = (rooms: readonly FreeCapacity[], node: Node): readonly FreeCapacity[] =>
  rooms.filter((room) => room.node.id !== node.id).map((room) => ({ ...room }));

/** Finds nodes for all that this node holds, the largest first, and takes the places from `rooms`; undefined if not all of it fits. */
function hostsOf(node: Node, rooms: readonly FreeCapacity[]): ReadonlySet<string> | undefined {
  const hosts = new Set<string>();
  for (const held of node.assignments.toSorted(bySize)) {
    const room = rooms.find((each) => maySwitch(held, each.node) && each.places >= placesOf(held) && fits(held.needs, each.free));
    if (!room) return undefined;
    occupy(room, held);
    hosts.add(room.node.id);
  }
  return hosts;
}

const bySize = ({ needs: a, ...one }: Assignment, { needs: b, ...other }: Assignment): number =>
  b.gpus - a.gpus || b.memoryGiB - a.memoryGiB || b.vcpus - a.vcpus || (one.job < other.job ? -1 : 1);

/** Reports whether the job may run on that node without fetching its data again. Its size is checked elsewhere. */
function maySwitch(held: Assignment, to: Node): boolean {
  const fetched = new Set(to.datasets?.filter((each) => each.team === held.team).map(({ dataset }) => dataset));
  return (
    (to.team === undefined || to.team === held.team) &&
    allows(held, to.offer, to.type) &&
    held.datasets.every(({ name }) => fetched.has(name))
  );
}
