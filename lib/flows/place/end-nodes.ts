import type { Node } from "../../model/node.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import type { Fence, Written } from "../../ports/pool-ledger.ts";
import { type EndDeps, requestEnds } from "../ec2/end-requests.ts";
import { recordBootFailure, takeAllBack } from "../ec2/lost-nodes.ts";
import { type StepOutcome, written } from "../ec2/outcome.ts";
import { nodeIn, type StepOutcomes, stepByStep } from "./step-outcomes.ts";

export type EndStep = Extract<Step, { kind: "retire" | "end" | "lose" }>;
export const isEnd = (step: Step): step is EndStep => step.kind === "retire" || step.kind === "end" || step.kind === "lose";

/**
 * Ends nodes that hold nothing, nodes whose time is over, and dead nodes after returning their attempts to the queue. Each is
 * fenced first, so that it gets nothing more. Then EC2 is asked to end all of them together, and each end is recorded.
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

/**
 * Fences a node. The write succeeds only if the node holds nothing now, whatever the snapshot said, and a fenced node never gets work
 * again. A node that will end with what it holds was withdrawn before, so it needs no fence.
 */
async function fenceOff(
  deps: EndDeps,
  fence: Fence,
  { step, node, maxLosses }: { step: EndStep; node: Node; maxLosses: number },
): Promise<Written> {
  if (step.kind === "end") return "done";
  const back = step.kind === "lose" ? await lose(deps, fence, { step, node, maxLosses }) : "done";
  return back !== "done" || node.state === "gone" ? back : deps.placements.fenceIdle(fence, node.id, deps.now());
}

type Lose = Extract<Step, { kind: "lose" }>;

/** Notes a boot failure before the node leaves the ledger, because it could not be noted later. Noting it twice counts once. */
async function lose(
  deps: EndDeps,
  fence: Fence,
  { step, node, maxLosses }: { step: Lose; node: Node; maxLosses: number },
): Promise<Written> {
  const noted = step.neverBooted ? await recordBootFailure(deps, fence, node) : "done";
  return noted === "done" ? takeAllBack(deps, fence, { node, because: step.because, maxLosses }) : noted;
}
