import { judgeSearch } from "../../decide/launches/open-launch.ts";
import type { Launch } from "../../model/launch.ts";
import type { FoundInstances } from "../../ports/fleet.ts";
import type { Fence } from "../../ports/pool-ledger.ts";
import type { LaunchDeps, Launched } from "../ec2/launching.ts";
import { nodeOf } from "./launched-node.ts";

/**
 * Searches EC2 for what came of a launch whose request may not be repeated any more, or is not taken any more. What is
 * reserved stays so, and the intent stays open, until it is known what came, or that nothing did.
 */
export async function searchFor(deps: LaunchDeps, fence: Fence, on: { launch: Launch; why: string }): Promise<Launched> {
  const { launch, why } = on;
  const read = await findInTurn(deps, launch);
  if (read.kind !== "read") return { kind: "open", note: `${why}; it cannot be searched for: ${read.message}`, error: read.error };
  const nowMs = deps.now();
  const verdict = judgeSearch(launch, read.instances, { why, nowMs });
  if (verdict.kind === "wait") {
    const noted = await deps.placements.noteSearch(fence, { launch: launch.id, search: verdict.search });
    return noted === "done" ? { kind: "open", note: `${verdict.search.why}; it is searched for by its tag` } : { kind: noted, note: why };
  }
  const nodes = verdict.instances.map((instance) => nodeOf(instance, launch, nowMs));
  const written = await deps.placements.settle(fence, { launch, nodes, atMs: nowMs });
  if (written !== "done") return { kind: written, note: verdict.because };
  const ids = nodes.map(({ id }) => id).join(", ");
  return { kind: nodes.length > 0 ? "launched" : "retired", note: `${verdict.because}${ids && `: ${ids}`}` };
}

/** Reads by a launch's tag when it is its turn; ends go first, for what is searched for is already paid. */
export async function findInTurn(deps: LaunchDeps, launch: Launch): Promise<FoundInstances> {
  const turn = await deps.turns.take({ kind: "describe", lane: "end", instances: launch.count });
  return turn.kind === "later" ? { kind: "unknown", message: "it waits for its turn at EC2" } : deps.fleet.find(launch.id);
}
