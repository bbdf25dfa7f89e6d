import pMap from "p-map";
import { decideJobs, decideNodes } from "../decide/decide.ts";
import { nextOf } from "../decide/launches/open-launch.ts";
import { inForce, widerInForce } from "../decide/overrides/in-force.ts";
import { isPaused } from "../decide/overrides/paused.ts";
import { isReplacement } from "../decide/placement/replacement.ts";
import { minimumOf } from "../decide/scaling/minimum.ts";
import { isOrdinary } from "../model/cause.ts";
import type { Launch } from "../model/launch.ts";
import type { WiderLimits } from "../model/limits.ts";
import { gapOf, hasWork, type Learned, type NodeSnapshot, type Packing, type Plan, type Snapshot } from "../model/plan.ts";
import { fallbacksOf, type NextPool, type Pool } from "../model/pool.ts";
import type { Fence } from "../ports/pool-ledger.ts";
import type { Ports } from "../ports/ports.ts";
import type { Launched } from "./ec2/launching.ts";
import type { StepOutcome } from "./ec2/outcome.ts";
import { createRateLimiter, type RateLimiterDeps } from "./ec2/rate-limiter.ts";
import { type CarryOutDeps, carryOut } from "./place/carry-out.ts";
import { carryThrough } from "./place/launch-node.ts";
import { measureLaunch } from "./place/measure-launch.ts";
import { noteTries } from "./place/note-tries.ts";
import { searchFor } from "./place/search-launch.ts";
import { withUnreadable } from "./pool/load-pool.ts";

export type PlaceDeps = Omit<CarryOutDeps, "rateLimiter"> &
  RateLimiterDeps &
  NextPoolsDeps &
  Pick<Ports, "journal"> & {
    /** The configured limits of teams and of the deployment; undefined if there are none, and none can be set. */
    readonly limits?: WiderLimits | undefined;
  };
type DecideDeps = PlaceDeps & Pick<CarryOutDeps, "rateLimiter">;

/** What one run of `place` did, summed over its decisions. */
export type Placed = {
  readonly decisions: number;
  readonly steps: number;
  readonly ended: "quiet" | "fenced" | "later";
  /** How jobs that share new nodes were packed, for each decision that packed any. */
  readonly packings: readonly Packing[];
};

/** After this many decisions in a row the run ends and wakes another one. */
const maxRounds = 8;
/** A round begins only if at least this much time is left, and more if a round of this run took long, because a run that is cut off loses what it did not record. */
const minRoundMs = 6_000;
const margin = 1.5;
/** If a run's work never settled, the next run follows after this long. */
const lookAgainSeconds = 2;

/**
 * Decides for one pool until nothing has happened since the last snapshot.
 * Each round takes the epoch, loads the snapshot, decides, acts, and records which rings it has seen.
 */
export async function place(deps: PlaceDeps, run: { pool: Pool; msLeft: () => number }): Promise<Placed> {
  let steps = 0;
  let decisions = 0;
  let hasUnseenRing = true;
  const packings: Packing[] = [];
  let longestMs = 0;
  while (decisions < maxRounds && run.msLeft() > Math.max(minRoundMs, longestMs * margin)) {
    const startedMsLeft = run.msLeft();
    const { next, packing, ...decided } = await decideOnce({ ...deps, rateLimiter: createRateLimiter(deps) }, run.pool);
    longestMs = Math.max(longestMs, startedMsLeft - run.msLeft());
    decisions += 1;
    steps += decided.steps;
    if (packing) packings.push(packing);
    if (next === "quiet" || next === "fenced") return { decisions, steps, ended: next, packings };
    hasUnseenRing = next === "rang" || next === "turn";
  }
  // A ring of a bell that is not quiet sends no message, so what this run has not seen needs a message from here.
  if (hasUnseenRing) await deps.lane.send(run.pool.name);
  else await deps.lane.sendLater(run.pool.name, lookAgainSeconds);
  return { decisions, steps, ended: "later", packings };
}

/**
 * `rang`: something happened since the snapshot. `turn`: a turn at EC2 that the decision did not wait for is available now.
 * `again`: what the decision did, or could not do, changes what there is to decide.
 */
type Next = "rang" | "turn" | "again" | "quiet" | "fenced";

type Decided = { readonly steps: number; readonly next: Next; readonly packing: Packing | undefined };

async function decideOnce(deps: DecideDeps, pool: Pool): Promise<Decided> {
  const { fence, ringsSeen, wakeAtMs: pending, lookedAtMs, causes } = await deps.decisions.begin(pool.name);
  const { snapshot, plan, outcomes, settled, laterMs } = await decideAndAct(deps, fence, { pool, lookedAtMs });
  const { packing } = plan;
  const acted = plan.steps.length;
  if (acted > 0 || !causes.every(isOrdinary)) await record(deps, fence, { causes, snapshot, plan, outcomes });
  if (plan.learned) await learn(deps, fence, plan.learned);
  if (outcomes.some((outcome) => outcome.result === "fenced")) return { steps: acted, next: "fenced", packing };

  const { isChanged, retryAtMs } = await noteTries(deps, fence, { snapshot, steps: plan.steps, outcomes });
  const nowMs = deps.now();
  // If nothing has changed, the same plan would be made again, unless time has passed that it waits for.
  const isDue = plan.wakeAtMs !== undefined && plan.wakeAtMs <= nowMs && (settled || isChanged || plan.wakeAtMs > snapshot.nowMs);
  const isRetried = retryAtMs !== undefined && retryAtMs <= nowMs;
  const again = settled || isDue || isRetried || outcomes.some(({ result }) => result === "again");
  const turnsMs = turnsOf(outcomes, laterMs);
  const wakesMs = [
    ...turnsMs,
    ...(retryAtMs === undefined ? [] : [retryAtMs]),
    ...[plan.wakeAtMs, plan.laterAtMs].filter((atMs) => atMs !== undefined),
  ];
  // Only wakes ahead matter here, because what is due by now is decided on again at once.
  const aheadMs = wakesMs.filter((at) => at > nowMs);
  const wantedMs = aheadMs.length > 0 ? Math.min(...aheadMs) : undefined;
  const wakeAtMs = await wake(deps, pool.name, { wantedMs, pendingMs: pending });
  const busy = hasWork(snapshot) || minimumOf(snapshot) > 0;
  const finished = await deps.decisions.finish(fence, { ringsSeen, busy, wakeAtMs, lookedAtMs: lookOf(snapshot, plan, outcomes) });
  if (finished === "fenced") return { steps: acted, next: "fenced", packing };
  if (finished === "rang") return { steps: acted, next: "rang", packing };
  if (turnsMs.some((at) => at <= nowMs)) return { steps: acted, next: "turn", packing };
  return { steps: acted, next: again ? "again" : "quiet", packing };
}

/** Returns when the decision looked up nodes; undefined if it did not, or not all of them, because then it is tried again within the minute. */
function lookOf({ nowMs }: Snapshot, { steps }: Plan, outcomes: readonly StepOutcome[]): number | undefined {
  const looks = outcomes.filter((_, index) => steps[index]?.kind === "confirm");
  return looks.length > 0 && looks.every(({ result }) => result !== "later" && result !== "failed") ? nowMs : undefined;
}

/** Returns when EC2 may be called for the steps, and the launches, that got no turn. */
const turnsOf = (outcomes: readonly StepOutcome[], laterMs: number | undefined): readonly number[] => [
  ...outcomes.flatMap((outcome) => (outcome.result === "later" ? outcome.atMs : [])),
  ...(laterMs === undefined ? [] : [laterMs]),
];

type Acted = {
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  /** Of the plan's steps. */
  readonly outcomes: readonly StepOutcome[];
  /** Whether the outcome of an open launch became known. */
  readonly settled: boolean;
  /** When an intent that got no turn may have one. */
  readonly laterMs?: number | undefined;
};

/**
 * Decides about the nodes and carries that out, then about the jobs. So nodes end and limits hold even if the queue cannot be read, and
 * the queue, which is read meanwhile, delays nothing.
 */
async function decideAndAct(deps: DecideDeps, fence: Fence, on: { pool: Pool; lookedAtMs: number | undefined }): Promise<Acted> {
  const { pool, lookedAtMs } = on;
  const waiting = deps.decisions.waiting(pool.name, deps.now());
  // A failure is thrown where it is awaited.
  waiting.catch(() => undefined);
  const known = { ...(await nodesOf(deps, pool)), lookedAtMs };
  const nodes = decideNodes(known);
  const about = { ...known, queue: [] };
  const ended = await carryOut(deps, fence, { snapshot: about, steps: nodes.steps });
  const waits = await waiting.catch((error: unknown) => {
    const steps = nodes.steps.map(({ kind }) => kind);
    deps.log({ level: "error", message: "queue not read", pool: fence.pool, epoch: fence.epoch, steps, error });
    throw error;
  });
  // What a repeated launch brings is seen by the next decision, which follows at once.
  const repeated = await repeatOpen(deps, fence, { openLaunches: known.openLaunches, queue: waits.queue });
  const next = waits.queue.length > 0 ? await nextPools(deps, pool) : [];
  const jobs = { ...withUnreadable(waits, known), ...(next.length > 0 ? { next } : {}) };
  const snapshot = { ...known, ...jobs };
  const plan = decideJobs(nodes, jobs);
  const outcomes = await carryOut(deps, fence, { snapshot, steps: plan.steps.slice(nodes.steps.length) });
  return { snapshot, plan, outcomes: [...ended, ...outcomes], ...repeated };
}

async function nodesOf(deps: DecideDeps, pool: Pool): Promise<NodeSnapshot> {
  const nowMs = deps.now();
  const { reservedWider: reserved, ...seen } = await deps.decisions.load(pool.name, nowMs);
  const limits = deps.limits && widerInForce(deps.limits, seen.widerOverrides, nowMs);
  return { nowMs, pool: inForce(pool, seen.overrides, nowMs), ...(limits && { wider: { limits, reserved } }), ...seen };
}

type Open = Pick<Snapshot, "openLaunches" | "queue">;

/** Repeats open launches. `settled`: at least one outcome became known. */
async function repeatOpen(deps: DecideDeps, fence: Fence, open: Open): Promise<{ settled: boolean; laterMs?: number }> {
  const repeated = await pMap(open.openLaunches, (launch) => repeat(deps, fence, { launch, queue: open.queue }), { concurrency: 8 });
  const laterMs = repeated.filter((each) => typeof each === "number");
  return { settled: repeated.includes(true), ...(laterMs.length > 0 ? { laterMs: Math.min(...laterMs) } : {}) };
}

/** Returns whether the outcome became known, or when there may be a turn at EC2. A failure does not delay other launches or the decision. */
async function repeat(deps: DecideDeps, fence: Fence, on: { launch: Launch; queue: Open["queue"] }): Promise<boolean | number> {
  const { launch, queue } = on;
  const line = { pool: fence.pool, epoch: fence.epoch, launch: launch.id };
  try {
    const next = nextOf(launch, deps.now());
    if (next === "rest") return false;
    if (next === "search") {
      const found = await search(deps, fence, launch);
      measureLaunch(deps, { launch, queue, came: found });
      return isSettled(found);
    }
    const priority = isReplacement(launch, queue) ? "replace" : "grow";
    const grant = await deps.rateLimiter.acquire({ kind: "launch", priority, instances: launch.count });
    if (grant.kind === "later") return grant.atMs;
    const came = await carryThrough(deps, fence, { launch, sending: "again" });
    deps.log({ level: "info", message: "launch repeated", ...line, came: came.kind, note: came.note, error: came.error });
    measureLaunch(deps, { launch, queue, came });
    if (came.kind === "throttled") return (await deps.rateLimiter.throttled("launch")).atMs;
    return isSettled(came);
  } catch (error) {
    deps.log({ level: "error", message: "launch not repeated", ...line, error });
    return false;
  }
}

const isSettled = ({ kind }: Launched): boolean => kind === "launched" || kind === "refused" || kind === "retired";

async function search(deps: DecideDeps, fence: Fence, launch: Launch): Promise<Launched> {
  const came = await searchFor(deps, fence, { launch, why: "EC2 may no longer know its token" });
  const { kind, note, error } = came;
  deps.log({ level: "info", message: "launch searched for", pool: fence.pool, launch: launch.id, came: kind, note, error });
  return came;
}

/** Makes sure that a message on `later` rings in time, and returns when. One message at a time is enough. */
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

/** Stores what a packing taught. A failure is only logged, because this only makes the next packing faster. */
async function learn(deps: DecideDeps, fence: Fence, learned: Learned): Promise<void> {
  try {
    await deps.placements.learn(fence, learned);
  } catch (error) {
    deps.log({ level: "error", message: "packing experience not stored", pool: fence.pool, epoch: fence.epoch, error });
  }
}

/** Records the decision. A failure is only logged, because the decision has been made all the same. */
async function record(
  deps: DecideDeps,
  fence: Fence,
  made: { causes: readonly string[]; snapshot: Snapshot; plan: Plan; outcomes: readonly StepOutcome[] },
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
    deps.log({ level: "error", message: "decision not recorded", decision: decision.id, error });
  }
}

type NextPoolsDeps = {
  /** The configured pools. */
  readonly pools: readonly Pool[];
  readonly catalogues: Pick<Ports["catalogues"], "get">;
  readonly overrides: Pick<Ports["overrides"], "get">;
  readonly now: () => number;
};

/** Returns the pools that jobs may move to, with their catalogues. A pool without a fallback costs no read. */
const nextPools = ({ pools, catalogues, overrides, now }: NextPoolsDeps, pool: Pool): Promise<NextPool[]> =>
  pMap(
    fallbacksOf(pool, pools),
    async (next) => {
      const [catalogue, ordered] = await Promise.all([catalogues.get(next.name), overrides.get(next.name)]);
      return { pool: inForce(next, ordered, now()), catalogue, ...(isPaused(ordered) && { paused: true }) };
    },
    { concurrency: 4 },
  );
