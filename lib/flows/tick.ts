import { type PoolNumbers, poolNumbers } from "../decide/health/pool-numbers.ts";
import { inForce } from "../decide/overrides/in-force.ts";
import type { Node } from "../model/node.ts";
import type { UnreadableItem } from "../model/plan.ts";
import type { Pool, PoolState } from "../model/pool.ts";
import type { Ports } from "../ports/ports.ts";
import { loadPool } from "./pool/load-pool.ts";
import { type Ringing, ring } from "./pool/ring.ts";
import { closePools } from "./tick/close-pools.ts";
import { type CountDeadJobsDeps, type CountedDeadJobs, countDeadJobs, type DeadJobs } from "./tick/count-dead-jobs.ts";
import { type SealAgainDeps, sealAgain } from "./tick/seal-again.ts";
import { type SweepDeps, sweepDatasets } from "./tick/sweep-datasets.ts";
import { type SweepOrphansDeps, type Swept, sweepOrphans } from "./tick/sweep-orphans.ts";
import { type SweepOutboxesDeps, sweepOutboxes } from "./tick/sweep-outboxes.ts";

export type TickDeps = Ringing &
  Omit<SweepDeps, "pools"> &
  SweepOrphansDeps &
  SealAgainDeps &
  SweepOutboxesDeps &
  CountDeadJobsDeps &
  Pick<Ports, "canary" | "catalogues" | "decisions" | "market" | "registry"> & {
    readonly pools: readonly Pool[];
    readonly now: () => number;
    /** Called with a pool's numbers as soon as they are known, so that a slow pool does not silence the metrics of the others. */
    readonly publish?: ((pool: string, numbers: PoolNumbers) => void) | undefined;
    /** Called with the number of dead letters of all teams' jobs queues, unless there are none: a metric costs nothing in months without it. */
    readonly publishDeadJobs?: ((count: number) => void) | undefined;
  };

/** A part of a tick that failed, and will be tried again by the next one. */
export type TickError = { readonly part: string; readonly error: unknown };

/** What one tick did. */
export type Ticked = {
  readonly rung: readonly string[];
  readonly refreshed: readonly string[];
  readonly sealedAgain: number;
  /** Outboxes whose events seemed to be lost. */
  readonly takenAgain: number;
  /** The teams whose jobs have become dead letters. */
  readonly deadJobs: readonly DeadJobs[];
  /** Datasets whose maps do not name the nodes that need them. */
  readonly rebalanced: number;
  /** Pools that were removed from the configuration and are not empty yet. */
  readonly closing: readonly string[];
  /** What happened to instances without an owner; undefined in most minutes, because they are looked for every five minutes. */
  readonly swept?: Swept | undefined;
  /** The state of each pool with work. */
  readonly numbers: readonly ({ readonly pool: string } & PoolNumbers)[];
  /** Items of those pools that this release cannot read. */
  readonly unreadable: readonly UnreadableItem[];
  readonly errors: readonly TickError[];
};

/** How old prices may become, in a pool with work and in one at rest. */
const staleWhileBusyMs = 10 * 60_000;
const staleAtRestMs = 6 * 3_600_000;
/** A lane message for rings that no decision has seen is repeated at most this often. */
const repeatEveryMs = 5 * 60_000;
/** Instances without an owner are looked for every five minutes. */
const sweepEveryMinutes = 5;
/**
 * Runs once a minute: makes up for lost messages, counts what pools have, and keeps prices fresh. A pool or a team at rest costs a read
 * or two.
 */
export async function tick(deps: TickDeps): Promise<Ticked> {
  const errors: TickError[] = [];
  const attempt = async <T>(part: string, work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      errors.push({ part, error });
      return undefined;
    }
  };
  const pools = await Promise.all(
    deps.pools.map(async (pool) => {
      const active = await attempt(`pool ${pool.name}`, wakePool(deps, pool));
      // If it could not be woken, its numbers matter all the more.
      const [counted, refreshed] = await Promise.all([
        active !== false ? attempt(`numbers of pool ${pool.name}`, count(deps, pool)) : undefined,
        active === undefined
          ? undefined
          : attempt(`prices of pool ${pool.name}`, refresh(deps, pool, active ? staleWhileBusyMs : staleAtRestMs)),
      ]);
      return { name: pool.name, active, counted, refreshed };
    }),
  );
  const isSweep = Math.floor(deps.now() / 60_000) % sweepEveryMinutes === 0;
  const closed = attempt("pools removed from the configuration", closePools({ ...deps, wake: (pool, state) => wake(deps, pool, state) }));
  const nodes = pools.flatMap(({ counted }) => counted?.nodes ?? []);
  const [sealedAgain, takenAgain, rebalanced, removed, swept, deadJobs] = await Promise.all([
    attempt("sealing", sealAgain(deps)),
    closed.then((its) => attempt("outboxes", sweepOutboxes(deps, [...nodes, ...(its?.nodes ?? [])]))),
    attempt("datasets", sweepDatasets(deps)),
    closed,
    isSweep ? attempt("instances without an owner", sweepOrphans(deps)) : undefined,
    noteDeadJobs(deps),
  ]);
  for (const { item, error } of removed?.failures ?? []) errors.push({ part: `removed pool ${item}`, error });
  for (const { team, error } of deadJobs.failures) errors.push({ part: `dead letters of team ${team}`, error });
  // A deployment that is scaled to zero has no workers to hear. If it is not known whether a pool has work, it may have some.
  const isBusy = pools.some(({ active }) => active !== false) || removed === undefined || removed.closing.length > 0;
  if (isBusy) await attempt("call to node", hear(deps));
  return {
    rung: pools.filter((pool) => pool.active).map((pool) => pool.name),
    refreshed: pools.filter((pool) => pool.refreshed).map((pool) => pool.name),
    sealedAgain: sealedAgain ?? 0,
    takenAgain: takenAgain ?? 0,
    deadJobs: deadJobs.dead,
    rebalanced: rebalanced ?? 0,
    closing: removed?.closing ?? [],
    ...(swept && { swept }),
    numbers: pools.flatMap(({ name, counted }) => (counted ? [{ pool: name, ...counted.numbers }] : [])),
    unreadable: pools.flatMap(({ counted }) => counted?.unreadable ?? []),
    errors,
  };
}

/**
 * Wakes the pool, and returns whether it has work. This must happen first, because fetching its prices may take longer than this tick has.
 * If a ring is unseen, its lane message may be lost, and no later ring sends one because the bell is not quiet. So another is sent.
 */
async function wakePool(deps: TickDeps, { name, shared, minNodes = 0 }: Pool): Promise<boolean> {
  const state = await deps.decisions.state(name);
  // The configuration may have given the pool its minimum while it was at rest.
  return wake(deps, name, { ...state, busy: state.busy || (shared && minNodes > 0) });
}

async function wake(deps: TickDeps, pool: string, state: PoolState): Promise<boolean> {
  // While `place` does not run, one message in five minutes is enough. Each is handled when it runs again.
  if (hasUnseenRing(state)) await deps.lane.send(pool, `tick-${state.bell}-${Math.floor(deps.now() / repeatEveryMs)}`);
  else if (state.busy) await ring(deps, pool, "tick");
  return state.busy || hasUnseenRing(state);
}

async function count(deps: TickDeps, pool: Pool): Promise<Counted> {
  const nowMs = deps.now();
  const [queued, { reservedWider: _wider, ...seen }] = await Promise.all([
    deps.decisions.countQueued(pool.name),
    loadPool(deps, pool.name, nowMs),
  ]);
  const numbers = poolNumbers({ ...seen, queued, pool: inForce(pool, seen.overrides, nowMs), nowMs });
  deps.publish?.(pool.name, numbers);
  return { numbers, nodes: seen.nodes, unreadable: seen.unreadable ?? [] };
}

type Counted = { readonly numbers: PoolNumbers; readonly nodes: readonly Node[]; readonly unreadable: readonly UnreadableItem[] };

const hasUnseenRing = (state: PoolState): boolean => state.bell > state.decidedThrough;

async function refresh(deps: TickDeps, pool: Pool, staleMs: number): Promise<boolean> {
  const known = await deps.catalogues.get(pool.name);
  const nowMs = deps.now();
  if (known && nowMs - known.refreshedAtMs < staleMs) return false;
  await deps.catalogues.put(pool.name, await deps.market.catalogue(pool, nowMs));
  return true;
}

async function noteDeadJobs(deps: TickDeps): Promise<CountedDeadJobs> {
  const counted = await countDeadJobs(deps);
  const sum = counted.dead.reduce((so, { count }) => so + count, 0);
  if (sum > 0) deps.publishDeadJobs?.(sum);
  return counted;
}

/** Calls `node` as workers do, and notes that it responded. Only then may workers be judged by their silence. */
async function hear({ canary, decisions, now }: TickDeps): Promise<void> {
  await canary.call();
  await decisions.heard(now());
}
