import type { Node } from "../../model/node.ts";
import { hasWork } from "../../model/plan.ts";
import type { PoolState } from "../../model/pool.ts";
import type { Ports } from "../../ports/ports.ts";
import { type Settled, settled } from "../node/settled.ts";
import { loadPool } from "../pool/load-pool.ts";
import { type Ringing, ring } from "../pool/ring.ts";

export type ClosePoolsDeps = Ringing &
  Pick<Ports, "decisions" | "registry"> & {
    readonly pools: readonly { readonly name: string }[];
    /** Wakes the pool if it is known to have work; returns whether it is. */
    readonly wake: (pool: string, state: PoolState) => Promise<boolean>;
    readonly now: () => number;
  };

/**
 * Keeps a registry of pools, so that decisions about a pool that was removed from the configuration continue until nothing of it is left.
 * Returns the names of such pools, and their nodes. One that fails does not keep the others waiting.
 */
export async function closePools(deps: ClosePoolsDeps): Promise<ClosedPools> {
  const configured = new Set(deps.pools.map(({ name }) => name));
  const known = await deps.registry.list();
  for (const name of configured) if (!known.includes(name)) await deps.registry.add(name);
  const closing = known.filter((name) => !configured.has(name));
  const { done, failures } = await settled(closing, { concurrency: 1 }, (pool) => close(deps, pool));
  return { closing, nodes: done.flat(), failures };
}

export type ClosedPools = {
  readonly closing: readonly string[];
  readonly nodes: readonly Node[];
  readonly failures: Settled<string, unknown>["failures"];
};

/** Returns the nodes that the pool still has. */
async function close(deps: ClosePoolsDeps, name: string): Promise<readonly Node[]> {
  const state = await deps.decisions.state(name);
  const isAwake = await deps.wake(name, state);
  // A handler may have written a job and crashed before its ring, so this check must read the pool itself.
  const left = await loadPool(deps, name, deps.now());
  if (!isAwake && hasWork(left)) await ring(deps, name, "tick");
  if (!isAwake && !hasWork(left)) await deps.registry.remove(name, state);
  return left.nodes;
}
