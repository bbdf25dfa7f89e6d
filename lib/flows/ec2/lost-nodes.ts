import type { Assignment, Node } from "../../model/node.ts";
import type { Measuring } from "../../model/objectives/objective.ts";
import { whyOverdue } from "../../model/values/attempt-times.ts";
import type { Log } from "../../ports/log.ts";
import type { Fence, Written } from "../../ports/pool-ledger.ts";
import type { Ports } from "../../ports/ports.ts";

export type LostDeps = Pick<Ports, "placements"> &
  Measuring & {
    readonly now: () => number;
    readonly log: Log;
  };

/** Counts an instance that never became a worker against its type and zone. */
export async function recordBootFailure(deps: LostDeps, fence: Fence, node: Node): Promise<Written> {
  const { instanceType, zone } = node.offer;
  const noted = await deps.placements.bootFailed(fence, { node: node.id, instanceType, zone, atMs: deps.now() });
  if (noted === "done")
    deps.log({ level: "error", message: "instance never became a worker", pool: fence.pool, node: node.id, instanceType, zone });
  return noted;
}

/**
 * Returns attempts of a node to the queue: all of them if its instance has ended, or else those whose orders were never handed out. A loss
 * counts against a job only if the job had started, and neither EC2 nor a drain was taking the node back. An attempt whose time was over has
 * failed. An attempt that cannot be taken back, for example because its job cannot be read, does not keep the others; then the first failure
 * is thrown. `ifStale: "skip"`: nor does one that has changed meanwhile, which then stays where it is.
 */
export async function takeBack(
  deps: LostDeps,
  fence: Fence,
  of: {
    readonly node: Node;
    readonly assignments: readonly Assignment[];
    readonly because: string;
    readonly maxLosses?: number;
    readonly ifStale?: "skip";
  },
): Promise<Written> {
  const failures: { readonly error: unknown }[] = [];
  for (const assignment of of.assignments) {
    const back = backOf(assignment, { ...of, atMs: deps.now() });
    const taken = await deps.placements.takeBack(fence, back).catch((error: unknown) => void failures.push({ error }));
    const isSkipped = taken === undefined || (taken === "stale" && of.ifStale === "skip");
    if (!isSkipped && taken !== "done") return taken;
    if (taken === "done" && back.maxLosses !== undefined && !back.overdue) {
      const { team, job, attempt } = assignment;
      deps.measured?.({ what: "lost-work", pool: of.node.pool, attempt: { team, job, attempt }, because: back.reason });
    }
  }
  const [failure] = failures;
  if (failure) throw failure.error;
  return "done";
}

type Taken = { readonly node: Node; readonly because: string; readonly maxLosses?: number; readonly atMs: number };

function backOf(assignment: Assignment, { node, because, maxLosses, atMs }: Taken): Parameters<Ports["placements"]["takeBack"]>[1] {
  const excused = node.notice?.kind === "interruption" || node.drain !== undefined;
  const counts = assignment.phase === "running" && !excused;
  // If the worker was not heard after that time, it may have stopped the attempt in time.
  const overdue = whyOverdue(assignment, node.lastSeenMs ?? node.launchedAtMs);
  const reason = overdue === undefined ? `lost ${node.id}: ${because}` : `${overdue}, and ${node.id} was ended`;
  return {
    node: node.id,
    assignment,
    reason,
    atMs,
    ...(counts && maxLosses !== undefined ? { maxLosses } : {}),
    ...(overdue === undefined ? {} : { overdue: true as const }),
  };
}
