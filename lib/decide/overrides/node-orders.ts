import { isLive, type Node } from "../../model/node.ts";
import type { NodeOrder, Overrides } from "../../model/overrides/overrides.ts";
import type { NodeSnapshot, Step } from "../../model/plan.ts";
import { own } from "../../model/values/own.ts";
import { whyLeaving } from "./leaving.ts";

type NodeStep = Step & { readonly node: string };

export type OrderedDrains = {
  readonly steps: readonly NodeStep[];
  /** When the drains end, or the work needs another node. */
  readonly wakesMs: readonly number[];
};

/** The most nodes that one decision drains, or whose drains it drops: each is a write, and a run has 20 s. The next decision follows at once. */
const maxDrains = 500;

/** Returns what was ordered about a node; undefined for nothing. */
export const orderOf = (overrides: Overrides | undefined, node: string): NodeOrder | undefined => own(overrides?.nodes, node);

type OrderedDrain = { readonly untilMs: number; readonly because: string };

/** Returns the drain that was ordered for a node, or for its whole pool; of both, the one whose deadline is earlier. */
function drainOf(overrides: Overrides | undefined, node: string): OrderedDrain | undefined {
  const orders = [
    { order: orderOf(overrides, node), what: "it" },
    { order: overrides?.paused, what: "the pool" },
  ];
  const [first] = orders
    .flatMap(({ order, what }): OrderedDrain[] => {
      if (order?.untilMs === undefined) return [];
      const reason = order.because === undefined ? "" : ` (${order.because})`;
      return [{ untilMs: order.untilMs, because: `${order.by} drains ${what}${reason}` }];
    })
    .toSorted((a, b) => a.untilMs - b.untilMs);
  return first;
}

/**
 * Drains the nodes that an admin has ordered to be drained, one by one or with their pool, whatever the disruption budget says. What runs may
 * go on until the admin's deadline. Nodes that hold nothing are given back. A node that is drained already for another reason keeps its drain.
 */
export function orderedDrains(nodes: readonly Node[], { overrides, pool, nowMs }: NodeSnapshot): OrderedDrains {
  const wanted = nodes.filter(mayBeDrained).flatMap((node): { step: NodeStep; untilMs: number }[] => {
    const drain = drainOf(overrides, node.id);
    if (!drain) return [];
    const { untilMs, because } = drain;
    const isEmpty = node.assignments.length === 0;
    const step: NodeStep = isEmpty
      ? { kind: "retire", node: node.id, because }
      : { kind: "drain", node: node.id, untilMs, because, ordered: true };
    return [{ step, untilMs }];
  });
  const drained = wanted.slice(0, maxDrains);
  const ends = drained.filter(({ step }) => step.kind === "drain").flatMap(({ untilMs }) => [untilMs - pool.bootSeconds * 1000, untilMs]);
  const ahead = ends.filter((atMs) => atMs > nowMs);
  return { steps: drained.map(({ step }) => step), wakesMs: wanted.length > maxDrains ? [...ahead, nowMs] : ahead };
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
  const dropped = nodes.flatMap((node): NodeStep[] => {
    const { id, drain } = node;
    const wanted = drainOf(overrides, id);
    if (!drain?.ordered || wanted?.untilMs === drain.untilMs || whyLeaving(node, nowMs) !== undefined) return [];
    const because = wanted ? "an admin has changed its deadline" : "an admin has taken back the order to drain it";
    return [{ kind: "undrain", node: id, drain, because }];
  });
  return dropped.slice(0, maxDrains);
}
