import type { Node } from "../../model/node.ts";
import { whyOverdue } from "../../model/values/attempt-times.ts";
import type { Log } from "../../ports/log.ts";
import type { Fence, Written } from "../../ports/pool-ledger.ts";
import type { Ports } from "../../ports/ports.ts";

export type LostDeps = Pick<Ports, "placements"> & {
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
 * Returns what a dead node holds to the queue. A loss counts against a job only if the job had started, and neither EC2 nor a drain
 * was taking the node back. An attempt whose time was over has failed. An attempt that cannot be taken back, for example because its job
 * cannot be read, does not keep the others; then the first failure is thrown.
 */
export async function takeAllBack(
  deps: LostDeps,
  fence: Fence,
  { node, because, maxLosses }: { node: Node; because: string; maxLosses: number },
): Promise<Written> {
  const excused = node.notice?.kind === "interruption" || node.drain !== undefined;
  const failures: { readonly error: unknown }[] = [];
  for (const assignment of node.assignments) {
    const atMs = deps.now();
    const overdue = whyOverdue(assignment, atMs);
    const reason = overdue === undefined ? `lost ${node.id}: ${because}` : `${overdue}, and ${node.id} was ended`;
    const counts = assignment.phase === "running" && !excused;
    const back = {
      node: node.id,
      assignment,
      reason,
      atMs,
      ...(counts ? { maxLosses } : {}),
      ...(overdue === undefined ? {} : { overdue: true as const }),
    };
    const taken = await deps.placements.takeBack(fence, back).catch((error: unknown) => void failures.push({ error }));
    if (taken !== undefined && taken !== "done") return taken;
  }
  const [failure] = failures;
  if (failure) throw failure.error;
  return "done";
}
