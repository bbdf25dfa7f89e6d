import { type Node, wasNeverOrdered } from "../../model/node.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import type { Fence, Written } from "../../ports/pool-ledger.ts";
import { type EndDeps, requestEnds } from "../ec2/end-requests.ts";
import { recordBootFailure, takeBack } from "../ec2/lost-nodes.ts";
import { type StepOutcome, written } from "../ec2/outcome.ts";
import { nodeIn, type StepOutcomes, stepByStep } from "./step-outcomes.ts";

export type EndStep = Extract<Step, { kind: "retire" | "end" | "lose" }>;
export const isEnd = (step: Step): step is EndStep => step.kind === "retire" || step.kind === "end" || step.kind === "lose";

/**
 * Ends nodes. Each is fenced first, so that it gets nothing more. Then EC2 is asked to end all of them together, and each end is recorded.
 * What a node has been ordered to run is taken back only if EC2 has said that the instance has ended, because until then it may still run.
 */
export async function endNodes(
  deps: EndDeps,
  fence: Fence,
  on: { snapshot: Snapshot; steps: readonly EndStep[]; outcomes: StepOutcomes },
): Promise<void> {
  const { snapshot, steps, outcomes } = on;
  const ready: EndStep[] = [];
  await stepByStep(steps, outcomes, async (step) => {
    const fenced = await fenceOff(deps, fence, { step, node: nodeIn(snapshot, step.node), maxLosses: snapshot.pool.maxLosses });
    if (fenced === "done") ready.push(step);
    return written(fenced);
  });
  const notRequested = await requestEnds(
    deps,
    fence,
    ready.map(({ node }) => node),
  );
  await stepByStep(ready, outcomes, async ({ node }): Promise<StepOutcome> => {
    const atMs = deps.now();
    // A node that is gone may only have been stopped by hand, and an instance must end before the ledger forgets it.
    const { placements } = deps;
    const isGone = nodeIn(snapshot, node).state === "gone";
    return (
      notRequested.get(node) ??
      written(await (isGone ? placements.removeNode(fence, node, atMs) : placements.terminating(fence, node, atMs)))
    );
  });
}

type Ending<S> = { readonly step: S; readonly node: Node; readonly maxLosses: number };

/** Makes sure that a node never gets work again, whatever the snapshot said. */
async function fenceOff(deps: EndDeps, fence: Fence, { step, ...of }: Ending<EndStep>): Promise<Written> {
  switch (step.kind) {
    // The write succeeds only if the node holds nothing now.
    case "retire":
      return deps.placements.fenceIdle(fence, step.node, deps.now());
    case "end":
      return withdraw(deps, fence, { step, ...of });
    case "lose":
      return lose(deps, fence, { step, ...of });
  }
}

/**
 * Withdraws a node with what it holds. Boot failures and ends for silence are noted before the node leaves the ledger, because they could not be
 * noted later. Noting one twice counts once.
 */
async function withdraw(deps: EndDeps, fence: Fence, { step, node }: Ending<Extract<EndStep, { kind: "end" }>>): Promise<Written> {
  const { placements } = deps;
  const atMs = deps.now();
  const noted = step.neverBooted
    ? await recordBootFailure(deps, fence, node)
    : step.silent
      ? await placements.endedSilent(fence, { node: node.id, zone: node.offer.zone, atMs })
      : "done";
  if (noted !== "done") return noted;
  const fenced = await placements.withdraw(fence, node.id, atMs);
  if (fenced !== "done") return fenced;
  return takeBackUnordered(deps, fence, { node, because: step.because });
}

/** Takes back what a node holds but was never handed out. If one of these has just been handed out, it stays, like the others. */
export function takeBackUnordered(deps: EndDeps, fence: Fence, { node, because }: { node: Node; because: string }): Promise<Written> {
  const never = node.assignments.filter(wasNeverOrdered);
  return takeBack(deps, fence, { node, assignments: never, because, ifStale: "skip" });
}

async function lose(deps: EndDeps, fence: Fence, { step, node, maxLosses }: Ending<Extract<EndStep, { kind: "lose" }>>): Promise<Written> {
  const noted = step.neverBooted ? await recordBootFailure(deps, fence, node) : "done";
  if (noted !== "done") return noted;
  return takeBack(deps, fence, { node, assignments: node.assignments, because: step.because, maxLosses });
}
