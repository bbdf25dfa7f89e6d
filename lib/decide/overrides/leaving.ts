import { isLive, type Node } from "../../model/node.ts";

/**
 * Returns why a node leaves its pool whatever admins order from now on; undefined if it does not leave, or if only an admin's order drains
 * it, which can still be dropped: its worker calls, it holds something, and what it holds was not ordered to stop yet.
 */
export function whyLeaving(node: Node, nowMs: number): string | undefined {
  const { state, drain, notice, assignments, readyAtMs } = node;
  if (isLive(node)) return undefined;
  if (state !== "draining") return drain?.because ?? state;
  // A node that EC2 only recommends to leave can be drained.
  if (!drain) return notice?.kind === "rebalance" ? undefined : whyNoticed(node);
  if (!drain.ordered) return drain.because;
  if (notice) return whyNoticed(node);
  if (readyAtMs === undefined) return "its worker has not called yet, so it is ended";
  if (assignments.length === 0) return "it is empty, so it is ended";
  return nowMs < drain.untilMs ? undefined : "the deadline of its drain has passed, so what ran was ordered to stop";
}

function whyNoticed({ state, notice }: Node): string {
  if (notice?.kind === "interruption") return "EC2 is taking the instance back";
  return notice ? "EC2 recommends to leave the instance" : state;
}
