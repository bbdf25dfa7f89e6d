import pMap from "p-map";
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
    case "launch":
      return launch(deps, fence, { step, snapshot });
    case "retire":
      return retire(deps, fence, nodeIn(snapshot, step.node));
    case "lose":
      return lose(deps, fence, { node: nodeIn(snapshot, step.node), because: step.because });
    case "confirm":
      return confirm(deps, fence, step.node);
    case "fail":
      return written(await placements.fail(fence, { attempt: step.attempt, reason: step.because, atMs }));
    case "hold":
      return written(await placements.hold(fence, { entry: step.entry, reason: step.because }));
  }
}

async function launch(
  deps: CarryOutDeps,
  fence: Fence,
  on: { step: Extract<Step, { kind: "launch" }>; snapshot: Snapshot },
): Promise<Outcome> {
  const id = deps.newId();
  const intent = { ...on.step.launch, id, clientToken: `fleetwright-${id}`, intendedAtMs: deps.now() };
  const intended = await deps.placements.intend(fence, intent, on.snapshot.pool.limits);
  if (intended === "limit") return { result: "done", note: "limit" };
  if (intended !== "done") return written(intended);
  const came = await carryThrough(deps, fence, intent);
  deps.log({ level: "info", message: "launch", pool: fence.pool, epoch: fence.epoch, launch: id, came: came.kind, note: came.note });
  return { result: came.kind === "fenced" ? "fenced" : "again", note: `${came.kind} ${came.note}` };
}

/** Ends a node that holds nothing: fence it first, so that nothing more is given to it, then ask EC2. */
async function retire(deps: CarryOutDeps, fence: Fence, node: Node): Promise<Outcome> {
  if (node.state !== "draining") {
    const drained = await deps.placements.drain(fence, node.id, deps.now());
    if (drained !== "done") return written(drained);
  }
  if (!(await deps.decisions.isCurrent(fence))) return written("fenced");
  if ((await deps.fleet.terminate(node.id)) === "unknown") return { result: "again", note: "EC2 did not answer" };
  return written(await deps.placements.terminating(fence, node.id, deps.now()));
}

/** Gives a dead node's attempts back to the queue, then makes sure that the instance ends. */
async function lose(deps: CarryOutDeps, fence: Fence, on: { node: Node; because: string }): Promise<Outcome> {
  const { node } = on;
  for (const assignment of node.assignments) {
    const reason = `lost ${node.id}: ${on.because}`;
    const back = await deps.placements.takeBack(fence, { node: node.id, assignment, reason, atMs: deps.now() });
    if (back !== "done") return written(back);
  }
  if (node.state !== "gone") return retire(deps, fence, node);
  if (!(await deps.decisions.isCurrent(fence))) return written("fenced");
  // It may only be stopped, by somebody's hand: an instance that the ledger forgets must end.
  if ((await deps.fleet.terminate(node.id)) === "unknown") return { result: "again", note: "EC2 did not answer" };
  return written(await deps.placements.forget(fence, node.id, deps.now()));
}

async function confirm(deps: CarryOutDeps, fence: Fence, node: string): Promise<Outcome> {
  switch (await deps.fleet.look(node)) {
    case "over":
      return written(await deps.placements.forget(fence, node, deps.now()));
    case "live":
      return { result: "done", note: `asked again: ${await deps.fleet.terminate(node)}` };
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
