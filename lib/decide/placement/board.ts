import { type Breaker, breakers } from "../../model/breaker.ts";
import type { QueueEntry } from "../../model/job.ts";
import type { Reservation } from "../../model/launch.ts";
import type { LimitScope } from "../../model/limits.ts";
import type { Node } from "../../model/node.ts";
import type { InstanceType, Offer } from "../../model/offer.ts";
import type { Snapshot } from "../../model/plan.ts";
import type { Pool } from "../../model/pool.ts";
import { exactly, less, plus, times } from "../../model/reservations.ts";
import { type BudgetRoom, budgetRoom } from "../budget/budget-room.ts";
import { type Outlook, outlook } from "../capacity/outlook.ts";
import type { Standing } from "../capacity/rest.ts";
import { mayTry, triedBy } from "../health/breaker.ts";
import { type Allowance, allowanceOf, allowed, nearestLimit, without } from "../limits/allowance.ts";
import type { Least } from "../limits/in-words.ts";
import { type Bundle, emptyBundle, extended, type Shelf, shelf } from "./bundles.ts";
import { gangRooms, isGang, wantedByGangs } from "./gangs.ts";
import { give, hasRoom, kindOf, type Room, roomsOf } from "./rooms.ts";

/** The most bundles of one decision: about ten launches if jobs are alike. The next decision follows at once. */
const mostBundles = 400;
/** The most unlike bundles that one job is tried with. */
const mostTries = 40;

/** What is left while jobs are placed one after another. */
export type Board = {
  readonly pool: Pool;
  readonly rooms: readonly Room[];
  /** Nodes that single-node jobs should leave to gangs if they can. */
  readonly wanted: ReadonlySet<string>;
  /** What EC2 has refused, and what rests because of it. */
  readonly seen: Outlook;
  /** Returns what can be requested now for `count` nodes at once. */
  readonly shelfFor: (count: number) => Shelf;
  /** Instance types in zones that do not boot at the moment. */
  readonly broken: readonly Breaker[];
  /** Those of them that this decision tries again, each with one launch only. */
  readonly tried: Set<string>;
  readonly bundles: Bundle[];
  readonly likeness: Likeness;
  readonly budget: BudgetRoom;
  /** What the limits leave. */
  allowance: Allowance;
  /** Dollars per hour that the pool's budgets leave. */
  affordableUsd: number;
};

/** `nodes`: one, or a gang's. */
export type Found = { readonly nodes: readonly Node[] } | "bundled" | Miss;
/**
 * `nothing`: no offer is available. `limit`, `team-limit`, `deployment-limit`: beyond the limits of the pool, the team or the deployment.
 * `budget`: within them, but the pool's budgets do not pay for it. `later`: this decision already launches enough.
 */
export type Miss = "nothing" | "limit" | "team-limit" | "deployment-limit" | "budget" | "later";

export function boardOf(snapshot: Snapshot, nodes: readonly Node[], queue: readonly QueueEntry[]): Board {
  const rooms = roomsOf(nodes);
  const broken = breakers(snapshot);
  const tried = new Set<string>();
  const budget = budgetRoom(snapshot);
  const seen = outlook(snapshot.refusals, snapshot.nowMs);
  return {
    pool: snapshot.pool,
    rooms,
    wanted: wantedByGangs(queue, rooms),
    seen,
    shelfFor: shelves(snapshot, { seen, broken, tried }),
    broken,
    tried,
    bundles: [],
    likeness: likeness(),
    budget,
    allowance: allowanceOf(snapshot),
    affordableUsd: budget.usdPerHour,
  };
}

/** An offer that was refused for many nodes may still be available for fewer. One that does not boot is tried again now and then. */
function shelves({ catalogue }: Snapshot, { seen, broken, tried }: Pick<Board, "seen" | "broken" | "tried">): (count: number) => Shelf {
  const made = new Map<string, Shelf>();
  return (count) => {
    const mayBeTried = mayTry(broken, tried);
    const standingOf = (offer: Offer, type: InstanceType): Standing =>
      mayBeTried(offer) ? seen.standing({ offer, type, count }) : "rests";
    // The number of tried places identifies them, because places are only ever added.
    const name = `${count} ${tried.size}`;
    const known = made.get(name) ?? shelf(catalogue?.types ?? [], catalogue?.offers ?? [], standingOf);
    made.set(name, known);
    return known;
  };
}

/** Returns where the job goes, and takes what it needs off the board. */
export function find(entry: QueueEntry, board: Board): Found {
  if (board.budget.usedUp) return "budget";
  const rooms = roomsFor(entry, board);
  if (!rooms) return toBeLaunched(entry, board);
  for (const room of rooms) give(room, entry);
  return { nodes: rooms.map(({ node }) => node) };
}

/** Returns rooms on existing nodes for the whole job, or undefined. */
function roomsFor(entry: QueueEntry, board: Board): readonly Room[] | undefined {
  if (isGang(entry)) return gangRooms(entry, board.rooms);
  const free = (room: Room): boolean => hasRoom(room, entry);
  const unwanted = board.wanted.size > 0 ? board.rooms.find((room) => !board.wanted.has(room.node.id) && free(room)) : undefined;
  const room = unwanted ?? board.rooms.find(free);
  return room && [room];
}

function toBeLaunched(entry: QueueEntry, board: Board): "bundled" | Miss {
  const team = board.pool.shared ? undefined : entry.team;
  const empty = emptyBundle(team, board.shelfFor(entry.nodes), entry.nodes);
  const alone = extended(empty, entry, left(board, team));
  if (alone === "nothing") return "nothing";
  if (!isGang(entry) && joins(entry, board, { team, aloneUsd: alone === "limit" ? Number.POSITIVE_INFINITY : alone.usdPerHour })) {
    return "bundled";
  }
  if (alone === "limit") {
    const fits = (room: Reservation): boolean => extended(empty, entry, room) !== "limit";
    return fits(allowed(board.allowance, team)) ? "budget" : missOf[nearestLimit(board.allowance, team, fits)];
  }
  if (board.bundles.length >= mostBundles) return "later";
  take(board, team, alone.reserved);
  board.bundles.push(alone);
  for (const name of triedBy(alone.offers, board.broken)) board.tried.add(name);
  board.likeness.note(alone, { before: empty, entry });
  return "bundled";
}

/**
 * Returns the cheapest node that can be requested, and what it would reserve for the job alone, or for all nodes of a gang. An offer
 * that would exceed `most`, the limits themselves, counts only if there is no other.
 */
export function leastFor(entry: QueueEntry, board: Board, most: Reservation): Least {
  const empty = emptyBundle(undefined, board.shelfFor(entry.nodes), entry.nodes);
  const within = extended(empty, entry, most);
  const alone =
    typeof within === "object" ? within : extended(empty, entry, { usdPerHour: Number.POSITIVE_INFINITY, gpus: Number.POSITIVE_INFINITY });
  const [cheapest] = typeof alone === "object" ? alone.holding.filter(({ offer }) => offer === alone.offers[0]) : [];
  if (!cheapest) return { instanceType: "unknown", asks: { usdPerHour: 0, gpus: 0 } };
  const { offer, type } = cheapest;
  return { instanceType: type.name, asks: times(entry.nodes, { usdPerHour: offer.usdPerHour, gpus: type.resources.gpus }) };
}

const missOf: Readonly<Record<LimitScope, Miss>> = { pool: "limit", team: "team-limit", deployment: "deployment-limit" };

/** Returns what a launch may reserve, by limits and budgets. */
export function left({ allowance, affordableUsd }: Board, team: string | undefined): Reservation {
  const byLimits = allowed(allowance, team);
  return { ...byLimits, usdPerHour: Math.min(byLimits.usdPerHour, affordableUsd) };
}

/** Takes `reserved` off what the limits and budgets leave; a negative amount is given back. */
export function take(board: Board, team: string | undefined, reserved: Reservation): void {
  board.allowance = without(board.allowance, team, reserved);
  board.affordableUsd = exactly(board.affordableUsd - reserved.usdPerHour);
}

/** Adds the job to the first bundle of its team if that costs less than a node of its own; reports whether one was found. */
function joins(entry: QueueEntry, board: Board, { team, aloneUsd }: { team: string | undefined; aloneUsd: number }): boolean {
  const tried = new Set<number>();
  for (const [index, open] of board.bundles.entries()) {
    if (open.count > 1 || open.team !== team) continue;
    const like = board.likeness.of(open);
    if (tried.has(like)) continue;
    if (tried.size >= mostTries) return false;
    tried.add(like);
    const shared = extended(open, entry, plus(left(board, team), open.reserved));
    if (typeof shared !== "object" || shared.usdPerHour - open.usdPerHour >= aloneUsd) continue;
    // The bundle's offers are from before another one began to try some of their places.
    const before = triedBy(open.offers, board.broken);
    const tries = triedBy(shared.offers, board.broken);
    if (tries.some((name) => board.tried.has(name) && !before.includes(name))) continue;
    take(board, team, less(shared.reserved, open.reserved));
    board.bundles[index] = shared;
    for (const name of tries) board.tried.add(name);
    board.likeness.note(shared, { before: open, entry });
    return true;
  }
  return false;
}

/** Distinguishes bundles by how they would take another job, so that a job tries each kind of bundle only once. */
type Likeness = {
  /** Returns the same number for bundles that are alike; 0 for one without jobs. */
  of(bundle: Bundle): number;
  /** Records that `bundle` is `before` with one more job. */
  note(bundle: Bundle, grown: { readonly before: Bundle; readonly entry: QueueEntry }): void;
};

/** Bundles are alike if they hold jobs of the same kinds, added in the same order, and cost and reserve the same. */
function likeness(): Likeness {
  const numbers = new Map<string, number>();
  const known = new WeakMap<Bundle, number>();
  const of = (bundle: Bundle): number => known.get(bundle) ?? 0;
  return {
    of,
    note(bundle, { before, entry }) {
      const { usdPerHour, reserved } = bundle;
      const key = JSON.stringify([of(before), kindOf(entry), usdPerHour, reserved.usdPerHour, reserved.gpus]);
      const number = numbers.get(key) ?? numbers.size + 1;
      numbers.set(key, number);
      known.set(bundle, number);
    },
  };
}
