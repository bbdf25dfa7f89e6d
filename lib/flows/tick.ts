import type { Pool, PoolState } from "../model/pool.ts";
import type { SealAgainQueue } from "../ports/artifacts.ts";
import type { Market } from "../ports/fleet.ts";
import type { Sealing } from "../ports/jobs.ts";
import type { CatalogueStore, Decisions } from "../ports/pool-ledger.ts";
import { type Ringing, ring } from "./ring.ts";

export type TickDeps = Ringing & {
  readonly decisions: Pick<Decisions, "state">;
  readonly catalogues: CatalogueStore;
  readonly market: Market;
  readonly sealing: Pick<Sealing, "waitingSince">;
  readonly sealAgain: SealAgainQueue;
  readonly pools: readonly Pool[];
  readonly now: () => number;
};

/** What one tick did; `errors` name what has to be tried again by the next. */
export type Ticked = {
  readonly rung: readonly string[];
  readonly refreshed: readonly string[];
  readonly sealedAgain: number;
  readonly errors: readonly string[];
};

/** Prices of a pool in use, and of one at rest. */
const staleWhileBusyMs = 10 * 60_000;
const staleAtRestMs = 6 * 3_600_000;
/** An upload that was not sealed for this long has lost its event. */
const sealAgainAfterMs = 15 * 60_000;

/** Once a minute: mends what a lost message left undone, and keeps prices fresh. A pool at rest costs one read. */
export async function tick(deps: TickDeps): Promise<Ticked> {
  const errors: string[] = [];
  const attempt = async <T>(what: string, work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      errors.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const pools = await Promise.all(deps.pools.map((pool) => attempt(`pool ${pool.name}`, tendPool(deps, pool))));
  const sealedAgain = await attempt("sealing", sendAgain(deps));
  const tended = pools.filter((pool) => pool !== undefined);
  return {
    rung: tended.filter((pool) => pool.rung).map((pool) => pool.name),
    refreshed: tended.filter((pool) => pool.refreshed).map((pool) => pool.name),
    sealedAgain: sealedAgain ?? 0,
    errors,
  };
}

async function tendPool(deps: TickDeps, pool: Pool): Promise<{ name: string; rung: boolean; refreshed: boolean }> {
  const state = await deps.decisions.state(pool.name);
  const active = state.busy || isUnheard(state);
  // First, and whatever becomes of the prices: they may take longer than this tick has.
  await wake(deps, pool.name, state);
  return { name: pool.name, rung: active, refreshed: await refresh(deps, pool, active ? staleWhileBusyMs : staleAtRestMs) };
}

/** An unheard ring may have lost its lane message, and nobody rings a bell that was not quiet: send another. */
async function wake(deps: TickDeps, pool: string, state: PoolState): Promise<void> {
  if (isUnheard(state)) await deps.lane.send(pool);
  else if (state.busy) await ring(deps, pool);
}

const isUnheard = (state: PoolState): boolean => state.bell > state.decidedThrough;

async function refresh(deps: TickDeps, pool: Pool, staleMs: number): Promise<boolean> {
  const known = await deps.catalogues.get(pool.name);
  const nowMs = deps.now();
  if (known && nowMs - known.refreshedAtMs < staleMs) return false;
  await deps.catalogues.put(pool.name, await deps.market.catalogue(pool, nowMs));
  return true;
}

async function sendAgain(deps: TickDeps): Promise<number> {
  const waiting = await deps.sealing.waitingSince(deps.now() - sealAgainAfterMs);
  for (const each of waiting) await deps.sealAgain.send(each);
  return waiting.length;
}
