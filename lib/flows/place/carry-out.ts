import { isReplacement } from "../../decide/placement/replacement.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { jobName, type QueueEntry } from "../../model/job.ts";
import type { Launch } from "../../model/launch.ts";
import type { LaunchLimits, LimitScope } from "../../model/limits.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import { own } from "../../model/values/own.ts";
import type { Log } from "../../ports/log.ts";
import type { Fence } from "../../ports/pool-ledger.ts";
import type { Ports } from "../../ports/ports.ts";
import type { LaunchDeps } from "../ec2/launching.ts";
import { type StepOutcome, throttledBy, waitsForTurn, written } from "../ec2/outcome.ts";
import { clientToken } from "./client-token.ts";
import { confirmNodes } from "./confirm-nodes.ts";
import { endNodes, isEnd, takeBackUnordered } from "./end-nodes.ts";
import { carryThrough } from "./launch-node.ts";
import { measureLaunch } from "./measure-launch.ts";
import { claimProbes } from "./remember-capacity.ts";
import { nodeIn, stepByStep, stepOutcomes } from "./step-outcomes.ts";

export type CarryOutDeps = LaunchDeps &
  Pick<Ports, "lane"> & {
    readonly newId: () => string;
    readonly log: Log;
  };

type Single = Exclude<Step, { kind: "retire" | "end" | "lose" | "confirm" }>;

/**
 * Carries out a plan's steps, and returns the outcome of each. A step that fails is recorded and does not delay the
 * others. All nodes to end, and all nodes to confirm, are sent to EC2 together in a few calls.
 */
export async function carryOut(
  deps: CarryOutDeps,
  fence: Fence,
  on: { snapshot: Snapshot; steps: readonly Step[] },
): Promise<StepOutcome[]> {
  const { snapshot, steps } = on;
  const outcomes = stepOutcomes((step, { note, error }) =>
    deps.log({ level: "error", message: "step failed", pool: fence.pool, epoch: fence.epoch, step: step.kind, note, error }),
  );
  const ends = steps.filter(isEnd);
  const confirms = steps.filter((step) => step.kind === "confirm");
  const singles = steps.filter((step): step is Single => !isEnd(step) && step.kind !== "confirm");
  await Promise.all([
    endNodes(deps, fence, { snapshot, steps: ends, outcomes }),
    confirmNodes(deps, fence, { snapshot, steps: confirms, outcomes }),
    stepByStep(singles, outcomes, (step) => takeReadable(deps, fence, { step, snapshot })),
  ]);
  await wakeOthers(
    deps,
    fence,
    steps.filter((step) => step.kind === "move" && outcomes.of(step).result !== "fenced"),
  );
  return steps.map(outcomes.of);
}

/**
 * Takes a step. If it fails because the job's record cannot be read, the job is set aside. Otherwise the next decision would take the same
 * step, and launch nodes on which the job never begins.
 */
async function takeReadable(deps: CarryOutDeps, fence: Fence, on: { step: Single; snapshot: Snapshot }): Promise<StepOutcome> {
  try {
    return await take(deps, fence, on);
  } catch (error) {
    const entry = entryOfStep(on);
    if (!entry || !(error instanceof FleetError) || error.code !== "broken-item") throw error;
    const { team, job } = entry;
    deps.log({ level: "error", message: "job set aside", pool: fence.pool, epoch: fence.epoch, step: on.step.kind, team, job, error });
    const outcome = await deps.placements.setAside(fence, entry);
    // The room that it would have got is decided on again.
    return outcome === "fenced" ? written(outcome) : { result: "again", note: "its job cannot be read, and was set aside" };
  }
}

/** Returns the waiting job that a step is about; undefined if it is about none. */
function entryOfStep({ step, snapshot }: { step: Single; snapshot: Snapshot }): QueueEntry | undefined {
  if (step.kind === "fail") return snapshot.queue.find((entry) => jobName(entry) === jobName(step.attempt));
  return "entry" in step ? step.entry : undefined;
}

async function take(deps: CarryOutDeps, fence: Fence, on: { step: Single; snapshot: Snapshot }): Promise<StepOutcome> {
  const { step, snapshot } = on;
  const { placements } = deps;
  const atMs = deps.now();
  switch (step.kind) {
    case "bind":
      return written(await placements.bind(fence, { entry: step.entry, node: nodeIn(snapshot, step.node), atMs }));
    case "bind-gang":
      return bindGang(deps, fence, { step, snapshot });
    case "rebind":
      return written(await placements.rebind(fence, { attempt: step.attempt, from: step.from, node: nodeIn(snapshot, step.node), atMs }));
    case "launch":
      return launch(deps, fence, { step, snapshot });
    case "drain": {
      const { kind: _, node, ...drain } = step;
      return written(await placements.drain(fence, { node, drain, atMs }));
    }
    case "undrain":
      return written(await placements.undrain(fence, { node: step.node, drain: step.drain, atMs }));
    case "unbind":
      return written(await takeBackUnordered(deps, fence, { node: nodeIn(snapshot, step.node), because: step.because }));
    case "heal":
      return written(await placements.healed(fence, step.nodes));
    case "fail":
      return written(await placements.fail(fence, { attempt: step.attempt, failure: step.failure, reason: step.because, atMs }));
    case "move":
      return move(deps, fence, step);
    case "hold":
      return written(await placements.hold(fence, { entry: step.entry, reason: step.because }));
  }
}

async function move(deps: CarryOutDeps, fence: Fence, { entry, to, because }: Extract<Step, { kind: "move" }>): Promise<StepOutcome> {
  const outcome = await deps.placements.move(fence, { entry, to, reason: because });
  const { team, job, attempt } = entry;
  if (outcome === "done") deps.log({ level: "info", message: "job moved", pool: fence.pool, epoch: fence.epoch, team, job, attempt, to });
  return written(outcome);
}

/** Wakes the pools that jobs moved to. The moves have rung their bells, so the tick sends a lane message that is lost here. */
async function wakeOthers(deps: CarryOutDeps, fence: Fence, moves: readonly Step[]): Promise<void> {
  const pools = new Set(moves.flatMap((step) => (step.kind === "move" ? [step.to] : [])));
  for (const pool of [...pools].sort())
    try {
      await deps.lane.send(pool);
    } catch (error) {
      deps.log({ level: "error", message: "pool of a moved job not woken", pool, epoch: fence.epoch, error });
    }
}

async function bindGang(
  deps: CarryOutDeps,
  fence: Fence,
  { step: { entry, nodes }, snapshot }: { step: Extract<Step, { kind: "bind-gang" }>; snapshot: Snapshot },
): Promise<StepOutcome> {
  const outcome = await deps.placements.bindGang(fence, { entry, nodes: nodes.map((id) => nodeIn(snapshot, id)), atMs: deps.now() });
  const { team, job, attempt } = entry;
  if (outcome === "done") {
    deps.log({ level: "info", message: "gang placed", pool: fence.pool, epoch: fence.epoch, team, job, attempt, nodes });
  }
  return written(outcome);
}

/** Takes a turn at EC2 before writing the intent, so that the next decision is free to decide again if there is no turn now. */
async function launch(
  deps: CarryOutDeps,
  fence: Fence,
  on: { step: Extract<Step, { kind: "launch" }>; snapshot: Snapshot },
): Promise<StepOutcome> {
  const { launch: wanted } = on.step;
  const priority = isReplacement(wanted, on.snapshot.queue) ? "replace" : "grow";
  const grant = await deps.rateLimiter.acquire({ kind: "launch", priority, instances: wanted.count });
  if (grant.kind === "later") return waitsForTurn(grant);
  const id = deps.newId();
  const offers = await claimProbes(deps.capacity, { launch: wanted, snapshot: on.snapshot, atMs: deps.now() });
  if (offers.length === 0) return { result: "stale", note: "another launch is trying these offers" };
  const request = { ...wanted, offers, id, intendedAtMs: deps.now() };
  const intent = { ...request, clientToken: clientToken(request) };
  const intended = await deps.placements.intend(fence, intent, limitsFor(intent, on.snapshot));
  if (typeof intended === "object") return atLimit(intended.limit);
  if (intended !== "done") return written(intended);
  const came = await carryThrough(deps, fence, { launch: intent, sending: "first" });
  deps.log({
    level: "info",
    message: "launch requested",
    pool: fence.pool,
    epoch: fence.epoch,
    launch: id,
    came: came.kind,
    note: came.note,
    error: came.error,
  });
  measureLaunch(deps, { launch: intent, queue: on.snapshot.queue, came });
  if (came.kind === "throttled") return withdrawThrottled(deps, fence, intent);
  return { result: came.kind === "fenced" ? "fenced" : "again", note: `${came.kind} ${came.note}` };
}

/**
 * Closes the intent of a first request that EC2 throttled, because it was not carried out; its jobs are decided on again when
 * there is a turn. (An intent that was repeated stays open, because an earlier request may have been carried out. Closing an intent
 * twice has no further effect.)
 */
async function withdrawThrottled(deps: CarryOutDeps, fence: Fence, launch: Launch): Promise<StepOutcome> {
  const later = await deps.rateLimiter.throttled("launch");
  const closed = await deps.placements.settle(fence, { launch, nodes: [], atMs: deps.now() });
  return closed === "fenced" ? written(closed) : throttledBy(later);
}

const limitsFor = ({ team }: { readonly team?: string | undefined }, { pool, wider }: Snapshot): LaunchLimits => ({
  pool: pool.limits,
  team: own(wider?.limits.teams, team),
  deployment: wider?.limits.deployment,
});

/**
 * A pool's decisions are serial, so each has seen all of its own pool's reservations. But other pools may have reserved more since the
 * snapshot; then the next decision sees that, and records why jobs wait.
 */
const atLimit = (scope: LimitScope): StepOutcome => ({ result: scope === "pool" ? "done" : "stale", note: `limit of the ${scope}` });
