import type { Node } from "../../model/node.ts";
import { isHeard } from "../health/dead-nodes.ts";
import type { Verdict } from "./judge-report.ts";

/** The nodes of a gang's other members that hold the attempt still, as they are. One that has ended well is missed by nobody. */
export type Peers = readonly { readonly rank: number; readonly node: Node }[];

/**
 * A gang's program fails on the other nodes as soon as one of its members is gone, often before anybody tells us why: while
 * a member's node is taken back, ending or silent, a failure of another counts as that loss and not as the program's own.
 */
export function excused(verdict: Verdict, peers: Peers, nowMs: number): Verdict {
  if (verdict.kind !== "change" || !verdict.job?.failed || verdict.job.from === "sealing") return verdict;
  const missed = peers.find(({ node }) => node.notice?.kind === "interruption" || !isAtWork(node, nowMs));
  if (!missed) return verdict;
  const reason = `${verdict.job.reason ?? "a member failed"}, while member ${missed.rank} was being lost with its node`;
  return { ...verdict, job: { ...verdict.job, to: "queued", failed: false, reason } };
}

/** One that only drains has not lost what it runs. */
const isAtWork = (node: Node, nowMs: number): boolean => isHeard(node.state === "draining" ? { ...node, state: "ready" } : node, nowMs);
