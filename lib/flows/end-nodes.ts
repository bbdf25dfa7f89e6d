import type { Node } from "../model/node.ts";
import type { Snapshot, Step } from "../model/plan.ts";
import type { Fence, Written } from "../ports/pool-ledger.ts";
import { askForEnds, type EndDeps } from "./ask-for-ends.ts";
import { type Outcome, written } from "./outcome.ts";
import { nodeIn, type StepOutcomes, stepByStep } from "./step-outcomes.ts";

export type End = Extract<Step, { kind: "retire" | "end" | "lose" }>;
export const isEnd = (step: Step): step is End => step.kind === "retire" || step.kind === "end" || step.kind === "lose";

/**
 * Ends nodes that hold nothing, those whose time is over, and dead ones after their attempts went back to the queue. Each is
 * fenced first, so that nothing more is given to it; then EC2 is asked for all of them together, and each one's end goes on
 * record.
 */
export async function endNodes(
  deps: EndDeps,
  fence: Fence,
  on: { snapshot: Snapshot; steps: readonly End[]; outcomes: StepOutcomes },
): Promise<void> {
  const { snapshot, steps, outcomes } = on;
  const ready: End[] = [];
  await stepByStep(steps, outcomes, async (step) => {
    const fenced = await fenceOff(deps, fence, { step, node: nodeIn(snapshot, step.node) });
    if (fenced === "done") ready.push(step);
    return written(fenced);
  });
  const unasked = await askForEnds(
    deps,
    fence,
    ready.map(({ node }) => node),
  );
  await stepByStep(ready, outcomes, async ({ node }): Promise<Outcome> => {
    const atMs = deps.now();
    // One that is gone may only be stopped, by somebody's hand: an instance that the ledger forgets must end first.
    const { placements } = deps;
    const isGone = nodeIn(snapshot, node).state === "gone";
    return unasked.get(node) ?? written(await (isGone ? placements.forget(fence, node, atMs) : placements.terminating(fence, node, atMs)));
  });
}

/**
 * The fence also tells whether a node holds nothing now, whatever the snapshot said, and no node comes back from behind it.
 * One that is to end with what it holds was withdrawn before.
 */
async function fenceOff(deps: EndDeps, fence: Fence, { step, node }: { step: End; node: Node }): Promise<Written> {
  if (step.kind === "end") return "done";
  const back = step.kind === "lose" ? await takeAllBack(deps, fence, { node, because: step.because }) : "done";
  return back !== "done" || node.state === "gone" ? back : deps.placements.drain(fence, node.id, deps.now());
}

/** Gives what a dead node holds back to the queue. */
export async function takeAllBack(deps: EndDeps, fence: Fence, { node, because }: { node: Node; because: string }): Promise<Written> {
  for (const assignment of node.assignments) {
    const reason = `lost ${node.id}: ${because}`;
    const back = await deps.placements.takeBack(fence, { node: node.id, assignment, reason, atMs: deps.now() });
    if (back !== "done") return back;
  }
  return "done";
}
