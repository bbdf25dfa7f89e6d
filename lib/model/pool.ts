import type { Reservation } from "./launch.ts";
import type { Catalogue, Market } from "./offer.ts";

/** A named fleet under one policy, as the admin configured it. */
export type Pool = {
  readonly name: string;
  /** Instance families ("g5", "g6"), or whole types ("g5.xlarge"). */
  readonly families: readonly string[];
  readonly markets: readonly Market[];
  /** Most that may be reserved at one moment. */
  readonly limits: Reservation;
  /** Most that may be spent; absent for no such bound. */
  readonly budgets?: Budgets | undefined;
  /** How long a node may be idle before it is given back. */
  readonly idleSeconds: number;
  /** How long an instance may take from launch to its worker's first call. */
  readonly bootSeconds: number;
  /** No node is used for longer after its launch; absent for no such bound. */
  readonly maxLifetimeSeconds?: number | undefined;
  /** How long what runs on a node may go on once it is drained. */
  readonly drainSeconds: number;
  /** For how long nothing may have changed on a node before its work is moved to where others have room, if that pays; absent for never. */
  readonly consolidateSeconds?: number | undefined;
  /** How many nodes with work may be drained at a time, by our own choice. */
  readonly disruption: Disruption;
  /** A job fails when so many nodes were lost while it ran on them. */
  readonly mostLosses: number;
  /** Whether one node may serve several teams. */
  readonly shared: boolean;
  /** The teams that may use it; empty for all. */
  readonly teams: readonly string[];
  /** Whether its jobs may name a container image. */
  readonly containers: boolean;
  /** The pool that a job moves to when EC2 has given it nothing here for `fallbackSeconds`; absent for none. */
  readonly fallback?: string | undefined;
  readonly fallbackSeconds: number;
  /** It was taken out of the configuration, and is emptied. */
  readonly closing?: true | undefined;
};

/** A pool that jobs may move to, and what it can buy; `catalogue` is absent until it was first fetched. */
export type NextPool = { readonly pool: Pool; readonly catalogue?: Catalogue | undefined };

/** The pools that a pool's jobs may move to, in the order in which they are tried: its fallback, that one's, and so on. */
export function fallbacksOf(pool: Pool, pools: readonly Pool[]): readonly Pool[] {
  const chain: Pool[] = [];
  for (let at = pool; at.fallback !== undefined; ) {
    const next = pools.find(({ name }) => name === at.fallback);
    // The configuration has no cycles; one would not end here either.
    if (!next || next.name === pool.name || chain.includes(next)) break;
    chain.push(next);
    at = next;
  }
  return chain;
}

/** So many nodes, or such a share (0 to 1) of those that are there, at least one. */
export type Disruption = { readonly nodes: number } | { readonly share: number };

/** Dollars in a UTC day and in a UTC calendar month, as AWS bills. Each is absent where there is no such budget. */
export type Budgets = { readonly usdPerDay?: number | undefined; readonly usdPerMonth?: number | undefined };

/** What nodes whose end is on record have cost in the present UTC day and month. */
export type Spent = { readonly dayUsd: number; readonly monthUsd: number };

/** What the table knows of a pool beside its jobs, nodes and launches. */
export type PoolState = {
  /** Counts the facts that were committed for this pool. */
  readonly bell: number;
  /** The bell that the last decision had heard before it looked. */
  readonly decidedThrough: number;
  /** Counts the decisions begun; only the newest may write. */
  readonly epoch: number;
  readonly reserved: Reservation;
  /** Whether the last decision had found jobs, nodes or open launches: such a pool is woken once a minute. */
  readonly busy: boolean;
};
