import { attemptName } from "../../model/job.ts";
import type { Node } from "../../model/node.ts";
import type { Step } from "../../model/plan.ts";
import { maxDefianceSeconds, whyOverdue } from "../../model/values/attempt-times.ts";

/**
 * Returns steps for nodes whose worker does not stop an attempt whose time is over, although it was ordered to. Such a worker cannot be
 * relied on, so all that it holds must leave the node at once, and the node is ended.
 */
export function overdueNodes(nodes: readonly Node[], nowMs: number): (Step & { readonly node: string })[] {
  return nodes.flatMap((node): (Step & { readonly node: string })[] => {
    const { id, state, drain, assignments } = node;
    if (state !== "ready" && state !== "draining") return [];
    const [late] = assignments.flatMap(
      (held) => whyOverdue(held, nowMs - maxDefianceSeconds * 1000)?.concat(` (${attemptName(held)})`) ?? [],
    );
    if (late === undefined) return [];
    const because = `its worker has not stopped an attempt: ${late}`;
    // A node that is drained already keeps its drain, whose end may be days away.
    return [drain ? { kind: "end", node: id, because } : { kind: "drain", node: id, untilMs: nowMs, because }];
  });
}
