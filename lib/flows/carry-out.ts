import pMap from "p-map";
import type { LaunchLimits, LimitScope } from "../model/limits.ts";
import type { Node } from "../model/node.ts";
import type { Snapshot, Step } from "../model/plan.ts";
import type { Fence, Written } from "../ports/pool-ledger.ts";
import { carryThrough, type LaunchDeps } from "./launch-node.ts";

export type CarryOutDeps = LaunchDeps & {
  readonly newId: () => string;
  readonly log: (line: { level: "info" | "error"; message: string; [field: string]: unknown }) => void;
};

/**
 * What came of a step. `again`: it changed what there is to decide on, or could not be done just now;
 * `fenced`: a later decision has begun and nothing more was tried.
 */
export type Outcome = { readonly result: "done" | "again" | "failed" | "fenced"; readonly note: string };

/** Steps that do not depend on each other run side by side, this many at a time. */
const concurrency = 16;

/** Carries out a plan's steps. A step that fails is put on record and does not hold up the others. */
export async function carryOut(deps: CarryOutDeps, fence: Fence, on: { snapshot: Snapshot; steps: readonly Step[] }): Promise<Outcome[]> {
  let fenced = false;
  return pMap(
    on.steps,
    async (step): Promise<Outcome> => {
      if (fenced) return { result: "fenced", note: "a later decision has begun" };
      try {
        const outcome = await take(deps, fence, { step, snapshot: on.snapshot });
        fenced ||= outcome.result === "fenced";
        return outcome;
      } catch (error) {
        const note = error instanceof Error ? error.message : String(error);
        deps.log({ level: "error", message: "a step failed", pool: fence.pool, epoch: fence.epoch, step: step.kind, error: note });
        return { result: "failed", note };
      }
    },
    { concurrency },
  );
}

async function take(deps: CarryOutDeps, fence: Fence, on: { step: Step; snapshot: Snapshot }): Promise<Outcome> {
  const { step, snapshot } = on;
  const { placements } = deps;
  const atMs = deps.now();
  switch (step.kind) {
    case "bind":
      return written(await placements.bind(fence, { entry: step.entry, node: step.node, atMs }));
    case "bind-gang":
      return bindGang(deps, fence, step);
    case "launch":
      return launch(deps, fence, { step, snapshot });
    case "retire":
      return retire(deps, fence, nodeIn(snapshot, step.node));
    case "drain":
      return written(await placements.withdraw(fence, { node: step.node, drain: { because: step.because, untilMs: step.untilMs }, atMs }));
    case "end":
      return end(deps, fence, nodeIn(snapshot, step.node));
    case "lose":
      return lose(deps, fence, { node: nodeIn(snapshot, step.node), because: step.because });
    case "confirm":
      return confirm(deps, fence, nodeIn(snapshot, step.node));
    case "fail":
      return written(await placements.fail(fence, { attempt: step.attempt, reason: step.because, atMs }));
    case "hold":
      return written(await placements.hold(fence, { entry: step.entry, reason: step.because }));
  }
}

async function bindGang(deps: CarryOutDeps, fence: Fence, { entry, nodes }: Extract<Step, { kind: "bind-gang" }>): Promise<Outcome> {
  const outcome = await deps.placements.bindGang(fence, { entry, nodes, atMs: deps.now() });
  const { team, job, attempt } = entry;
  if (outcome === "done") {
    deps.log({ level: "info", message: "gang placed", pool: fence.pool, epoch: fence.epoch, team, job, attempt, nodes });
  }
  return written(outcome);
}

async function launch(
  deps: CarryOutDeps,
  fence: Fence,
  on: { step: Extract<Step, { kind: "launch" }>; snapshot: Snapshot },
): Promise<Outcome> {
  const id = deps.newId();
  const intent = { ...on.step.launch, id, clientToken: `fleetwright-${id}`, intendedAtMs: deps.now() };
  const intended = await deps.placements.intend(fence, intent, limitsFor(intent, on.snapshot));
  if (typeof intended === "object") return atLimit(intended.limit);
  if (intended !== "done") return written(intended);
  const came = await carryThrough(deps, fence, intent);
  deps.log({ level: "info", message: "launch", pool: fence.pool, epoch: fence.epoch, launch: id, came: came.kind, note: came.note });
  return { result: came.kind === "fenced" ? "fenced" : "again", note: `${came.kind} ${came.note}` };
}

const limitsFor = ({ team }: { readonly team?: string | undefined }, { pool, wider }: Snapshot): LaunchLimits => ({
  pool: pool.limits,
  team: team === undefined ? undefined : wider?.limits.teams[team],
  deployment: wider?.limits.deployment,
});

/** A pool's decisions are serial, and see all of its own; what others took since they looked is seen by the next, which says why jobs wait. */
const atLimit = (scope: LimitScope): Outcome => ({ result: scope === "pool" ? "done" : "again", note: `limit of the ${scope}` });

/**
 * Ends a node that holds nothing: fence it first, so that nothing more is given to it, then ask EC2. The fence also tells
 * whether it holds nothing now, whatever the snapshot said, and no node comes back from behind it.
 */
async function retire(deps: CarryOutDeps, fence: Fence, node: Node): Promise<Outcome> {
  const drained = await deps.placements.drain(fence, node.id, deps.now());
  return drained === "done" ? end(deps, fence, node) : written(drained);
}

async function end(deps: CarryOutDeps, fence: Fence, node: Node): Promise<Outcome> {
  if (!(await deps.decisions.isCurrent(fence))) return written("fenced");
  if ((await deps.fleet.terminate(node.id)) === "unknown") return { result: "again", note: "EC2 did not answer" };
  return written(await deps.placements.terminating(fence, node.id, deps.now()));
}

/** Gives a dead node's attempts back to the queue, then makes sure that the instance ends. */
async function lose(deps: CarryOutDeps, fence: Fence, on: { node: Node; because: string }): Promise<Outcome> {
  const { node } = on;
  const back = await takeAllBack(deps, fence, on);
  if (back !== "done") return written(back);
  if (node.state !== "gone") return retire(deps, fence, node);
  if (!(await deps.decisions.isCurrent(fence))) return written("fenced");
  // It may only be stopped, by somebody's hand: an instance that the ledger forgets must end.
  if ((await deps.fleet.terminate(node.id)) === "unknown") return { result: "again", note: "EC2 did not answer" };
  return written(await deps.placements.forget(fence, node.id, deps.now()));
}

async function takeAllBack(deps: CarryOutDeps, fence: Fence, { node, because }: { node: Node; because: string }): Promise<Written> {
  for (const assignment of node.assignments) {
    const reason = `lost ${node.id}: ${because}`;
    const back = await deps.placements.takeBack(fence, { node: node.id, assignment, reason, atMs: deps.now() });
    if (back !== "done") return back;
  }
  return "done";
}

/** One that boots and is over has nothing of its own: what it should have run waits again, and is decided on at once. */
async function confirm(deps: CarryOutDeps, fence: Fence, node: Node): Promise<Outcome> {
  switch (await deps.fleet.look(node.id)) {
    case "over": {
      // "Over" may be shutting down: a node whose worker was heard lately keeps what it holds until EC2 says more, or its lease ends.
      if (node.state === "terminating" && node.assignments.length > 0 && deps.now() < node.leaseUntilMs)
        return { result: "done", note: "it ends, and what it holds is its own until its lease has ended" };
      const back = await takeAllBack(deps, fence, { node, because: "EC2 says that the instance has ended" });
      if (back !== "done") return written(back);
      const forgotten = written(await deps.placements.forget(fence, node.id, deps.now()));
      return node.assignments.length > 0 && forgotten.result === "done" ? { ...forgotten, result: "again" } : forgotten;
    }
    case "live":
      if (node.state === "launching") return { result: "done", note: "it boots" };
      return { result: "done", note: `asked again: ${await deps.fleet.terminate(node.id)}` };
    case "unknown":
      return { result: "done", note: "EC2 did not answer" };
  }
}

function written(outcome: Written): Outcome {
  switch (outcome) {
    case "done":
      return { result: "done", note: "done" };
    case "stale":
      return { result: "again", note: "it had changed" };
    case "fenced":
      return { result: "fenced", note: "a later decision has begun" };
  }
}

function nodeIn(snapshot: Snapshot, id: string): Node {
  const node = snapshot.nodes.find((each) => each.id === id);
  if (!node) throw new Error(`the plan names node ${id}, which its snapshot does not have`);
  return node;
}
