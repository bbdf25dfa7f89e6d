import { refusalUpdatesOf } from "../../decide/capacity/refusal-updates.ts";
import type { Launch, LaunchedInstance, LaunchOutcome } from "../../model/launch.ts";
import type { Fence } from "../../ports/pool-ledger.ts";
import type { LaunchDeps, Launched } from "../ec2/launching.ts";
import { nodeOf } from "./launched-node.ts";
import { learn } from "./remember-capacity.ts";
import { findInTurn, searchFor } from "./search-launch.ts";

/** `first`: the launch cannot have been requested before. `again`: it may have been, and the response was lost. */
export type Sending = "first" | "again";

/**
 * Requests a recorded intent from EC2, and records the outcome. It is safe to repeat at any point, because the client token
 * makes repeated requests one, and the intent stays open until its outcome is written. The caller must have taken a turn at EC2.
 */
export async function carryThrough(deps: LaunchDeps, fence: Fence, on: { launch: Launch; sending: Sending }): Promise<Launched> {
  const { launch, sending } = on;
  if (!(await deps.decisions.isCurrent(fence))) return { kind: "fenced", note: "a later decision has begun" };
  const outcome = await deps.fleet.launch(launch);
  switch (outcome.kind) {
    case "throttled": {
      const closed = outcome.final ? await deps.placements.settle(fence, { launch, nodes: [], atMs: deps.now() }) : "done";
      return closed === "done" ? { kind: "throttled", note: outcome.message } : { kind: closed, note: outcome.message };
    }
    case "unknown":
      return { kind: "open", note: outcome.message, error: outcome.error };
    case "refused":
      return refused(deps, fence, { launch, outcome });
    case "turned-away": {
      const { error } = outcome;
      if (sending === "first" && !outcome.isConflict) return { ...(await refused(deps, fence, { launch, outcome })), error };
      const came = await searchFor(deps, fence, { launch, why: `${outcome.code}: ${outcome.message}` });
      return { ...came, error: came.error ?? error };
    }
    case "launched":
      return launched(deps, fence, { launch, outcome, sending });
  }
}

type Refused = Extract<LaunchOutcome, { kind: "refused" | "turned-away" }>;

async function refused(deps: LaunchDeps, fence: Fence, { launch, outcome }: { launch: Launch; outcome: Refused }): Promise<Launched> {
  const atMs = deps.now();
  await learn(deps.capacity, refusalUpdatesOf(launch, { ...outcome, kind: "refused" }, atMs));
  const written = await deps.placements.settle(fence, { launch, nodes: [], atMs });
  return written === "done" ? { kind: "refused", note: `${outcome.code}: ${outcome.message}` } : { kind: written, note: outcome.code };
}

async function launched(
  deps: LaunchDeps,
  fence: Fence,
  on: { launch: Launch; outcome: Extract<LaunchOutcome, { kind: "launched" }>; sending: Sending },
): Promise<Launched> {
  const { launch, outcome, sending } = on;
  const instances = sending === "first" ? outcome.instances : await withoutEnded(deps, launch, outcome.instances);
  const atMs = deps.now();
  await learn(deps.capacity, refusalUpdatesOf(launch, outcome, atMs));
  const nodes = instances.map((instance) => nodeOf(instance, launch, atMs));
  const written = await deps.placements.settle(fence, { launch, nodes, atMs });
  const note = `${nodes.length < launch.count ? `${nodes.length} of ${launch.count}: ` : ""}${nodes.map((node) => node.id).join(", ")}`;
  return written === "done" ? { kind: "launched", note } : { kind: written, note };
}

/**
 * Returns the instances that have not ended. To a repeated token EC2 responds with what it launched first, which may have ended since.
 * An instance that EC2 does not describe (yet) counts as living.
 */
async function withoutEnded(
  deps: LaunchDeps,
  launch: Launch,
  instances: readonly LaunchedInstance[],
): Promise<readonly LaunchedInstance[]> {
  const read = await findInTurn(deps, launch);
  const over = new Set(read.kind === "read" ? read.instances.filter((found) => found.over).map(({ id }) => id) : []);
  return instances.filter(({ id }) => !over.has(id));
}
