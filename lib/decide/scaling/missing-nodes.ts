import { breakers } from "../../model/breaker.ts";
import type { Reservation } from "../../model/launch.ts";
import { type InstanceType, type Offer, offerName } from "../../model/offer.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import { isWithin, less, plus, times } from "../../model/reservations.ts";
import { cost } from "../../model/values/amount.ts";
import { isResting } from "../../model/values/back-off.ts";
import { subjectOf } from "../back-off/resting.ts";
import { type BudgetRoom, budgetRoom, usedUpFor } from "../budget/budget-room.ts";
import { usedUpInWords } from "../budget/why-over-budget.ts";
import { capacityView } from "../capacity/capacity-view.ts";
import { mayTry, triedBy } from "../health/breaker.ts";
import { isResponsive } from "../health/dead-nodes.ts";
import { allowed, nearestLimit } from "../limits/allowance.ts";
import { maxNodes } from "../placement/coalesce.ts";
import { leewayOf, leftFor } from "../placement/leeway.ts";
import { minimumOf, plannedLaunches, plannedRoom, usable } from "./minimum.ts";
import { type RoomForJobs, roomForJobs } from "./room-for-jobs.ts";

type LaunchStep = Extract<Step, { kind: "launch" }>;

/** `jobs`: what waiting jobs may need, and so is not taken for the minimum. */
type Given = { readonly planned: readonly Step[]; readonly budget: BudgetRoom; readonly jobs: RoomForJobs };

/**
 * Launches the nodes that are missing from the pool's minimum, as far as limits and budgets leave room in addition to `planned` and to what
 * waiting jobs may need: of the type and market that is cheapest among those that EC2 may have. What one launch cannot have is left to the
 * next decision. Nodes that boot, are being launched or cannot be read count, and so do those whose worker is silent, because we may be the ones
 * who do not hear.
 */
export function minimumLaunches(snapshot: Snapshot, of: Given): readonly LaunchStep[] {
  const found = missingNow(snapshot, of);
  return typeof found === "object" ? [found] : [];
}

/** A pool's minimum and how much of it is there. */
export type MinimumState = {
  readonly nodes: number;
  /** How many of them boot or are ready. */
  readonly there: number;
  /** What those cost. */
  readonly usdPerHour: number;
  /** What the others would cost at the cheapest offer; undefined if none are missing, or if prices are not known. */
  readonly missingUsdPerHour?: number | undefined;
  /** Why nodes are missing; undefined if none are. */
  readonly why?: string | undefined;
};

/** Returns the state of the pool's minimum; undefined if it has none. In a paused pool, it is what the pool keeps when it is resumed. */
export function minimumState(snapshot: Snapshot): MinimumState | undefined {
  const { pool, nowMs, queue } = snapshot;
  const nodes = minimumOf({ pool, overrides: undefined });
  if (nodes === 0) return undefined;
  const live = usable(snapshot, []);
  const prices = live.map(({ offer }) => offer.usdPerHour).toSorted((a, b) => a - b);
  const usdPerHour = prices.slice(0, nodes).reduce((sum, each) => sum + each, 0);
  const missing = nodes - live.length;
  if (missing <= 0) return { nodes, there: nodes, usdPerHour };
  const jobs = roomForJobs(snapshot, { queue, nodes: live.filter((node) => isResponsive(node, nowMs)), planned: [] });
  const found = missingNow(snapshot, { planned: [], budget: budgetRoom(snapshot), jobs });
  const offers = (snapshot.catalogue?.offers ?? []).map((offer) => offer.usdPerHour);
  return {
    nodes,
    there: live.length,
    usdPerHour,
    missingUsdPerHour: offers.length > 0 ? missing * Math.min(...offers) : undefined,
    why: typeof found === "object" ? whyNotYet(found, snapshot) : (found ?? whyComing(snapshot)),
  };
}

function whyNotYet(step: LaunchStep, { backOffs = [], nowMs }: Snapshot): string {
  const rests = backOffs.find((each) => each.subject === subjectOf(step) && isResting(each, nowMs));
  return rests ? `their launch failed and is tried again: ${rests.note}` : "the next decision launches more";
}

const whyComing = ({ openLaunches }: Snapshot): string =>
  openLaunches.length > 0 ? "others are being launched" : "other nodes cannot be read";

/** Returns the launch of nodes that are missing, or why there is none; undefined if none are missing. */
function missingNow(snapshot: Snapshot, of: Given): LaunchStep | string | undefined {
  const waits = whyNone(snapshot, of.budget);
  if (waits !== undefined) return waits;
  const missing = missingNodes(snapshot, of.planned);
  if (missing <= 0) return undefined;
  const priced = pricedOffers(snapshot);
  const left = less(leftFor(undefined, leewayOf(snapshot, of.budget)), plannedRoom(of.planned));
  if (within(priced, left).length === 0) return whyNoRoom(snapshot, { left, priced });
  const room = leftAfterJobs(of.jobs, left, { snapshot, planned: of.planned });
  if (within(priced, room).length === 0) return "a job that waits goes first, and may need what limits and budgets leave";
  const tried = plannedLaunches(of.planned).flatMap(({ offers }) => offers);
  const like = cheapestLike(within(available(priced, snapshot, tried), room));
  return (
    launchOf(like, { snapshot, missing, room }) ??
    "what there is room for was refused by EC2 or did not boot, and is tried again after a rest"
  );
}

/** Returns why the pool launches nothing now for its minimum, however much room there is. */
function whyNone(snapshot: Snapshot, budget: BudgetRoom): string | undefined {
  const { overrides, unreadable = [], catalogue, wider } = snapshot;
  if (overrides?.isUnknown) return "what admins have ordered cannot be read";
  if (overrides?.paused) return "the pool is paused";
  const [spent] = usedUpFor(budget, undefined);
  if (spent) return usedUpInWords(spent);
  // It may be of all the missing nodes, and it is not known of how many.
  if (unreadable.some(({ kind }) => kind === "launch")) return "a launch cannot be read, and may be of these nodes";
  if (wider?.limits.isUnknown) return "the limits across pools that admins have set cannot be read";
  return catalogue && catalogue.offers.length > 0 ? undefined : "prices are not known yet";
}

function missingNodes(snapshot: Snapshot, planned: readonly Step[]): number {
  const hidden = (snapshot.unreadable ?? []).filter(({ kind }) => kind === "node").length;
  const launches = [...snapshot.openLaunches, ...plannedLaunches(planned)];
  return minimumOf(snapshot) - usable(snapshot, planned).length - launches.reduce((sum, { count }) => sum + count, hidden);
}

function whyNoRoom(snapshot: Snapshot, { left, priced }: { left: Reservation; priced: readonly Priced[] }): string {
  const { allowance } = leewayOf(snapshot, budgetRoom(snapshot));
  const byLimits = allowed(allowance, undefined);
  if (within(priced, byLimits).length > 0 && left.usdPerHour < byLimits.usdPerHour)
    return "the pool's budget does not pay for an hour of another node";
  const scope = nearestLimit(allowance, undefined, (room) => within(priced, room).length > 0);
  const whose = scope === "deployment" ? "the whole deployment" : `pool ${snapshot.pool.name}`;
  return `the limits of ${whose} leave no room for another node`;
}

/** Returns what is left after all that jobs may need. What this plan's launches and open ones have reserved is not in `left` any more. */
function leftAfterJobs(
  jobs: RoomForJobs,
  left: Reservation,
  { snapshot, planned }: { snapshot: Snapshot; planned: readonly Step[] },
): Reservation {
  const forJobs = [...snapshot.openLaunches, ...plannedLaunches(planned)].filter((launch) => launch.jobs.length > 0);
  const reserved = forJobs.reduce((sum, launch) => plus(sum, launch.reserved), nothing);
  const more = less(jobs.launching, reserved);
  return less(less(left, jobs.waiting), { usdPerHour: Math.max(0, more.usdPerHour), gpus: Math.max(0, more.gpus) });
}

function launchOf(
  like: readonly Priced[],
  { snapshot, missing, room }: { snapshot: Snapshot; missing: number; room: Reservation },
): LaunchStep | undefined {
  const [first] = like;
  if (!first) return undefined;
  const offers = like.map(({ offer }) => offer);
  const each = reservedFor(offers, first.type);
  const count = Math.min(missing, maxNodes, timesWithin(each, room));
  const minimum = minimumOf(snapshot);
  const because = `the pool keeps at least ${minimum === 1 ? "1 node" : `${minimum} nodes`}; ${first.type.name} ${first.offer.market} at ${cost(first.offer.usdPerHour)}/h is the cheapest`;
  const launch = {
    pool: snapshot.pool.name,
    market: first.offer.market,
    offers,
    types: [first.type],
    jobs: [],
    count,
    whole: false,
    reserved: times(count, each),
    because,
  };
  return count === 0 ? undefined : { kind: "launch", because, launch };
}

type Priced = { readonly offer: Offer; readonly type: InstanceType };

/** Returns the pool's offers, the cheapest first. */
function pricedOffers({ catalogue }: Snapshot): readonly Priced[] {
  const types = new Map((catalogue?.types ?? []).map((type) => [type.name, type]));
  return (catalogue?.offers ?? [])
    .flatMap((offer): Priced[] => {
      const type = types.get(offer.instanceType);
      return type ? [{ offer, type }] : [];
    })
    .toSorted(({ offer: a }, { offer: b }) => a.usdPerHour - b.usdPerHour || (offerName(a) < offerName(b) ? -1 : 1));
}

/** Returns the offers that EC2 may have. `tried`: offers that the plan requests already. */
function available(offers: readonly Priced[], snapshot: Snapshot, tried: readonly Offer[]): readonly Priced[] {
  const seen = capacityView(snapshot.refusals, snapshot.nowMs);
  const broken = breakers(snapshot);
  const boots = mayTry(broken, new Set(triedBy(tried, broken)));
  return offers.filter(({ offer, type }) => boots(offer) && seen.status({ offer, type, count: 1 }) !== "cooling-down");
}

const within = (offers: readonly Priced[], room: Reservation): readonly Priced[] =>
  offers.filter(({ offer, type }) => isWithin(reservedFor([offer], type), room));

/** Returns the offers of the type and market of the first. */
const cheapestLike = (offers: readonly Priced[]): readonly Priced[] =>
  offers.filter(({ offer }) => offer.instanceType === offers[0]?.offer.instanceType && offer.market === offers[0].offer.market);

const reservedFor = (offers: readonly Offer[], { resources }: InstanceType): Reservation => ({
  usdPerHour: Math.max(...offers.map(({ usdPerHour }) => usdPerHour)),
  gpus: resources.gpus,
});

/** Returns how often the room holds this; a part that is zero does not count. */
function timesWithin(each: Reservation, room: Reservation): number {
  const parts = [each.usdPerHour > 0 ? room.usdPerHour / each.usdPerHour : maxNodes, each.gpus > 0 ? room.gpus / each.gpus : maxNodes];
  return Math.floor(Math.min(maxNodes, ...parts) + 1e-9);
}

const nothing: Reservation = { usdPerHour: 0, gpus: 0 };
