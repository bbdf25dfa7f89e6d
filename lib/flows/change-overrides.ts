import { whyLeaving } from "../decide/overrides/leaving.ts";
import {
  aboutNodesThere,
  acrossPools,
  changed,
  maxNodeOrders,
  type OverrideChange,
  type OverrideOrder,
  type Overrides,
} from "../model/overrides/overrides.ts";
import type { Ports } from "../ports/ports.ts";
import { type Ringing, ring } from "./pool/ring.ts";

export type OverrideDeps = Ringing & Pick<Ports, "overrides" | "decisions"> & { readonly now: () => number };

/** An admin's order about a pool or one of its nodes. */
export type AdminOrder = Omit<OverrideChange, "what" | "atMs"> & {
  readonly order: OverrideOrder;
  /** The order is refused if the pool's overrides are not of this version; undefined if the version does not matter. */
  readonly ifVersion?: number | undefined;
};

/** A node that leaves its pool although the order to drain it was taken back, and why. */
export type LeavingNode = { readonly node: string; readonly because: string };

/**
 * `done`: the order holds now, and is on record unless it held before; `leaving`: if a drained pool was resumed, the nodes that leave it all
 * the same. `conflict`: somebody else changed the overrides. `unreadable`: this
 * release cannot read the overrides, so it must not replace them. `no-node`: the pool has no such node. `leaving`: the node leaves the pool
 * whatever is ordered about it. `pool-drained`: it leaves with its whole pool. `full`: too many nodes have orders.
 */
export type OverridesChanged =
  | { readonly kind: "done"; readonly overrides: Overrides; readonly leaving?: readonly LeavingNode[] }
  | { readonly kind: "conflict"; readonly overrides: Overrides }
  | { readonly kind: "pool-drained"; readonly by: string }
  | { readonly kind: "leaving"; readonly because: string }
  | { readonly kind: "unreadable" | "no-node" | "full" };

/**
 * Writes an admin's order to the pool's overrides, on the condition that they have not changed meanwhile, and rings the pool's bell.
 * The next decision applies it.
 */
export async function changeOverrides(deps: OverrideDeps, pool: string, ordered: AdminOrder): Promise<OverridesChanged> {
  const { order } = ordered;
  const current = await deps.overrides.get(pool);
  const refused = whyNotNow(current, ordered);
  if (refused) return refused;
  const base = "node" in order ? await aboutNode(deps, { pool, current, order }) : current;
  if ("kind" in base) return base;
  const written = await write(deps, pool, { base, ordered });
  if (written.kind !== "done") return written;
  // Rings even if the order held before, because the first caller may have crashed before the ring.
  await ring(deps, pool, "override");
  const isDrained = order.kind === "resume" && current.paused?.untilMs !== undefined;
  return { ...written, ...(isDrained && { leaving: await leavingAnyway(deps, pool) }) };
}

/** An admin's order about the limits across pools. */
export type LimitOrder = Omit<AdminOrder, "order"> & { readonly order: Extract<OverrideOrder, { kind: "set" | "unset" }> };
export type LimitsChanged =
  | { readonly kind: "done" | "conflict"; readonly overrides: Overrides }
  | { readonly kind: "unreadable" | "full" };

/** Does the same for the limits across pools, and rings the bells of all `pools`. */
export async function changeWiderLimits(
  deps: Omit<OverrideDeps, "decisions">,
  pools: readonly string[],
  ordered: LimitOrder,
): Promise<LimitsChanged> {
  const current = await deps.overrides.get(acrossPools);
  const written = whyNotNow(current, ordered) ?? (await write(deps, acrossPools, { base: current, ordered }));
  if (written.kind === "done") await Promise.all(pools.map((pool) => ring(deps, pool, "override")));
  return written;
}

function whyNotNow(current: Overrides, { ifVersion }: Pick<AdminOrder, "ifVersion">): LimitsChanged | undefined {
  if (current.isUnknown) return { kind: "unreadable" };
  return ifVersion !== undefined && ifVersion !== current.version ? { kind: "conflict", overrides: current } : undefined;
}

/** Writes the overrides after the order, if they differ from `base`. */
async function write(
  { overrides, now }: Pick<OverrideDeps, "overrides" | "now">,
  name: string,
  { base, ordered: { order, ifVersion: _version, ...by } }: { readonly base: Overrides; readonly ordered: AdminOrder },
): Promise<LimitsChanged> {
  const next = changed(base, order, { ...by, atMs: now() });
  if (Object.keys(next.nodes).length > maxNodeOrders) return { kind: "full" };
  if (next !== base && (await overrides.replace(name, next)) === "stale") {
    const newest = await overrides.get(name);
    // The call may have been repeated after its response was lost.
    if (!isSame(newest, next)) return { kind: "conflict", overrides: newest };
  }
  return { kind: "done", overrides: next };
}

/** Returns the nodes that leave the pool although it was resumed, and why. */
async function leavingAnyway({ decisions, now }: OverrideDeps, pool: string): Promise<readonly LeavingNode[]> {
  const nowMs = now();
  const { nodes } = await decisions.load(pool, nowMs);
  return nodes.flatMap((node) => {
    const because = whyLeaving(node, nowMs);
    return because === undefined ? [] : [{ node: node.id, because }];
  });
}

/** Returns the overrides without orders about nodes that have left, or why nothing can be ordered about this node. */
async function aboutNode(
  { decisions, now }: OverrideDeps,
  on: { readonly pool: string; readonly current: Overrides; readonly order: Extract<OverrideOrder, { node: string }> },
): Promise<Overrides | Exclude<OverridesChanged, { kind: "done" }>> {
  const { pool, current, order } = on;
  const nowMs = now();
  const { nodes, unreadable = [] } = await decisions.load(pool, nowMs);
  const node = nodes.find(({ id }) => id === order.node);
  if (!node) return { kind: "no-node" };
  const because = whyLeaving(node, nowMs);
  if (because !== undefined) return { kind: "leaving", because };
  if (order.kind === "uncordon" && current.paused?.untilMs !== undefined) return { kind: "pool-drained", by: current.paused.by };
  // A node that cannot be read may be there all the same.
  if (unreadable.some(({ kind }) => kind === "node")) return current;
  return aboutNodesThere(current, new Set(nodes.map(({ id }) => id)));
}

const isSame = (a: Overrides, b: Overrides): boolean => {
  const [one, other] = [a.history[0], b.history[0]];
  return a.version === b.version && one?.what === other?.what && one?.by === other?.by && one?.atMs === other?.atMs;
};
