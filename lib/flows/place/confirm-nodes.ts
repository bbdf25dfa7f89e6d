import pMap from "p-map";
import { impairedSince, isSilent, missingSince } from "../../model/heartbeat/heartbeat.ts";
import type { Node } from "../../model/node.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import { type InstanceStatus, maxAtOnce } from "../../ports/fleet.ts";
import type { Fence } from "../../ports/pool-ledger.ts";
import { type EndDeps, parts, requestEnds } from "../ec2/end-requests.ts";
import { failedBy, type StepOutcome, throttledBy, waitsForTurn, written } from "../ec2/outcome.ts";
import { nodeIn, type StepOutcomes, stepByStep } from "./step-outcomes.ts";

type Confirm = Extract<Step, { kind: "confirm" }>;

/** Calls that run at the same time. */
const concurrency = 4;

/**
 * Asks EC2 about nodes whose end was requested a while ago, or that boot or are silent. If an instance has ended, that is recorded,
 * as EC2's event would have been. If one lives although its end was requested, the end is requested again.
 */
export async function confirmNodes(
  deps: EndDeps,
  fence: Fence,
  on: { snapshot: Snapshot; steps: readonly Confirm[]; outcomes: StepOutcomes },
): Promise<void> {
  const { snapshot, steps, outcomes } = on;
  const askedAtMs = deps.now();
  const nodes = new Map(steps.map((step) => [step.node, nodeIn(snapshot, step.node)]));
  const seen = await lookAt(deps, [...nodes.keys()]);
  const silent = [...nodes.values()].filter((node) => seen.get(node.id) === "live" && isSilent(node, deps.now()));
  const impaired = await checked(deps, silent);
  const living = [...nodes.values()].filter((node) => node.state === "terminating" && seen.get(node.id) === "live");
  const notRequested = await requestEnds(
    deps,
    fence,
    living.map((node) => node.id),
  );
  await stepByStep(steps, outcomes, async (step): Promise<StepOutcome> => {
    const node = nodeIn(snapshot, step.node);
    const now = seen.get(step.node) ?? "unknown";
    if (typeof now === "object") return now;
    return now === "live" || now === "ending"
      ? present(deps, fence, { node, now, fails: impaired.get(node.id), notRequested: notRequested.get(node.id) })
      : away(deps, fence, { node, now, askedAtMs });
  });
}

type Present = {
  readonly node: Node;
  readonly now: "live" | "ending";
  readonly fails: boolean | undefined;
  readonly notRequested: StepOutcome | undefined;
};

/** Records what EC2 says about an instance that has not ended. */
async function present(deps: EndDeps, fence: Fence, { node, now, fails, notRequested }: Present): Promise<StepOutcome> {
  if (node.missingSinceMs !== undefined) return written(await deps.placements.missing(fence, node.id, undefined));
  if (now === "ending") return { result: "same", note: "it is shutting down, and what runs on it may still run" };
  if (fails !== undefined) return noteChecks(deps, fence, { node, fails });
  if (node.state !== "terminating") return { result: "same", note: "EC2 says that it runs" };
  return notRequested ?? { result: "same", note: "end requested again and accepted" };
}

type Away = { readonly node: Node; readonly now: Exclude<InstanceStatus, "live" | "ending">; readonly askedAtMs: number };

/** What EC2 shows may be this old, and clocks are wrong by seconds. */
const shownLateMs = 120_000;

/** Records that an instance has ended, if EC2 says so. */
function away(deps: EndDeps, fence: Fence, { node, now, askedAtMs }: Away): StepOutcome | Promise<StepOutcome> {
  switch (now) {
    // It may have been started again by hand since, and its worker may have got work.
    case "stopped":
      return toGone(deps, fence, { node, stoppedAtMs: askedAtMs - shownLateMs });
    case "terminated":
      return toGone(deps, fence, { node });
    case "absent":
      return absent(deps, fence, node);
    case "denied":
      return { result: "failed", note: "not allowed to describe it" };
    case "throttled":
    case "unknown":
      return { result: "same", note: "EC2 did not respond" };
  }
}

/** Returns for each node whether it fails EC2's status checks, and nothing for those of which EC2 did not say it. */
async function checked(deps: EndDeps, nodes: readonly Node[]): Promise<ReadonlyMap<string, boolean>> {
  const found = new Map<string, boolean>();
  await pMap(
    parts(
      nodes.map(({ id }) => id),
      maxAtOnce,
    ),
    async (ids) => {
      const grant = await deps.rateLimiter.acquire({ kind: "describe", priority: "end", instances: ids.length });
      const impaired = grant.kind === "later" ? undefined : await deps.fleet.impaired(ids);
      if (impaired) for (const id of ids) found.set(id, impaired.has(id));
    },
    { concurrency },
  );
  return found;
}

/** Records since when a silent node fails EC2's status checks, or that it passes them again. */
async function noteChecks(deps: EndDeps, fence: Fence, { node, fails }: { node: Node; fails: boolean }): Promise<StepOutcome> {
  const note = fails ? "EC2 says that it runs, but fails its status checks" : "EC2 says that it runs";
  if (fails ? impairedSince(node) !== undefined : node.impairedSinceMs === undefined) return { result: "same", note };
  const noted = written(await deps.placements.impaired(fence, node.id, fails ? deps.now() : undefined));
  return noted.result === "done" ? { ...noted, note } : noted;
}

/** Records that the instance has ended. The next decision, which follows at once, takes back what it held. */
async function toGone(deps: EndDeps, fence: Fence, { node, stoppedAtMs }: { node: Node; stoppedAtMs?: number }): Promise<StepOutcome> {
  const gone = written(await deps.placements.gone(fence, node.id, { atMs: deps.now(), stoppedAtMs }));
  return gone.result === "done" ? { result: "again", note: "EC2 says that the instance has ended" } : gone;
}

/** An instance that EC2 has known is taken for ended if EC2 did not know it in two reads that are this far apart. */
const missingForMs = 60_000;
/** What EC2 shows about an instance that is younger than this may be behind. */
const youngMs = 10 * 60_000;

async function absent(deps: EndDeps, fence: Fence, node: Node): Promise<StepOutcome> {
  const nowMs = deps.now();
  // What EC2 shows about a young instance may be behind, so it is no beginning of a time without it either.
  if (nowMs - node.launchedAtMs < youngMs) return { result: "same", note: "EC2 does not know it, which does not count yet" };
  const sinceMs = missingSince(node);
  if (sinceMs === undefined) {
    const noted = written(await deps.placements.missing(fence, node.id, nowMs));
    return noted.result === "done" ? { ...noted, note: "EC2 does not know it; it is asked again before that counts" } : noted;
  }
  if (nowMs - sinceMs < missingForMs) return { result: "same", note: "EC2 does not know it, which does not count yet" };
  return toGone(deps, fence, { node });
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
