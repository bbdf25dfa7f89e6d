import { breakers } from "../../model/breaker.ts";
import type { Reservation } from "../../model/launch.ts";
import { isLive, type Node } from "../../model/node.ts";
import { type Offer, offerName } from "../../model/offer.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import { isWithin, less, plus } from "../../model/reservations.ts";
import { type BudgetRoom, usedUpFor } from "../budget/budget-room.ts";
import { capacityView } from "../capacity/capacity-view.ts";
import { mayTry } from "../health/breaker.ts";
import { leewayOf, leftFor } from "../placement/leeway.ts";

/** If EC2 takes back an instance after a recommendation to leave it, it mostly does so within this time. */
const recommendedForMs = 15 * 60_000;

/**
 * Reports whether the node's work will have to leave soon and has nowhere to go: EC2 has recommended it lately, or the node's drain ends
 * within the time that another node takes to boot.
 */
export function isLeftSoon({ state, notice, drain, assignments }: Node, { pool, nowMs }: Pick<Snapshot, "pool" | "nowMs">): boolean {
  if (state !== "draining" || notice?.kind === "interruption" || !assignments.some(({ phase }) => phase === "running")) return false;
  if (notice && nowMs - notice.atMs < recommendedForMs) return true;
  return drain !== undefined && !drain.hasRoom && nowMs < drain.untilMs && nowMs >= drain.untilMs - pool.bootSeconds * 1000;
}

export type Replacements = {
  readonly steps: readonly Step[];
  /** Nodes that wait for that work. They are idle, but must not be given back yet. */
  readonly kept: ReadonlySet<string>;
};

/**
 * Launches a node of the same type for each node whose work must leave soon, so that the work finds a place at once. It does so only if
 * limits and budgets leave room in addition to `planned`, and none of `free` can take over the work. The drain does not wait for a
 * replacement that cannot be launched.
 */
export function replacements(
  snapshot: Snapshot,
  of: { planned: readonly Step[]; free: readonly Node[]; budget: BudgetRoom },
): Replacements {
  const { nodes, openLaunches } = snapshot;
  const replaced = new Set([...nodes.filter(isLive), ...openLaunches].flatMap(({ replaces }) => replaces ?? []));
  const free = [...of.free];
  let taken = of.planned.reduce((sum, step) => (step.kind === "launch" ? plus(sum, step.launch.reserved) : sum), nothing);
  const steps: Step[] = [];
  const wards = nodes.filter((node) => isLeftSoon(node, snapshot));
  const wardIds = new Set(wards.map(({ id }) => id));
  const kept = new Set(nodes.filter(({ replaces }) => replaces !== undefined && wardIds.has(replaces)).map(({ id }) => id));
  const unreplaced = wards.filter(({ id }) => !replaced.has(id));
  if (unreplaced.length === 0) return { steps, kept };

  const [roomFor, offersLike] = [roomOf(snapshot, of.budget), likeOffersOf(snapshot)];
  for (const node of unreplaced) {
    const spare = free.findIndex((each) => each.type.name === node.type.name && (each.team === undefined || each.team === node.team));
    if (spare >= 0) {
      for (const { id } of free.splice(spare, 1)) kept.add(id);
      continue;
    }
    const step = replacement(node, offersLike(node), less(roomFor(node.team), taken));
    if (step) {
      steps.push(step);
      taken = plus(taken, step.launch.reserved);
    }
  }
  return { steps, kept };
}

/** Returns when the next draining node's work needs another node, or its worker must stop that work. */
export function nextEndOfDrain({ nodes, pool, nowMs }: Pick<Snapshot, "nodes" | "pool" | "nowMs">): number | undefined {
  const ahead = nodes
    .filter(({ state }) => state === "draining")
    .flatMap(({ drain }) => (drain ? [drain.untilMs - pool.bootSeconds * 1000, drain.untilMs] : []))
    .filter((atMs) => atMs > nowMs);
  return ahead.length > 0 ? Math.min(...ahead) : undefined;
}

type LaunchStep = Extract<Step, { kind: "launch" }>;

function replacement(node: Node, like: readonly Offer[], room: Reservation): LaunchStep | undefined {
  const offers = like.filter(({ usdPerHour }) => isWithin({ usdPerHour, gpus: node.type.resources.gpus }, room));
  if (offers.length === 0) return undefined;
  const because = `what runs on ${node.id} must leave it soon (${node.drain?.because ?? "rebalance recommendation"}); this node takes it over`;
  const reserved = { usdPerHour: Math.max(...offers.map(({ usdPerHour }) => usdPerHour)), gpus: node.type.resources.gpus };
  const { pool, team, type, offer } = node;
  return {
    kind: "launch",
    because,
    launch: {
      pool,
      team,
      market: offer.market,
      offers,
      types: [type],
      jobs: [],
      count: 1,
      whole: false,
      reserved,
      because,
      replaces: node.id,
    },
  };
}

/**
 * Returns the offers that can replace a node: of the same type and market, the cheapest first. If EC2 may take the node back, only those
 * in other zones, unless there are none.
 */
function likeOffersOf(snapshot: Snapshot): (node: Node) => readonly Offer[] {
  const { catalogue, refusals, nowMs } = snapshot;
  const seen = capacityView(refusals, nowMs);
  const boots = mayTry(breakers(snapshot), new Set());
  const offers = Map.groupBy(catalogue?.offers ?? [], kindOf);
  return ({ offer, type, notice }) => {
    const isDry = (each: Offer): boolean => !boots(each) || seen.status({ offer: each, type, count: 1 }) === "cooling-down";
    const like = (offers.get(kindOf(offer)) ?? [])
      .filter((each) => !isDry(each))
      .toSorted((a, b) => a.usdPerHour - b.usdPerHour || (offerName(a) < offerName(b) ? -1 : 1));
    const elsewhere = like.filter(({ zone }) => zone !== offer.zone);
    return notice && elsewhere.length > 0 ? elsewhere : like;
  };
}

const kindOf = ({ instanceType, market }: Offer): string => `${instanceType} ${market}`;

/** Returns what all limits and budgets leave for a node of a team, before this plan's launches. */
function roomOf(snapshot: Snapshot, budget: BudgetRoom): (team: string | undefined) => Reservation {
  const leeway = leewayOf(snapshot, budget);
  return (team) => (usedUpFor(budget, team).length > 0 ? nothing : leftFor(team, leeway));
}

const nothing: Reservation = { usdPerHour: 0, gpus: 0 };
