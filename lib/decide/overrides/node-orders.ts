import { isLive, type Node } from "../../model/node.ts";
import type { NodeOrder, Overrides } from "../../model/overrides/overrides.ts";
import type { NodeSnapshot, Step } from "../../model/plan.ts";
import { whyLeaving } from "./leaving.ts";

type NodeStep = Step & { readonly node: string };

export type OrderedDrains = {
  readonly steps: readonly NodeStep[];
  /** When the drains end, or the work needs another node. */
  readonly wakesMs: readonly number[];
};

/** Returns what was ordered about a node; undefined for nothing. */
export const orderOf = (overrides: Overrides | undefined, node: string): NodeOrder | undefined =>
  overrides && Object.hasOwn(overrides.nodes, node) ? overrides.nodes[node] : undefined;

/**
 * Drains the nodes that an admin has ordered to be drained, whatever the disruption budget says. What runs may go on until the admin's
 * deadline. Nodes that hold nothing are given back. A node that is drained already for another reason keeps its drain.
 */
export function orderedDrains(nodes: readonly Node[], { overrides, pool, nowMs }: NodeSnapshot): OrderedDrains {
  const drained = nodes.filter(mayBeDrained).flatMap((node): { step: NodeStep; untilMs: number }[] => {
    const order = orderOf(overrides, node.id);
    if (order?.untilMs === undefined) return [];
    const { untilMs } = order;
    const because = `${order.by} drains it${order.because === undefined ? "" : ` (${order.because})`}`;
    const isEmpty = node.assignments.length === 0;
    const step: NodeStep = isEmpty
      ? { kind: "retire", node: node.id, because }
      : { kind: "drain", node: node.id, untilMs, because, ordered: true };
    return [{ step, untilMs }];
  });
  const ends = drained.filter(({ step }) => step.kind === "drain").flatMap(({ untilMs }) => [untilMs - pool.bootSeconds * 1000, untilMs]);
  return { steps: drained.map(({ step }) => step), wakesMs: ends.filter((atMs) => atMs > nowMs) };
}

/** A node that EC2 takes back is gone in two minutes, so it is not drained. */
const mayBeDrained = (node: Node): boolean =>
  isLive(node) || (node.state === "draining" && !node.drain && node.notice?.kind !== "interruption");

/**
 * Drops the drains of nodes whose order an admin has taken back, or has given another deadline, as far as they can be dropped. The next
 * decision applies what is ordered now. Orders that cannot be read may still hold.
 */
export function droppedDrains(nodes: readonly Node[], { overrides, nowMs }: NodeSnapshot): readonly NodeStep[] {
  if (overrides?.isUnknown) return [];
  return nodes.flatMap((node): NodeStep[] => {
    const { id, drain } = node;
    const order = orderOf(overrides, id);
    if (!drain?.ordered || order?.untilMs === drain.untilMs || whyLeaving(node, nowMs) !== undefined) return [];
    const because = order?.untilMs === undefined ? "an admin has taken back the order to drain it" : "an admin has changed its deadline";
    return [{ kind: "undrain", node: id, drain, because }];
  });
}
