import { createHash } from "node:crypto";
import type { Order } from "../../../events/node-call.ts";
import { type AttemptRef, attemptName, type Job } from "../../model/job.ts";
import type { Assignment, Node } from "../../model/node.ts";
import type { Ports } from "../../ports/ports.ts";

export type Gang = NonNullable<Extract<Order, { kind: "run" }>["gang"]>;

/**
 * Returns what a member must know of its gang; undefined for a job of one node. Returns `wait` until the node of the first member has
 * reported its address. `node` is the caller's own, with what it has just reported.
 */
export async function gangOrder(
  deps: Pick<Ports, "nodeLedger">,
  node: Node,
  { job, held }: { job: Job; held: Assignment },
): Promise<Gang | "wait" | undefined> {
  if (held.rank === undefined || job.gang === undefined || job.node === undefined) return undefined;
  const first = job.node === node.id ? node : await deps.nodeLedger.get(node.pool, job.node);
  if (first?.address === undefined) return "wait";
  return { rank: held.rank, size: job.gang.length, master: { address: first.address, port: masterPort(held) } };
}

/** Below the ports that Linux uses for outgoing connections (32768 and up). */
const firstPort = 20_000;
const ports = 10_000;

/** Returns the same port for all members, but another one per attempt, because the last attempt's may still be in use on the same node. */
export const masterPort = (attempt: AttemptRef): number =>
  firstPort + (createHash("sha256").update(attemptName(attempt)).digest().readUInt32BE(0) % ports);
