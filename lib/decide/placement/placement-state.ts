import { type Breaker, breakers } from "../../model/breaker.ts";
import type { QueueEntry } from "../../model/job.ts";
import type { LimitScope } from "../../model/limits.ts";
import type { Node } from "../../model/node.ts";
import type { InstanceType, Offer } from "../../model/offer.ts";
import type { Snapshot } from "../../model/plan.ts";
import type { Pool } from "../../model/pool.ts";
import { less, plus } from "../../model/reservations.ts";
import { own } from "../../model/values/own.ts";
import type { BudgetRoom } from "../budget/budget-room.ts";
import { type CapacityView, capacityView } from "../capacity/capacity-view.ts";
import type { OfferStatus } from "../capacity/cooldown.ts";
import { mayTry, triedBy } from "../health/breaker.ts";
import { allowed, nearestLimit } from "../limits/allowance.ts";
import { type AvailableOffers, availableOffers, type Bundle, emptyBundle, extended } from "./bundles.ts";
import { type FreeCapacity, freeCapacityOf, hasRoom, occupy } from "./free-capacity.ts";
import { gangRooms, isGang, wantedByGangs } from "./gangs.ts";
import { type KindOf, kindsIn } from "./kinds.ts";
import { after, type Leeway, leewayOf, leftByPool, leftFor } from "./leeway.ts";

/** The most bundles of one decision: about ten launches if jobs are alike. The next decision follows at once. */
const maxBundles = 400;
/** The most unlike bundles that one job is tried with. */
const maxTries = 40;

/** `nodes`: one, or a gang's. */
export type PlacementResult = { readonly nodes: readonly Node[] } | "bundled" | Miss;
/**
 * `nothing`: no offer is available. `limit`, `team-limit`, `deployment-limit`: beyond the limits of the pool, the team or the deployment.
 * `budget`, `team-budget`: within them, but the budgets of the pool or of the team do not pay for it. `later`: this decision already launches enough.
 */
export type Miss = "nothing" | "limit" | "team-limit" | "deployment-limit" | "budget" | "team-budget" | "later";

/** The placement state for those who must not change it. */
export type PlacementView = Omit<PlacementState, "place">;

/**
 * What is left while jobs are placed one after another: free room on nodes, bundles to be launched, and what these may still reserve.
 * Only `place` changes it.
 */
export class PlacementState {
  /** What EC2 has refused, and what cools down because of it. */
  readonly capacity: CapacityView;
  /** Instance types in zones that do not boot at the moment. */
  readonly broken: readonly Breaker[];
  readonly budget: BudgetRoom;
  /** Returns what can be requested now for `count` nodes at once. */
  readonly availableFor: (count: number) => AvailableOffers;
  readonly kindOf: KindOf;
  readonly #pool: Pool;
  readonly #free: readonly FreeCapacity[];
  /** Nodes that single-node jobs should leave to gangs if they can. */
  readonly #wanted: ReadonlySet<string>;
  /** The broken places that this decision tries again, each with one launch only. */
  readonly #tried = new Set<string>();
  readonly #bundles: Bundle[] = [];
  readonly #likeness: Likeness;
  #leeway: Leeway;

  /** `nodes`: those that may get work. `queue`: the jobs that will be placed. `budget`: what budgets leave before this plan. */
  constructor(snapshot: Snapshot, nodes: readonly Node[], { queue, budget }: { queue: readonly QueueEntry[]; budget: BudgetRoom }) {
    this.capacity = capacityView(snapshot.refusals, snapshot.nowMs);
    this.broken = breakers(snapshot);
    this.budget = budget;
    this.availableFor = availableByCount(snapshot, { capacity: this.capacity, broken: this.broken, tried: this.#tried });
    this.#pool = snapshot.pool;
    this.#free = freeCapacityOf(nodes);
    this.kindOf = kindsIn(snapshot);
    this.#likeness = new Likeness(this.kindOf);
    this.#wanted = wantedByGangs(queue, this.#free, this.kindOf);
    this.#leeway = leewayOf(snapshot, this.budget);
  }

  /** Jobs that will share new nodes, in the order of their first jobs. */
  get bundles(): readonly Bundle[] {
    return this.#bundles;
  }

  /** What launches may reserve in addition to the bundles. */
  get leeway(): Leeway {
    return this.#leeway;
  }

  /** Returns where the job goes, and takes what it needs. */
  place(entry: QueueEntry): PlacementResult {
    if (this.budget.usedUp) return "budget";
    if (!this.#pool.shared && own(this.budget.teams, entry.team)?.usedUp) return "team-budget";
    const rooms = this.#roomsFor(entry);
    if (!rooms) return this.#bundle(entry);
    for (const room of rooms) occupy(room, entry);
    return { nodes: rooms.map(({ node }) => node) };
  }

  /** Returns rooms on existing nodes for the whole job, or undefined. */
  #roomsFor(entry: QueueEntry): readonly FreeCapacity[] | undefined {
    if (isGang(entry)) return gangRooms(entry, this.#free);
    const free = (room: FreeCapacity): boolean => hasRoom(room, entry);
    const unwanted = this.#wanted.size > 0 ? this.#free.find((room) => !this.#wanted.has(room.node.id) && free(room)) : undefined;
    const room = unwanted ?? this.#free.find(free);
    return room && [room];
  }

  /** Adds the job to a bundle, or begins one. */
  #bundle(entry: QueueEntry): "bundled" | Miss {
    const team = this.#pool.shared ? undefined : entry.team;
    const empty = emptyBundle(team, this.availableFor(entry.nodes), entry.nodes);
    const alone = extended(empty, entry, leftFor(team, this.#leeway));
    if (alone === "nothing") return "nothing";
    if (!isGang(entry) && this.#joins(entry, { team, aloneUsd: alone === "limit" ? Number.POSITIVE_INFINITY : alone.usdPerHour })) {
      return "bundled";
    }
    if (alone === "limit") {
      const { allowance } = this.#leeway;
      const fits = (room: Bundle["reserved"]): boolean => extended(empty, entry, room) !== "limit";
      if (!fits(allowed(allowance, team))) return missOf[nearestLimit(allowance, team, fits)];
      return fits(leftByPool(team, this.#leeway)) ? "team-budget" : "budget";
    }
    if (this.#bundles.length >= maxBundles) return "later";
    this.#grow(this.#bundles.length, { before: empty, bundle: alone, entry });
    return "bundled";
  }

  /** Adds the job to the first bundle of its team if that costs less than a node of its own; reports whether one was found. */
  #joins(entry: QueueEntry, { team, aloneUsd }: { team: string | undefined; aloneUsd: number }): boolean {
    const tried = new Set<number>();
    for (const [index, open] of this.#bundles.entries()) {
      if (open.count > 1 || open.team !== team) continue;
      const like = this.#likeness.of(open);
      if (tried.has(like)) continue;
      if (tried.size >= maxTries) return false;
      tried.add(like);
      const shared = extended(open, entry, plus(leftFor(team, this.#leeway), open.reserved));
      if (typeof shared !== "object" || shared.usdPerHour - open.usdPerHour >= aloneUsd) continue;
      // The bundle's offers are from before another one began to try some of their places.
      const before = triedBy(open.offers, this.broken);
      if (triedBy(shared.offers, this.broken).some((name) => this.#tried.has(name) && !before.includes(name))) continue;
      this.#grow(index, { before: open, bundle: shared, entry });
      return true;
    }
    return false;
  }

  /** Puts at `index` the bundle that `before` has become with one more job, and takes what it reserves in addition. */
  #grow(index: number, { before, bundle, entry }: { before: Bundle; bundle: Bundle; entry: QueueEntry }): void {
    this.#leeway = after(this.#leeway, bundle.team, less(bundle.reserved, before.reserved));
    this.#bundles[index] = bundle;
    for (const name of triedBy(bundle.offers, this.broken)) this.#tried.add(name);
    this.#likeness.note(bundle, { before, entry });
  }
}

const missOf: Readonly<Record<LimitScope, Miss>> = { pool: "limit", team: "team-limit", deployment: "deployment-limit" };

type Tried = Pick<PlacementState, "capacity" | "broken"> & { readonly tried: ReadonlySet<string> };

/** An offer that was refused for many nodes may still be available for fewer. One that does not boot is tried again now and then. */
function availableByCount({ catalogue }: Snapshot, { capacity, broken, tried }: Tried): (count: number) => AvailableOffers {
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

/**
 * Distinguishes bundles by how they would take another job, so that a job tries each kind of bundle only once. Bundles are alike if they
 * hold jobs of the same kinds, added in the same order, and cost and reserve the same.
 */
class Likeness {
  readonly #kindOf: KindOf;
  readonly #numbers = new Map<string, number>();
  readonly #known = new WeakMap<Bundle, number>();

  constructor(kindOf: KindOf) {
    this.#kindOf = kindOf;
  }

  /** Returns the same number for bundles that are alike; 0 for one without jobs. */
  of(bundle: Bundle): number {
    return this.#known.get(bundle) ?? 0;
  }

  /** Records that `bundle` is `before` with one more job. */
  note(bundle: Bundle, { before, entry }: { readonly before: Bundle; readonly entry: QueueEntry }): void {
    const { usdPerHour, reserved } = bundle;
    const key = JSON.stringify([this.of(before), this.#kindOf(entry), usdPerHour, reserved.usdPerHour, reserved.gpus]);
    const number = this.#numbers.get(key) ?? this.#numbers.size + 1;
    this.#numbers.set(key, number);
    this.#known.set(bundle, number);
  }
}
