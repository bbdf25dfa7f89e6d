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
import { type CapacityView, capacityView } from "../capacity/capacity-view.ts";
import type { OfferStatus } from "../capacity/cooldown.ts";
import { mayTry, triedBy } from "../health/breaker.ts";
import { type Allowance, allowanceOf, allowed, nearestLimit, without } from "../limits/allowance.ts";
import type { Least } from "../limits/in-words.ts";
import { type AvailableOffers, availableOffers, type Bundle, emptyBundle, extended } from "./bundles.ts";
import { type FreeCapacity, freeCapacityOf, hasRoom, kindOf, occupy } from "./free-capacity.ts";
import { gangRooms, isGang, wantedByGangs } from "./gangs.ts";

/** The most bundles of one decision: about ten launches if jobs are alike. The next decision follows at once. */
const maxBundles = 400;
/** The most unlike bundles that one job is tried with. */
const maxTries = 40;

/** What is left while jobs are placed one after another. */
export type PlacementState = {
  readonly pool: Pool;
  readonly free: readonly FreeCapacity[];
  /** Nodes that single-node jobs should leave to gangs if they can. */
  readonly wanted: ReadonlySet<string>;
  /** What EC2 has refused, and what cools down because of it. */
  readonly capacity: CapacityView;
  /** Returns what can be requested now for `count` nodes at once. */
  readonly availableFor: (count: number) => AvailableOffers;
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
export type PlacementResult = { readonly nodes: readonly Node[] } | "bundled" | Miss;
/**
 * `nothing`: no offer is available. `limit`, `team-limit`, `deployment-limit`: beyond the limits of the pool, the team or the deployment.
 * `budget`: within them, but the pool's budgets do not pay for it. `later`: this decision already launches enough.
 */
export type Miss = "nothing" | "limit" | "team-limit" | "deployment-limit" | "budget" | "later";

export function placementStateOf(snapshot: Snapshot, nodes: readonly Node[], queue: readonly QueueEntry[]): PlacementState {
  const free = freeCapacityOf(nodes);
  const broken = breakers(snapshot);
  const tried = new Set<string>();
  const budget = budgetRoom(snapshot);
  const capacity = capacityView(snapshot.refusals, snapshot.nowMs);
  return {
    pool: snapshot.pool,
    free,
    wanted: wantedByGangs(queue, free),
    capacity,
    availableFor: availableByCount(snapshot, { capacity, broken, tried }),
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
function availableByCount(
  { catalogue }: Snapshot,
  { capacity, broken, tried }: Pick<PlacementState, "capacity" | "broken" | "tried">,
): (count: number) => AvailableOffers {
  const made = new Map<string, AvailableOffers>();
  return (count) => {
    const mayBeTried = mayTry(broken, tried);
    const statusOf = (offer: Offer, type: InstanceType): OfferStatus =>
      mayBeTried(offer) ? capacity.status({ offer, type, count }) : "cooling-down";
    // The number of tried places identifies them, because places are only ever added.
    const name = `${count} ${tried.size}`;
    const known = made.get(name) ?? availableOffers(catalogue?.types ?? [], catalogue?.offers ?? [], statusOf);
    made.set(name, known);
    return known;
  };
}

/** Returns where the job goes, and takes what it needs off the free capacity. */
export function find(entry: QueueEntry, state: PlacementState): PlacementResult {
  if (state.budget.usedUp) return "budget";
  const rooms = roomsFor(entry, state);
  if (!rooms) return toBeLaunched(entry, state);
  for (const room of rooms) occupy(room, entry);
  return { nodes: rooms.map(({ node }) => node) };
}

/** Returns rooms on existing nodes for the whole job, or undefined. */
function roomsFor(entry: QueueEntry, state: PlacementState): readonly FreeCapacity[] | undefined {
  if (isGang(entry)) return gangRooms(entry, state.free);
  const free = (room: FreeCapacity): boolean => hasRoom(room, entry);
  const unwanted = state.wanted.size > 0 ? state.free.find((room) => !state.wanted.has(room.node.id) && free(room)) : undefined;
  const room = unwanted ?? state.free.find(free);
  return room && [room];
}

function toBeLaunched(entry: QueueEntry, state: PlacementState): "bundled" | Miss {
  const team = state.pool.shared ? undefined : entry.team;
  const empty = emptyBundle(team, state.availableFor(entry.nodes), entry.nodes);
  const alone = extended(empty, entry, left(state, team));
  if (alone === "nothing") return "nothing";
  if (!isGang(entry) && joins(entry, state, { team, aloneUsd: alone === "limit" ? Number.POSITIVE_INFINITY : alone.usdPerHour })) {
    return "bundled";
  }
  if (alone === "limit") {
    const fits = (room: Reservation): boolean => extended(empty, entry, room) !== "limit";
    return fits(allowed(state.allowance, team)) ? "budget" : missOf[nearestLimit(state.allowance, team, fits)];
  }
  if (state.bundles.length >= maxBundles) return "later";
  reserve(state, team, alone.reserved);
  state.bundles.push(alone);
  for (const name of triedBy(alone.offers, state.broken)) state.tried.add(name);
  state.likeness.note(alone, { before: empty, entry });
  return "bundled";
}

/**
 * Returns the cheapest node that can be requested, and what it would reserve for the job alone, or for all nodes of a gang. An offer
 * that would exceed `most`, the limits themselves, counts only if there is no other.
 */
export function cheapestFor(entry: QueueEntry, state: PlacementState, most: Reservation): Least {
  const empty = emptyBundle(undefined, state.availableFor(entry.nodes), entry.nodes);
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
export function left({ allowance, affordableUsd }: PlacementState, team: string | undefined): Reservation {
  const byLimits = allowed(allowance, team);
  return { ...byLimits, usdPerHour: Math.min(byLimits.usdPerHour, affordableUsd) };
}

/** Takes `reserved` off what the limits and budgets leave; a negative amount is given back. */
export function reserve(state: PlacementState, team: string | undefined, reserved: Reservation): void {
  state.allowance = without(state.allowance, team, reserved);
  state.affordableUsd = exactly(state.affordableUsd - reserved.usdPerHour);
}

/** Adds the job to the first bundle of its team if that costs less than a node of its own; reports whether one was found. */
function joins(entry: QueueEntry, state: PlacementState, { team, aloneUsd }: { team: string | undefined; aloneUsd: number }): boolean {
  const tried = new Set<number>();
  for (const [index, open] of state.bundles.entries()) {
    if (open.count > 1 || open.team !== team) continue;
    const like = state.likeness.of(open);
    if (tried.has(like)) continue;
    if (tried.size >= maxTries) return false;
    tried.add(like);
    const shared = extended(open, entry, plus(left(state, team), open.reserved));
    if (typeof shared !== "object" || shared.usdPerHour - open.usdPerHour >= aloneUsd) continue;
    // The bundle's offers are from before another one began to try some of their places.
    const before = triedBy(open.offers, state.broken);
    const tries = triedBy(shared.offers, state.broken);
    if (tries.some((name) => state.tried.has(name) && !before.includes(name))) continue;
    reserve(state, team, less(shared.reserved, open.reserved));
    state.bundles[index] = shared;
    for (const name of tries) state.tried.add(name);
    state.likeness.note(shared, { before: open, entry });
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
