import { judgeSearch } from "../../decide/launches/open-launch.ts";
import type { Launch } from "../../model/launch.ts";
import type { FoundInstances } from "../../ports/fleet.ts";
import type { Fence } from "../../ports/pool-ledger.ts";
import type { LaunchDeps, Launched } from "../ec2/launching.ts";
import { nodeOf } from "./launched-node.ts";

/**
 * Searches EC2 for the instances of a launch whose request must not be repeated any more, or is no longer accepted. The
 * reservation stays, and the intent stays open, until it is known which instances were launched, or that there are none.
 */
export async function searchFor(deps: LaunchDeps, fence: Fence, on: { launch: Launch; why: string }): Promise<Launched> {
  const { launch, why } = on;
  const read = await findInTurn(deps, launch);
  if (read.kind !== "read") return { kind: "open", note: `${why}; searching for it failed: ${read.message}`, error: read.error };
  const nowMs = deps.now();
  const verdict = judgeSearch(launch, read.instances, { why, nowMs });
  if (verdict.kind === "wait") {
    const noted = await deps.placements.recordSearch(fence, { launch: launch.id, search: verdict.search });
    return noted === "done" ? { kind: "open", note: `${verdict.search.why}; searching for it by its tag` } : { kind: noted, note: why };
  }
  const nodes = verdict.instances.map((instance) => nodeOf(instance, launch, nowMs));
  const written = await deps.placements.settle(fence, { launch, nodes, atMs: nowMs });
  if (written !== "done") return { kind: written, note: verdict.reason };
  const ids = nodes.map(({ id }) => id).join(", ");
  return { kind: nodes.length > 0 ? "launched" : "retired", note: `${verdict.reason}${ids && `: ${ids}`}` };
}

/** Reads by a launch's tag, once there is a turn. It uses the first priority, because instances that may exist are already being paid for. */
export async function findInTurn(deps: LaunchDeps, launch: Launch): Promise<FoundInstances> {
  const grant = await deps.rateLimiter.acquire({ kind: "describe", priority: "end", instances: launch.count });
  return grant.kind === "later" ? { kind: "unknown", message: "waiting for a turn at EC2" } : deps.fleet.find(launch.id);
}
