import { breakers } from "../../model/breaker.ts";
import type { Reservation } from "../../model/launch.ts";
import { isLive, type Node } from "../../model/node.ts";
import { type InstanceType, type Offer, offerName } from "../../model/offer.ts";
import type { NodeSnapshot, Snapshot, Step } from "../../model/plan.ts";
import { isWithin, less, plus, times } from "../../model/reservations.ts";
import { cost } from "../../model/values/amount.ts";
import { type BudgetRoom, usedUpFor } from "../budget/budget-room.ts";
import { capacityView } from "../capacity/capacity-view.ts";
import { mayTry, triedBy } from "../health/breaker.ts";
import { isResponsive } from "../health/dead-nodes.ts";
import { orderOf } from "../overrides/node-orders.ts";
import { isPaused } from "../overrides/paused.ts";
import { maxNodes } from "../placement/coalesce.ts";
import { leewayOf, leftFor } from "../placement/leeway.ts";

type LaunchStep = Extract<Step, { kind: "launch" }>;
type NodeStep = Extract<Step, { node: string }>;

/**
 * Returns how many nodes the pool keeps now, with work or without. A pool that is paused or drained keeps none. A node of a pool that is not
 * shared serves one team, and it is not known whose job is next, so such a pool keeps none either.
 */
export const minimumOf = ({ pool, overrides }: Pick<NodeSnapshot, "pool" | "overrides">): number =>
  pool.closing || !pool.shared || overrides?.paused ? 0 : (pool.minNodes ?? 0);

/** Returns the nodes that boot or work, that the plan so far neither ends nor drains, and that no admin has cordoned. */
function usable({ nodes, overrides }: NodeSnapshot, planned: readonly Step[]): readonly Node[] {
  const leaving = new Set(planned.flatMap((step) => (isLeaving(step) ? step.node : [])));
  const kept = new Set(planned.flatMap((step) => (step.kind === "undrain" ? step.node : [])));
  return nodes.filter((node) => (isLive(node) ? !leaving.has(node.id) : kept.has(node.id)) && orderOf(overrides, node.id) === undefined);
}

const isLeaving = (step: Step): step is NodeStep =>
  step.kind === "retire" || step.kind === "end" || step.kind === "lose" || step.kind === "drain";

/**
 * Returns how many more nodes the plan may end or drain before the pool has fewer than its minimum; infinite if it has none. Nodes whose worker
 * is silent may be lost, so they do not count.
 */
export function beyondMinimum(snapshot: NodeSnapshot, planned: readonly Step[]): number {
  const minimum = minimumOf(snapshot);
  if (minimum === 0) return Number.POSITIVE_INFINITY;
  return Math.max(0, usable(snapshot, planned).filter((node) => isResponsive(node, snapshot.nowMs)).length - minimum);
}

/** Returns the steps that end idle nodes, without those of the cheapest nodes that the pool keeps. Cordoned nodes do not count. */
export function withoutKept<S extends NodeStep>(steps: readonly S[], snapshot: NodeSnapshot, planned: readonly Step[]): readonly S[] {
  const most = beyondMinimum(snapshot, planned);
  const counted = new Map(usable(snapshot, planned).map((node) => [node.id, node.offer.usdPerHour]));
  const priceOf = ({ node }: S): number => counted.get(node) ?? 0;
  const ended = steps
    .filter(({ node }) => counted.has(node))
    .toSorted((a, b) => priceOf(b) - priceOf(a) || (a.node < b.node ? -1 : 1))
    .slice(0, most);
  return steps.filter((step) => !counted.has(step.node) || ended.includes(step));
}

/**
 * Launches the nodes that are missing from the pool's minimum, as far as limits and budgets leave room in addition to `planned`: of the
 * type and market that is cheapest among those that EC2 may have. What one launch cannot have is left to the next decision. Nodes that boot, are being launched or cannot be read count, and so do those
 * whose worker is silent, because we may be the ones who do not hear.
 */
export function minimumLaunches(snapshot: Snapshot, of: { planned: readonly Step[]; budget: BudgetRoom }): readonly LaunchStep[] {
  const { planned, budget } = of;
  if (isPaused(snapshot.overrides) || usedUpFor(budget, undefined).length > 0) return [];
  const minimum = minimumOf(snapshot);
  const launches = planned.filter((step) => step.kind === "launch").map(({ launch }) => launch);
  const hidden = (snapshot.unreadable ?? []).filter(({ kind }) => kind === "node" || kind === "launch").length;
  const coming = [...snapshot.openLaunches, ...launches].reduce((sum, { count }) => sum + count, hidden);
  const missing = minimum - usable(snapshot, planned).length - coming;
  if (missing <= 0) return [];
  const taken = launches.reduce((sum, { reserved }) => plus(sum, reserved), nothing);
  const room = less(leftFor(undefined, leewayOf(snapshot, budget)), taken);
  const tried = launches.flatMap(({ offers }) => offers);
  const like = cheapestLike(available(snapshot, tried).filter(({ offer, type }) => isWithin(reservedFor([offer], type), room)));
  const [first] = like;
  if (!first) return [];
  const offers = like.map(({ offer }) => offer);
  const each = reservedFor(offers, first.type);
  const count = Math.min(missing, maxNodes, timesWithin(each, room));
  if (count === 0) return [];
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
  return [{ kind: "launch", because, launch }];
}

/**
 * Returns what the nodes that the pool keeps cost, in USD per hour: its cheapest nodes, and for those that are missing the cheapest
 * offer. Undefined if the prices are not known.
 */
export function minimumUsdPerHour(snapshot: NodeSnapshot): number | undefined {
  const minimum = minimumOf(snapshot);
  const prices = usable(snapshot, []).map(({ offer }) => offer.usdPerHour);
  const cheapest = prices.toSorted((a, b) => a - b).slice(0, minimum);
  const missing = minimum - cheapest.length;
  const offers = (snapshot.catalogue?.offers ?? []).map(({ usdPerHour }) => usdPerHour);
  if (missing > 0 && offers.length === 0) return undefined;
  const ofMissing = missing > 0 ? missing * Math.min(...offers) : 0;
  return cheapest.reduce((sum, each) => sum + each, ofMissing);
}

type Priced = { readonly offer: Offer; readonly type: InstanceType };

/** Returns the offers that EC2 may have, the cheapest first. `tried`: offers that the plan requests already. */
function available(snapshot: Snapshot, tried: readonly Offer[]): readonly Priced[] {
  const { catalogue, refusals, nowMs } = snapshot;
  const seen = capacityView(refusals, nowMs);
  const broken = breakers(snapshot);
  const boots = mayTry(broken, new Set(triedBy(tried, broken)));
  const types = new Map((catalogue?.types ?? []).map((type) => [type.name, type]));
  return (catalogue?.offers ?? [])
    .flatMap((offer): Priced[] => {
      const type = types.get(offer.instanceType);
      return type && boots(offer) && seen.status({ offer, type, count: 1 }) !== "cooling-down" ? [{ offer, type }] : [];
    })
    .toSorted(({ offer: a }, { offer: b }) => a.usdPerHour - b.usdPerHour || (offerName(a) < offerName(b) ? -1 : 1));
}

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
