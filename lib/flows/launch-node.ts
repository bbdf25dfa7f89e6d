import { lessonsOf } from "../decide/capacity/lessons.ts";
import { Fault } from "../model/fault.ts";
import type { Launch, LaunchedInstance } from "../model/launch.ts";
import type { Node } from "../model/node.ts";
import type { CapacityMemory } from "../ports/capacity.ts";
import type { Fleet } from "../ports/fleet.ts";
import type { Decisions, Fence, Placements, Written } from "../ports/pool-ledger.ts";
import { learn } from "./remember-capacity.ts";

export type LaunchDeps = {
  readonly decisions: Decisions;
  readonly placements: Placements;
  readonly capacity: CapacityMemory;
  readonly fleet: Fleet;
  readonly now: () => number;
};

/**
 * What came of one launch, for the record. `open`: nobody knows yet; the intent stays and is repeated.
 * `throttled`: the same, though it is known that nothing was launched.
 */
export type Launched = { readonly kind: Exclude<Written, "done"> | "launched" | "refused" | "throttled" | "open"; readonly note: string };

/**
 * Asks EC2 for what an intent on record wants, and records what came. Safe to repeat at any point: the client token
 * makes repeated requests one, and the intent stays open until its outcome is written. The caller has taken its turn at EC2.
 */
export async function carryThrough(deps: LaunchDeps, fence: Fence, launch: Launch): Promise<Launched> {
  if (!(await deps.decisions.isCurrent(fence))) return { kind: "fenced", note: "a later decision has begun" };
  const outcome = await deps.fleet.launch(launch);
  const atMs = deps.now();
  if (outcome.kind === "launched" || outcome.kind === "refused") await learn(deps.capacity, lessonsOf(launch, outcome, atMs));
  switch (outcome.kind) {
    case "throttled":
      return { kind: "throttled", note: outcome.message };
    case "unknown":
      return { kind: "open", note: outcome.message };
    case "refused": {
      const written = await deps.placements.settle(fence, { launch, nodes: [], atMs });
      return written === "done" ? { kind: "refused", note: `${outcome.code}: ${outcome.message}` } : { kind: written, note: outcome.code };
    }
    case "launched": {
      const nodes = outcome.instances.map((instance) => nodeOf(instance, launch, atMs));
      const written = await deps.placements.settle(fence, { launch, nodes, atMs });
      const note = `${nodes.length < launch.count ? `${nodes.length} of ${launch.count}: ` : ""}${nodes.map((node) => node.id).join(", ")}`;
      return written === "done" ? { kind: "launched", note } : { kind: written, note };
    }
  }
}

/** The node that an instance of this launch is. */
function nodeOf(instance: LaunchedInstance, launch: Launch, atMs: number): Node {
  const type = launch.types.find((each) => each.name === instance.instanceType);
  const offer = launch.offers.find((each) => each.instanceType === instance.instanceType && each.zone === instance.zone);
  if (!type || !offer) {
    throw new Fault(
      "unasked-instance",
      `EC2 launched ${instance.instanceType} in ${instance.zone}, which launch ${launch.id} did not ask for`,
    );
  }
  return {
    id: instance.id,
    pool: launch.pool,
    launch: launch.id,
    team: launch.team,
    offer,
    type,
    state: "launching",
    launchedAtMs: atMs,
    leaseUntilMs: atMs,
    lastBusyMs: atMs,
    stateSinceMs: atMs,
    assignments: [],
    ...(launch.replaces === undefined ? {} : { replaces: launch.replaces }),
  };
}
