import pMap from "p-map";
import type { Node } from "../../model/node.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import { mostAtOnce, type Seen } from "../../ports/fleet.ts";
import type { Fence } from "../../ports/pool-ledger.ts";
import { askForEnds, type EndDeps, parts } from "../ec2/ask-for-ends.ts";
import { noteBootFailure, takeAllBack } from "../ec2/lost-nodes.ts";
import { failedBy, type Outcome, throttledBy, waitsForTurn, written } from "../ec2/outcome.ts";
import { nodeIn, type StepOutcomes, stepByStep } from "./step-outcomes.ts";

type Confirm = Extract<Step, { kind: "confirm" }>;

/** Calls that are under way together. */
const concurrency = 4;

/**
 * Looks at nodes whose end was asked for a while ago, or that boot for long. One that is over has nothing of its own: what
 * it should have run waits again, and is decided on at once. One that should be over and lives is asked for again.
 */
export async function confirmNodes(
  deps: EndDeps,
  fence: Fence,
  on: { snapshot: Snapshot; steps: readonly Confirm[]; outcomes: StepOutcomes },
): Promise<void> {
  const { snapshot, steps, outcomes } = on;
  const nodes = new Map(steps.map((step) => [step.node, nodeIn(snapshot, step.node)]));
  const seen = await lookAt(deps, [...nodes.keys()]);
  const living = [...nodes.values()].filter((node) => node.state !== "launching" && seen.get(node.id) === "live");
  const unasked = await askForEnds(
    deps,
    fence,
    living.map((node) => node.id),
  );
  await stepByStep(steps, outcomes, async (step): Promise<Outcome> => {
    const node = nodeIn(snapshot, step.node);
    const now = seen.get(step.node) ?? "unknown";
    if (typeof now === "object") return now;
    switch (now) {
      case "over":
        return forget(deps, fence, { node, mostLosses: snapshot.pool.mostLosses });
      case "live":
        if (node.state === "launching") return { result: "done", note: "it boots" };
        return unasked.get(step.node) ?? { result: "done", note: "asked again: accepted" };
      case "denied":
        return { result: "failed", note: "not allowed to look at it" };
      case "throttled":
      case "unknown":
        return { result: "done", note: "EC2 did not answer" };
    }
  });
}

async function forget(deps: EndDeps, fence: Fence, { node, mostLosses }: { node: Node; mostLosses: number }): Promise<Outcome> {
  // "Over" may be shutting down: a node whose worker was heard lately keeps what it holds until EC2 says more, or its lease ends.
  if (node.state === "terminating" && node.assignments.length > 0 && deps.now() < node.leaseUntilMs)
    return { result: "done", note: "it ends, and what it holds is its own until its lease has ended" };
  const noted = node.state === "launching" ? await noteBootFailure(deps, fence, node) : "done";
  if (noted !== "done") return written(noted);
  const back = await takeAllBack(deps, fence, { node, because: "EC2 says that the instance has ended", mostLosses });
  if (back !== "done") return written(back);
  const forgotten = written(await deps.placements.forget(fence, node.id, deps.now()));
  return node.assignments.length > 0 && forgotten.result === "done" ? { ...forgotten, result: "again" } : forgotten;
}

/** What EC2 says of each, or why it was not asked. */
async function lookAt(deps: EndDeps, instances: readonly string[]): Promise<ReadonlyMap<string, Seen | Outcome>> {
  const looked = await pMap(
    parts(instances, mostAtOnce),
    async (ids): Promise<(readonly [string, Seen | Outcome])[]> => {
      try {
        const answer = await lookOnce(deps, ids);
        return ids.map((id) => [id, "result" in answer ? answer : (answer.get(id) ?? "unknown")]);
      } catch (error) {
        return ids.map((id) => [id, failedBy(error)]);
      }
    },
    { concurrency },
  );
  return new Map(looked.flat());
}

async function lookOnce(deps: EndDeps, ids: readonly string[]): Promise<ReadonlyMap<string, Seen> | Outcome> {
  const turn = await deps.turns.take({ kind: "describe", lane: "end", instances: ids.length });
  if (turn.kind === "later") return waitsForTurn(turn);
  const seen = await deps.fleet.look(ids);
  return [...seen.values()].includes("throttled") ? throttledBy(await deps.turns.throttled("describe")) : seen;
}
