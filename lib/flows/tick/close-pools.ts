import { hasWork } from "../../model/plan.ts";
import type { PoolState } from "../../model/pool.ts";
import type { Ports } from "../../ports/ports.ts";
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
 * Returns the names of such pools. One that fails does not keep the others waiting; then the first failure is thrown.
 */
export async function closePools(deps: ClosePoolsDeps): Promise<readonly string[]> {
  const configured = new Set(deps.pools.map(({ name }) => name));
  const known = await deps.registry.list();
  for (const name of configured) if (!known.includes(name)) await deps.registry.add(name);
  const closing = known.filter((name) => !configured.has(name));
  const failures: { readonly error: unknown }[] = [];
  for (const name of closing) await close(deps, name).catch((error: unknown) => failures.push({ error }));
  const [failure] = failures;
  if (failure) throw failure.error;
  return closing;
}

async function close(deps: ClosePoolsDeps, name: string): Promise<void> {
  const state = await deps.decisions.state(name);
  if (await deps.wake(name, state)) return;
  // A handler may have written a job and crashed before its ring, so this check must read the pool itself.
  if (hasWork(await loadPool(deps, name, deps.now()))) await ring(deps, name, "tick");
  else await deps.registry.remove(name, state);
}
