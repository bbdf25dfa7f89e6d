import { isSilent, silentAfterMs } from "../../model/heartbeat/heartbeat.ts";
import type { Node } from "../../model/node.ts";
import type { Log } from "../../ports/log.ts";
import type { Ports } from "../../ports/ports.ts";
import { type Ringing, ring } from "../pool/ring.ts";

export type DeclareDeadDeps = Ringing & Pick<Ports, "nodeLedger" | "nodeReader"> & { readonly now: () => number; readonly log: Log };

/** `alive`: the node's worker has called lately, so it is not dead. `same`: the instance is known to have ended. */
export type DeclaredDead = { readonly kind: "done" | "same" | "alive"; readonly node: Node } | { readonly kind: "no-node" };

/**
 * Takes an admin's word for it that nothing runs on a node any more, as EC2's word would be taken: its work is queued again at once. If the
 * word is wrong, a job may run twice at the same time; what the first run reports changes nothing. Repeating the call is harmless.
 */
export async function declareDead(
  deps: DeclareDeadDeps,
  id: string,
  of: { readonly by: string; readonly because: string },
): Promise<DeclaredDead> {
  const found = await deps.nodeReader.find(id);
  const node = found && (await deps.nodeLedger.get(found.pool, id));
  if (!node) return { kind: "no-node" };
  const atMs = deps.now();
  if (mayRun(node, atMs)) return { kind: "alive", node };
  if (node.state !== "gone") {
    const written = await deps.nodeLedger.declareDead(id, { ...of, atMs }, node.lastSeenMs);
    if (written === "heard") return { kind: "alive", node };
    deps.log({ level: "info", message: "node declared dead", pool: node.pool, node: id, by: of.by, because: of.because });
  }
  // Rings again, because the first call may have crashed before its ring.
  await ring(deps, node.pool, `ended ${id}`);
  const after = (await deps.nodeLedger.get(node.pool, id)) ?? node;
  return { kind: node.state === "gone" ? "same" : "done", node: after };
}

/** Reports whether a worker has called lately. An instance that was asked to end a moment ago runs on for minutes, and its calls are not recorded. */
function mayRun(node: Node, nowMs: number): boolean {
  if (node.lastSeenMs === undefined || node.state === "launching" || node.state === "gone") return false;
  if (node.state !== "terminating") return !isSilent(node, nowMs);
  return nowMs - Math.max(node.stateSinceMs, node.lastSeenMs) <= silentAfterMs;
}
