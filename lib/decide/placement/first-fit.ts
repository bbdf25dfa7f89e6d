import { breakers } from "../../model/breaker.ts";
import { byTurn, jobName, type QueueEntry } from "../../model/job.ts";
import type { Node } from "../../model/node.ts";
import type { Catalogue } from "../../model/offer.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import type { Pool } from "../../model/pool.ts";
import { own } from "../../model/values/own.ts";
import type { BudgetRoom, ScopeRoom } from "../budget/budget-room.ts";
import { whyOverBudget } from "../budget/why-over-budget.ts";
import type { CapacityView } from "../capacity/capacity-view.ts";
import { statusOf } from "../capacity/cooldown.ts";
import { dryFor, passedOver, whyDry } from "../capacity/why-dry.ts";
import { whyBroken } from "../health/breaker.ts";
import { beingLaunched } from "../launches/open-launch.ts";
import { allowed, unreserved } from "../limits/allowance.ts";
import { whyLimited } from "../limits/in-words.ts";
import { whyBeyond } from "../limits/why-beyond.ts";
import { type Bundle, cheapestFor } from "./bundles.ts";
import { launchesOf, probesShared } from "./coalesce.ts";
import { isGang, stillHeld } from "./gangs.ts";
import { whyExcluded, whyTooLarge, whyUnsold } from "./impossible.ts";
import { leftFor } from "./leeway.ts";
import { Misses, type Wait } from "./misses.ts";
import { type Fallback, fallbackFor } from "./next-pool.ts";
import { type Miss, type PlacementResult, PlacementState, type PlacementView } from "./placement-state.ts";
import { type PackingResult, repack, reservedFor } from "./repack.ts";
import { inTurn } from "./turns.ts";

/** The most jobs that one decision binds or fails: each is a transaction, and a run has 20 s. The next decision follows at once. */
const maxSteps = 1_000;
/** The most launches of one decision. EC2 usually responds within a second or two, and sixteen requests run at a time. */
const maxLaunches = 40;
/** The most jobs that one decision moves: they are moved one after another. */
const maxMoves = 100;
/** The most jobs for which one decision records why they wait; the next decisions do it for the others. */
const maxHolds = 500;

export type Placement = {
  readonly steps: readonly Step[];
  /** Nodes that were given something. */
  readonly bound: ReadonlySet<string>;
  /** Whether each waiting job was considered: if not, the next plan may need the nodes that this one left empty. */
  readonly isWhole: boolean;
  /** When a waiting job could be placed even if nothing else happens. */
  readonly wakeAtMs?: number | undefined;
  /** How the jobs that share new nodes were packed, and what was learned from it. */
  readonly packed?: PackingResult | undefined;
};

/**
 * Places waiting jobs, each in its turn, on the first of `nodes` that holds it. Otherwise a job shares a node to be launched with others
 * if that costs less than a node of its own; the optimizer then packs those jobs again. A gang is placed on all its nodes at once, or
 * has all of them launched. Jobs that cannot be placed are held with a reason, or move to the next pool.
 */
export function firstFit(snapshot: Snapshot, nodes: readonly Node[], budget: BudgetRoom): Placement {
  const { catalogue, pool } = snapshot;
  const launched = beingLaunched(snapshot);
  const isLaunching = (entry: QueueEntry): boolean => launched.size > 0 && launched.has(jobName(entry));
  const others = snapshot.queue.filter((entry) => !isLaunching(entry));
  const launching = snapshot.queue.filter(isLaunching);
  const waiting = inTurn(others, { nodes: snapshot.nodes, launching });
  if (!catalogue) return withoutPrices(waiting, snapshot);

  const held = stillHeld(waiting, snapshot);
  const isHeld = (entry: QueueEntry): boolean => held.size > 0 && held.has(jobName(entry));
  const queue = waiting.filter((entry) => !isHeld(entry));
  const state = new PlacementState(snapshot, nodes, { queue, budget });
  const misses = new Misses();
  const steps: Step[] = [];
  const holds = [
    ...launching.toSorted(byTurn).flatMap((entry) => hold(entry, launched.get(jobName(entry)))),
    ...waiting.filter(isHeld).flatMap((entry) => hold(entry, whyHeldBack)),
  ];
  const bound = new Set<string>();
  let isWhole = true;
  for (const entry of queue) {
    isWhole = steps.length < maxSteps;
    if (!isWhole) break;
    const tooLarge = whyTooLarge(entry, pool, catalogue.types);
    if (tooLarge) {
      steps.push({ kind: "fail", attempt: entry, failure: "never-fits", because: tooLarge });
      continue;
    }
    const kind = state.kindOf(entry);
    const found = misses.of(entry.team, kind) ?? state.place(entry);
    if (found === "bundled") continue;
    if (isPlaced(found)) {
      for (const { id } of found.nodes) bound.add(id);
      steps.push(...bindStep(entry, found.nodes));
      continue;
    }
    const wait = waitOf(entry, found, { snapshot, catalogue, state });
    misses.note(entry.team, kind, wait);
    holds.push(...turnedAway(entry, wait));
  }
  const waits = misses.all;
  const { bundles, packed } = repack(state, snapshot.learned);
  const { launches, isAll } = launchesNow(bundles, { pool, catalogue, capacity: state.capacity });
  const recorded = recordedNow(holds);
  return {
    // Holds are last, because recording why thousands of jobs wait must not delay the first job's node.
    steps: [...steps, ...launches, ...recorded.steps],
    bound,
    isWhole,
    packed,
    wakeAtMs: wakeOf(waits, {
      snapshot,
      isMore: steps.length >= maxSteps || !isAll || isFreed(bundles, { state, waits }) || !recorded.isAll,
    }),
  };
}

const limited: readonly Wait["miss"][] = ["limit", "team-limit", "deployment-limit", "budget", "team-budget"];

/** Reports whether a better packing has freed room that may be enough for a job that had none. The next decision follows at once. */
const isFreed = (bundles: readonly Bundle[], { state, waits }: { state: PlacementView; waits: readonly Wait[] }): boolean =>
  reservedFor(bundles).usdPerHour < reservedFor(state.bundles).usdPerHour && waits.some(({ miss }) => limited.includes(miss));

/** Returns what is launched now. `isAll`: no launch was left for the next decision. */
function launchesNow(
  bundles: readonly Bundle[],
  { pool, catalogue, capacity }: { pool: Pool; catalogue: Catalogue; capacity: CapacityView },
): { readonly launches: readonly Step[]; readonly isAll: boolean } {
  const wanted = launchesOf(
    bundles,
    pool,
    ({ entries: [first], usdPerHour }) => first && passedOver(first, usdPerHour, { catalogue, seen: capacity }),
  );
  const launches = probesShared(wanted, capacity).slice(0, maxLaunches);
  return { launches, isAll: launches.length === wanted.length };
}

/** Moves a job that cannot be placed, or holds it with a reason. */
function turnedAway(entry: QueueEntry, { reason, fallback }: Wait): Step[] {
  if (reason === undefined || fallback?.to === undefined) return hold(entry, reason);
  return [{ kind: "move", entry, to: fallback.to, because: reason }];
}

/** Returns as many moves and holds as one decision makes. `isAll`: all moves are among them. */
function recordedNow(turned: readonly Step[]): { readonly steps: readonly Step[]; readonly isAll: boolean } {
  const moves = turned.filter(({ kind }) => kind === "move");
  const holds = turned.filter(({ kind }) => kind === "hold");
  return { steps: [...moves.slice(0, maxMoves), ...holds.slice(0, maxHolds)], isAll: moves.length <= maxMoves };
}

const whyHeldBack = "nodes still hold its last attempt; the job starts when all have stopped it";
const isPlaced = (found: PlacementResult | Wait): found is Extract<PlacementResult, object> =>
  typeof found === "object" && "nodes" in found;

type Judged = { readonly snapshot: Snapshot; readonly catalogue: Catalogue; readonly state: PlacementView };

function waitOf(entry: QueueEntry, found: Miss | Wait, on: Judged): Wait {
  if (typeof found === "object") return found;
  const never = whyNever(entry, on);
  const fallback = never === undefined && found !== "later" ? whereElse(entry, on) : undefined;
  const budget = budgetInTheWay(entry, found, on.state);
  const renewsAtMs = (budget?.usedUp ?? budget?.tightest)?.renewsAtMs;
  const reason = never ?? fallback?.reason ?? whyHeld(entry, found, on);
  return { miss: found, reason, fallback, renewsAtMs };
}

function budgetInTheWay({ team }: QueueEntry, miss: Miss, { budget }: PlacementView): ScopeRoom | undefined {
  if (miss === "budget") return budget;
  return miss === "team-budget" ? own(budget.teams, team) : undefined;
}

/** Applies to every miss: if only an offer beyond a limit is left, that limit may be merely the last obstacle. */
const whereElse = (entry: QueueEntry, { snapshot, catalogue, state: { capacity, leeway } }: Judged): Fallback | undefined =>
  fallbackFor(entry, { snapshot, catalogue, seen: capacity, left: leftFor(snapshot.pool.shared ? undefined : entry.team, leeway) });

/** Returns why no offer of today can hold the job, even after other work ends; undefined if one can. */
const whyNever = (entry: QueueEntry, { catalogue, snapshot: { pool, wider } }: Judged): string | undefined =>
  whyUnsold(entry, pool, catalogue) ?? whyBeyond(entry, { pool, catalogue, limits: wider?.limits });

/** The first tick of a new deployment fetches prices; jobs that arrived before it are decided on again soon. */
function withoutPrices(queue: readonly QueueEntry[], { pool, nowMs }: Snapshot): Placement {
  const why = (entry: QueueEntry): string => whyExcluded(entry, pool) ?? "prices are being fetched; this takes up to a minute";
  const steps = queue.flatMap((entry) => hold(entry, why(entry))).slice(0, maxHolds);
  return { steps, bound: new Set(), isWhole: true, wakeAtMs: queue.length > 0 ? nowMs + 2_000 : undefined };
}

/** Holds all jobs for one reason. Nothing is placed or launched. */
export function holdAll({ queue, nowMs }: Pick<Snapshot, "queue" | "nowMs">, because: string): Placement {
  const holds = queue.toSorted(byTurn).flatMap((entry) => hold(entry, because));
  const steps = holds.slice(0, maxHolds);
  return { steps, bound: new Set(), isWhole: true, wakeAtMs: steps.length < holds.length ? nowMs : undefined };
}

function bindStep(entry: QueueEntry, nodes: readonly Node[]): Step[] {
  const [first] = nodes;
  if (!first) return [];
  if (!isGang(entry)) return [{ kind: "bind", entry, node: first.id, because: `${first.offer.instanceType} ${first.id} has room` }];
  const because = `${nodes.length} ${first.type.name} in ${first.offer.zone} have room`;
  return [{ kind: "bind-gang", entry, nodes: nodes.map(({ id }) => id), because }];
}

/** Returns undefined for a wait of seconds, because that is not worth a write. */
function whyHeld(entry: QueueEntry, miss: Miss, { snapshot, catalogue, state }: Judged): string | undefined {
  const { pool } = snapshot;
  switch (miss) {
    case "nothing": {
      const dry = whyDry(dryFor(entry, catalogue, state.capacity));
      const broken = whyBroken(state.broken, pool.name);
      return (
        (broken && dry ? `${broken}; ${dry}` : (broken ?? dry)) ??
        "the instance types that fit are being tried for another job; the next decision uses the result"
      );
    }
    case "limit":
    case "team-limit":
    case "deployment-limit":
      return whyLimited(
        {
          team: entry.team,
          least: cheapestFor(
            entry,
            state.availableFor(entry.nodes),
            allowed(unreserved(snapshot), snapshot.pool.shared ? undefined : entry.team),
          ),
          allowance: state.leeway.allowance,
        },
        snapshot,
      );
    case "budget":
    case "team-budget":
      return whyOverBudget(budgetInTheWay(entry, miss, state) ?? {}, pool.name);
    case "later":
      return undefined;
  }
}

/** Returns a hold, unless there is no reason or the job already has that reason. */
const hold = (entry: QueueEntry, because: string | undefined): Step[] =>
  because === undefined || entry.reason === because ? [] : [{ kind: "hold", entry, because }];

/** Returns when the cooldowns of refusals and breakers end. */
const whenThereMayBe = (snapshot: Snapshot): number[] => [
  ...snapshot.refusals.filter((each) => statusOf(each, snapshot.nowMs) === "cooling-down").map(({ untilMs }) => untilMs),
  ...breakers(snapshot).flatMap(({ openUntilMs }) => (openUntilMs > snapshot.nowMs ? [openUntilMs] : [])),
];

function wakeOf(waits: readonly Wait[], after: { snapshot: Snapshot; isMore: boolean }): number | undefined {
  const misses = new Set(waits.map(({ miss }) => miss));
  const { nowMs } = after.snapshot;
  if (misses.has("later") || after.isMore) return nowMs;
  const wakes = [
    ...waits.flatMap(({ fallback }) => fallback?.atMs ?? []),
    ...(misses.has("nothing") ? whenThereMayBe(after.snapshot) : []),
    ...waits.flatMap(({ renewsAtMs }) => renewsAtMs ?? []),
  ];
  return wakes.length > 0 ? Math.min(...wakes) : undefined;
}
