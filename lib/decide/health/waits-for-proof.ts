import { isSilent, missingSince } from "../../model/heartbeat/heartbeat.ts";
import { type Job, nodesOf } from "../../model/job.ts";
import { type Node, wasNeverOrdered } from "../../model/node.ts";
import { minuteName } from "../../model/values/period.ts";

/** A doubt about a node that only EC2's word, its worker or an admin can end. `sinceMs`: since when. */
export type Doubt = { readonly sinceMs: number; readonly why: string };

/**
 * Returns why the work of a node can neither be relied on nor start elsewhere: it may still run there, and EC2 has not said that the instance
 * has ended. Undefined if there is no such doubt, or if no work depends on it.
 */
export function waitsForProof(node: Node, nowMs: number): Doubt | undefined {
  const { id, state, stateSinceMs, lastSeenMs } = node;
  if (state === "gone" || node.assignments.every(wasNeverOrdered)) return undefined;
  const doubt = (sinceMs: number, what: string): Doubt => ({
    sinceMs,
    why: `waits for EC2's word on ${id}: ${what} since ${minuteName(sinceMs)}, and what it holds starts elsewhere only when EC2 says that it has ended`,
  });
  if (state === "terminating") return doubt(stateSinceMs, "it has been ending");
  const missingMs = missingSince(node);
  if (missingMs !== undefined) return doubt(missingMs, "EC2 has not known it");
  return lastSeenMs !== undefined && isSilent(node, nowMs) ? doubt(lastSeenMs, "its worker has been silent") : undefined;
}

/** Returns the nodes that hold the attempt of a job; none if the job waits or has ended. Of a job that is sealed, they may upload. */
export const holdersOf = (job: Pick<Job, "state" | "node" | "gang">): readonly string[] =>
  job.state === "placed" || job.state === "running" || job.state === "sealing" ? nodesOf(job) : [];

/**
 * Returns what a job says about its state: for whose end it waits, if one of the nodes that hold its attempt is in doubt, and what its
 * record says otherwise.
 */
export function reasonOf(
  { team, job, reason }: Pick<Job, "team" | "job" | "reason">,
  holders: readonly Node[],
  nowMs: number,
): string | undefined {
  const holding = holders.filter(({ assignments }) => assignments.some((each) => each.team === team && each.job === job));
  const [why] = holding.flatMap((node) => waitsForProof(node, nowMs)?.why ?? waitsForOutbox(node) ?? []);
  return why ?? reason;
}

/** EC2 has said that the instance has ended, and its work is taken back by one of the next decisions. */
const waitsForOutbox = ({ id, state, assignments }: Node): string | undefined =>
  state === "gone" && !assignments.every(wasNeverOrdered)
    ? `${id} has ended; what it may have left on S3 is taken in first, and within 15 minutes its work starts elsewhere`
    : undefined;
