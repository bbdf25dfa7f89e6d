import pMap from "p-map";
import type { Node } from "../../model/node.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import { type InstanceStatus, maxAtOnce } from "../../ports/fleet.ts";
import type { Fence } from "../../ports/pool-ledger.ts";
import { type EndDeps, parts, requestEnds } from "../ec2/end-requests.ts";
import { recordBootFailure, takeAllBack } from "../ec2/lost-nodes.ts";
import { failedBy, type StepOutcome, throttledBy, waitsForTurn, written } from "../ec2/outcome.ts";
import { nodeIn, type StepOutcomes, stepByStep } from "./step-outcomes.ts";

type Confirm = Extract<Step, { kind: "confirm" }>;

/** Calls that run at the same time. */
const concurrency = 4;

/**
 * Asks EC2 about nodes whose end was requested a while ago, or that have been booting for long. If a node has ended, its jobs
 * wait again and are decided on at once. If a node lives although its end was requested, the end is requested again.
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
  const notRequested = await requestEnds(
    deps,
    fence,
    living.map((node) => node.id),
  );
  await stepByStep(steps, outcomes, async (step): Promise<StepOutcome> => {
    const node = nodeIn(snapshot, step.node);
    const now = seen.get(step.node) ?? "unknown";
    if (typeof now === "object") return now;
    switch (now) {
      case "over":
        return forget(deps, fence, { node, maxLosses: snapshot.pool.maxLosses });
      case "live":
        if (node.state === "launching") return { result: "done", note: "still booting" };
        return notRequested.get(step.node) ?? { result: "done", note: "end requested again and accepted" };
      case "denied":
        return { result: "failed", note: "not allowed to describe it" };
      case "throttled":
      case "unknown":
        return { result: "done", note: "EC2 did not respond" };
    }
  });
}

async function forget(deps: EndDeps, fence: Fence, { node, maxLosses }: { node: Node; maxLosses: number }): Promise<StepOutcome> {
  // "over" may mean shutting down, so a node keeps what it holds until EC2's event about its end arrives, or its lease ends.
  if (node.state === "terminating" && node.assignments.length > 0 && deps.now() < node.leaseUntilMs)
    return { result: "done", note: "it is ending, and keeps what it holds until its lease has ended" };
  const noted = node.state === "launching" ? await recordBootFailure(deps, fence, node) : "done";
  if (noted !== "done") return written(noted);
  const back = await takeAllBack(deps, fence, { node, because: "EC2 says that the instance has ended", maxLosses });
  if (back !== "done") return written(back);
  const forgotten = written(await deps.placements.removeNode(fence, node.id, deps.now()));
  return node.assignments.length > 0 && forgotten.result === "done" ? { ...forgotten, result: "again" } : forgotten;
}

/** Returns what EC2 says about each instance, or why EC2 was not asked. */
async function lookAt(deps: EndDeps, instances: readonly string[]): Promise<ReadonlyMap<string, InstanceStatus | StepOutcome>> {
  const looked = await pMap(
    parts(instances, maxAtOnce),
    async (ids): Promise<(readonly [string, InstanceStatus | StepOutcome])[]> => {
      try {
        const seen = await lookOnce(deps, ids);
        return ids.map((id) => [id, "result" in seen ? seen : (seen.get(id) ?? "unknown")]);
      } catch (error) {
        return ids.map((id) => [id, failedBy(error)]);
      }
    },
    { concurrency },
  );
  return new Map(looked.flat());
}

async function lookOnce(deps: EndDeps, ids: readonly string[]): Promise<ReadonlyMap<string, InstanceStatus> | StepOutcome> {
  const grant = await deps.rateLimiter.acquire({ kind: "describe", priority: "end", instances: ids.length });
  if (grant.kind === "later") return waitsForTurn(grant);
  const seen = await deps.fleet.look(ids);
  return [...seen.values()].includes("throttled") ? throttledBy(await deps.rateLimiter.throttled("describe")) : seen;
}
