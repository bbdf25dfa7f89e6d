import pMap from "p-map";
import { decide } from "../decide/decide.ts";
import { nextOf } from "../decide/launches/open-launch.ts";
import { isReplacement } from "../decide/placement/replacement.ts";
import { isOrdinary } from "../model/cause.ts";
import type { Launch } from "../model/launch.ts";
import type { WiderLimits } from "../model/limits.ts";
import type { Learned } from "../model/plan.ts";
import { gapOf, type Packing, type Plan, type Snapshot } from "../model/plan.ts";
import { fallbacksOf, type NextPool, type Pool } from "../model/pool.ts";
import { startOf } from "../model/values/period.ts";
import type { Journal } from "../ports/journal.ts";
import type { CatalogueStore, Fence } from "../ports/pool-ledger.ts";
import type { Launched } from "./ec2/launching.ts";
import type { Outcome } from "./ec2/outcome.ts";
import { createTurns, type TurnDeps } from "./ec2/turns.ts";
import { type CarryOutDeps, carryOut } from "./place/carry-out.ts";
import { carryThrough } from "./place/launch-node.ts";
import { searchFor } from "./place/search-launch.ts";

export type PlaceDeps = Omit<CarryOutDeps, "turns"> &
  TurnDeps &
  NextPoolsDeps & {
    readonly journal: Journal;
    /** Beyond those of the pools; absent for none. */
    readonly limits?: WiderLimits | undefined;
  };
type DecideDeps = PlaceDeps & Pick<CarryOutDeps, "turns">;

/** What one run of `place` did, summed over its decisions. */
export type Placed = {
  readonly decisions: number;
  readonly steps: number;
  readonly ended: "quiet" | "fenced" | "later";
  /** How those that share new nodes were packed, of the decisions that packed any. */
  readonly packings: readonly Packing[];
};

/** After this many decisions in a row the run makes room and wakes another. */
const mostRounds = 8;
/** A run whose work failed or never settled looks again after this long. */
const lookAgainSeconds = 2;

/**
 * Decides for one pool until nothing has happened since it looked.
 * Each round: take the epoch, look, decide, act, put on record what was heard.
 */
export async function place(deps: PlaceDeps, run: { pool: Pool; msLeft: () => number }): Promise<Placed> {
  let steps = 0;
  let decisions = 0;
  let unheard = true;
  const packings: Packing[] = [];
  while (decisions < mostRounds && run.msLeft() > 6_000) {
    const { next, packing, ...decided } = await decideOnce({ ...deps, turns: createTurns(deps) }, run.pool);
    decisions += 1;
    steps += decided.steps;
    if (packing) packings.push(packing);
    if (next === "quiet" || next === "fenced") return { decisions, steps, ended: next, packings };
    unheard = next === "rang" || next === "turn";
  }
  // Ringing a bell that is not quiet wakes nobody: what this run has not heard needs a message of its own.
  if (unheard) await deps.lane.send(run.pool.name);
  else await deps.lane.sendLater(run.pool.name, lookAgainSeconds);
  return { decisions, steps, ended: "later", packings };
}

/**
 * `rang`: something happened since it looked. `turn`: a turn at EC2 that it did not wait for has come meanwhile.
 * `again`: what it did, or could not do, changes what there is to decide.
 */
type Next = "rang" | "turn" | "again" | "quiet" | "fenced";

type Decided = { readonly steps: number; readonly next: Next; readonly packing: Packing | undefined };

async function decideOnce(deps: DecideDeps, pool: Pool): Promise<Decided> {
  const { fence, heard, wakeAtMs: pending, causes } = await deps.decisions.begin(pool.name);
  const { snapshot, laterMs } = await look(deps, fence, pool);
  const plan = decide(snapshot);
  const { packing } = plan;
  const outcomes = await carryOut(deps, fence, { snapshot, steps: plan.steps });
  const acted = plan.steps.length;
  if (acted > 0 || !causes.every(isOrdinary)) await record(deps, fence, { causes, snapshot, plan, outcomes });
  if (plan.learned) await learn(deps, fence, plan.learned);
  if (outcomes.some((outcome) => outcome.result === "fenced")) return { steps: acted, next: "fenced", packing };

  const nowMs = deps.now();
  const again = outcomes.some((outcome) => outcome.result === "again") || (plan.wakeAtMs !== undefined && plan.wakeAtMs <= nowMs);
  const failed = outcomes.some((outcome) => outcome.result === "failed");
  const turnsMs = [
    ...outcomes.flatMap((outcome) => (outcome.result === "later" ? outcome.atMs : [])),
    ...(laterMs === undefined ? [] : [laterMs]),
  ];
  const wakesMs = [
    ...turnsMs,
    ...(failed ? [nowMs + lookAgainSeconds * 1000] : []),
    ...(plan.wakeAtMs === undefined ? [] : [plan.wakeAtMs]),
  ];
  // What is due by now is decided on again at once.
  const aheadMs = wakesMs.filter((at) => at > nowMs);
  const wantedMs = aheadMs.length > 0 ? Math.min(...aheadMs) : undefined;
  const wakeAtMs = await wake(deps, pool.name, { wantedMs, pendingMs: pending });
  const busy = snapshot.queue.length > 0 || snapshot.nodes.length > 0 || snapshot.openLaunches.length > 0;
  const finished = await deps.decisions.finish(fence, { heard, busy, wakeAtMs });
  if (finished === "fenced") return { steps: acted, next: "fenced", packing };
  if (finished === "rang") return { steps: acted, next: "rang", packing };
  if (turnsMs.some((at) => at <= nowMs)) return { steps: acted, next: "turn", packing };
  return { steps: acted, next: again ? "again" : "quiet", packing };
}

/** The snapshot, after every intent whose outcome nobody knows was repeated; and when one that had no turn at EC2 may have it. */
async function look(deps: DecideDeps, fence: Fence, pool: Pool): Promise<{ snapshot: Snapshot; laterMs?: number }> {
  const loadedMs = deps.now();
  const loaded = await deps.decisions.load(pool.name, loadedMs);
  const { settled, ...later } = await repeatOpen(deps, fence, loaded);
  const nowMs = deps.now();
  // What was spent must be of the day that is decided in.
  const isStale = settled || startOf("day", nowMs) > loadedMs;
  const { reservedWider: reserved, ...seen } = isStale ? await deps.decisions.load(pool.name, nowMs) : loaded;
  const next = seen.queue.length > 0 ? await nextPools(deps, pool) : [];
  return {
    snapshot: {
      nowMs,
      pool,
      ...(deps.limits ? { wider: { limits: deps.limits, reserved } } : {}),
      ...(next.length > 0 ? { next } : {}),
      ...seen,
    },
    ...later,
  };
}

type Open = Pick<Snapshot, "openLaunches" | "queue">;

/** `settled`: at least one became known. */
async function repeatOpen(deps: DecideDeps, fence: Fence, open: Open): Promise<{ settled: boolean; laterMs?: number }> {
  const repeated = await pMap(open.openLaunches, (launch) => repeat(deps, fence, { launch, queue: open.queue }), { concurrency: 8 });
  const laterMs = repeated.filter((each) => typeof each === "number");
  return { settled: repeated.includes(true), ...(laterMs.length > 0 ? { laterMs: Math.min(...laterMs) } : {}) };
}

/** Whether it became known, or when its turn at EC2 may come. One that fails does not hold up the others, nor the decision. */
async function repeat(deps: DecideDeps, fence: Fence, on: { launch: Launch; queue: Open["queue"] }): Promise<boolean | number> {
  const { launch, queue } = on;
  const line = { pool: fence.pool, epoch: fence.epoch, launch: launch.id };
  try {
    const next = nextOf(launch, deps.now());
    if (next === "rest") return false;
    if (next === "search") return isSettled(await search(deps, fence, launch));
    const lane = isReplacement(launch, queue) ? "replace" : "grow";
    const turn = await deps.turns.take({ kind: "launch", lane, instances: launch.count });
    if (turn.kind === "later") return turn.atMs;
    const came = await carryThrough(deps, fence, { launch, sending: "again" });
    deps.log({ level: "info", message: "launch repeated", ...line, came: came.kind, note: came.note, error: came.error });
    if (came.kind === "throttled") return (await deps.turns.throttled("launch")).atMs;
    return isSettled(came);
  } catch (error) {
    deps.log({ level: "error", message: "a launch could not be repeated", ...line, error });
    return false;
  }
}

const isSettled = ({ kind }: Launched): boolean => kind === "launched" || kind === "refused" || kind === "retired";

async function search(deps: DecideDeps, fence: Fence, launch: Launch): Promise<Launched> {
  const came = await searchFor(deps, fence, { launch, why: "EC2 may not know its token any more" });
  const { kind, note, error } = came;
  deps.log({ level: "info", message: "launch searched for", pool: fence.pool, launch: launch.id, came: kind, note, error });
  return came;
}

/** Sees to it that a message on `later` rings in time; one at a time is enough. Answers when the one under way rings. */
async function wake(
  deps: Pick<PlaceDeps, "lane" | "now">,
  pool: string,
  at: { wantedMs: number | undefined; pendingMs: number | undefined },
): Promise<number | undefined> {
  const nowMs = deps.now();
  const pendingMs = at.pendingMs !== undefined && at.pendingMs > nowMs ? at.pendingMs : undefined;
  if (at.wantedMs === undefined || at.wantedMs <= nowMs) return pendingMs;
  const delaySeconds = Math.min(900, Math.ceil((at.wantedMs - nowMs) / 1000));
  const ringsAtMs = nowMs + delaySeconds * 1000;
  if (pendingMs !== undefined && pendingMs <= ringsAtMs) return pendingMs;
  await deps.lane.sendLater(pool, delaySeconds);
  return ringsAtMs;
}

/** What was learned speeds up the next packing, and nothing hangs on it. */
async function learn(deps: DecideDeps, fence: Fence, learned: Learned): Promise<void> {
  try {
    await deps.placements.learn(fence, learned);
  } catch (error) {
    deps.log({ level: "error", message: "what a packing taught was not kept", pool: fence.pool, epoch: fence.epoch, error });
  }
}

/** A decision that could not be put on record has still been made: say so and go on. */
async function record(
  deps: DecideDeps,
  fence: Fence,
  made: { causes: readonly string[]; snapshot: Snapshot; plan: Plan; outcomes: readonly Outcome[] },
): Promise<void> {
  const decision = {
    id: deps.newId(),
    pool: fence.pool,
    epoch: fence.epoch,
    atMs: made.snapshot.nowMs,
    causes: made.causes,
    snapshot: made.snapshot,
    plan: made.plan,
    outcomes: made.outcomes.map((outcome) => `${outcome.result}: ${outcome.note}`),
  };
  const kinds = made.plan.steps.map((step) => step.kind);
  deps.log({
    level: "info",
    message: "decided",
    pool: fence.pool,
    epoch: fence.epoch,
    decision: decision.id,
    causes: made.causes,
    steps: kinds,
    ...(made.plan.packing ? { packing: { ...made.plan.packing, gap: gapOf(made.plan.packing) } } : {}),
    outcomes: decision.outcomes,
  });
  try {
    await deps.journal.record(decision);
  } catch (error) {
    deps.log({ level: "error", message: "the decision could not be put on record", decision: decision.id, error });
  }
}

type NextPoolsDeps = {
  /** As they are configured. */
  readonly pools: readonly Pool[];
  readonly catalogues: Pick<CatalogueStore, "get">;
};

/** Where jobs of the pool may move, with what is sold there. A pool without a fallback costs no read. */
const nextPools = ({ pools, catalogues }: NextPoolsDeps, pool: Pool): Promise<NextPool[]> =>
  pMap(fallbacksOf(pool, pools), async (next) => ({ pool: next, catalogue: await catalogues.get(next.name) }), { concurrency: 4 });
