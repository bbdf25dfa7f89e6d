import type { Reservation } from "./launch.ts";
import type { Catalogue, Market } from "./offer.ts";
import type { WhenSpent } from "./values/when-spent.ts";

/** A named fleet under one policy, as configured. */
export type Pool = {
  readonly name: string;
  /** Instance families ("g5", "g6"), or whole types ("g5.xlarge"). */
  readonly families: readonly string[];
  readonly markets: readonly Market[];
  /** The most that may be reserved at any moment. */
  readonly limits: Reservation;
  /** The most that may be spent; undefined for no limit. */
  readonly budgets?: Budgets | undefined;
  /** The most that may be spent on the nodes of a team in this pool, by team; undefined for no limit. */
  readonly teamBudgets?: Readonly<Record<string, Budgets>> | undefined;
  /** How long a node may be idle before it is terminated. */
  readonly idleSeconds: number;
  /** The number of nodes that the pool keeps, with work or without; undefined for none. Only in shared pools, because a node of another serves one team. */
  readonly minNodes?: number | undefined;
  /** How long an instance may take from its launch to its worker's first call. */
  readonly bootSeconds: number;
  /** How long a worker may be silent before its instance is ended, while we hear others and EC2 says that the instance runs. */
  readonly silentSeconds: number;
  /** How long a node with work goes on if its worker gets no response. */
  readonly islandHours: number;
  /** The most that such a node may cost meanwhile; undefined for no limit. */
  readonly islandUsd?: number | undefined;
  /** How long after its launch a node is used at most; undefined for no limit. */
  readonly maxLifetimeSeconds?: number | undefined;
  /** How long attempts may go on running on a node after it is drained. */
  readonly drainSeconds: number;
  /** How long a node's assignments must not have changed before they may be moved to other nodes to save cost; undefined for never. */
  readonly consolidateSeconds?: number | undefined;
  /** How many nodes with work may be drained at the same time; EC2's interruptions do not count. */
  readonly disruption: Disruption;
  /** A job fails after so many nodes were lost while it ran on them. */
  readonly maxLosses: number;
  /** The most jobs of one team that may wait in the pool. */
  readonly maxQueuedJobs: number;
  /** The longest time for which a job's program may run, s; undefined for what the job asks for. */
  readonly maxRuntimeSeconds?: number | undefined;
  /** Whether one node may serve several teams. */
  readonly shared: boolean;
  /** The teams that may use it; empty for all. */
  readonly teams: readonly string[];
  /** Whether its jobs may name a container image. */
  readonly containers: boolean;
  /** The pool that a job moves to if EC2 has given it nothing here for `fallbackSeconds`; undefined for none. */
  readonly fallback?: string | undefined;
  readonly fallbackSeconds: number;
  /** Set if the pool was removed from the configuration and is being emptied. */
  readonly closing?: true | undefined;
};

/** The most nodes that a pool can be configured or ordered to keep, because a larger number is a typing error. */
export const maxMinNodes = 1_000;

/** Returns why a pool that is not shared cannot keep nodes. */
export const whyNoMinimum = (pool: string): string =>
  `a node of pool "${pool}" serves one team only, and it is not known whose job is next; only a shared pool can keep nodes that no job uses`;

/** A pool that jobs may move to, and what it can buy. */
export type NextPool = {
  readonly pool: Pool;
  /** Undefined until it was first fetched. */
  readonly catalogue?: Catalogue | undefined;
  /** Set if it is paused, so that no job moves there. */
  readonly paused?: true | undefined;
};

/** Returns the pools that a pool's jobs may move to, in the order in which they are tried: its fallback, that one's fallback, and so on. */
export function fallbacksOf(pool: Pool, pools: readonly Pool[]): readonly Pool[] {
  const chain: Pool[] = [];
  for (let at = pool; at.fallback !== undefined; ) {
    const next = pools.find(({ name }) => name === at.fallback);
    // A valid configuration has no cycles, but the loop must end even if there is one.
    if (!next || next.name === pool.name || chain.includes(next)) break;
    chain.push(next);
    at = next;
  }
  return chain;
}

/** How long a node goes on with its work if its worker gets no response, unless its pool says otherwise, in hours. */
export const defaultIslandHours = 24;

/** Returns for how many ms a node at this price per hour goes on with its work if its worker gets no response. */
export function islandMs(
  pool: Pick<Pool, "islandHours" | "islandUsd"> | undefined,
  { usdPerHour }: { readonly usdPerHour: number },
): number {
  const { islandHours = defaultIslandHours, islandUsd } = pool ?? {};
  const affordable = islandUsd === undefined || usdPerHour <= 0 ? islandHours : islandUsd / usdPerHour;
  return Math.round(Math.min(islandHours, affordable) * 3_600_000);
}

/** A number of nodes, or a share (0 to 1) of the pool's nodes, which is at least one node. */
export type Disruption = { readonly nodes: number } | { readonly share: number };

/** Dollars per UTC day and per UTC calendar month, because AWS bills by them. A field is undefined if there is no such budget. */
export type Budgets = {
  readonly usdPerDay?: number | undefined;
  readonly usdPerMonth?: number | undefined;
  /** What happens once a budget is used up; undefined for `stop-growth`. */
  readonly whenSpent?: WhenSpent | undefined;
};

/** What the nodes whose end is recorded have cost in the present UTC day and month. */
export type Spent = {
  readonly dayUsd: number;
  readonly monthUsd: number;
  /** Set if the record cannot be read. */
  readonly isUnknown?: true | undefined;
  /** The part of each team's own nodes. A team that is missing has spent nothing. */
  readonly teams?: Readonly<Record<string, Omit<Spent, "teams">>> | undefined;
};

/** What the table stores about a pool besides its jobs, nodes and launches. */
export type PoolState = {
  /** How often the pool's bell has rung: once per committed fact. */
  readonly bell: number;
  /** The value of `bell` that the last decision read before its snapshot. */
  readonly decidedThrough: number;
  /** How many decisions have begun. Only the newest may write. */
  readonly epoch: number;
  readonly reserved: Reservation;
  /** Whether the last decision found jobs, nodes or open launches. Such a pool is woken once a minute. */
  readonly busy: boolean;
};

/** Returns a pool of a file in which `mostLosses`, the name of `maxLosses` in the last release, is renamed. */
export function withNewNames(pool: unknown): unknown {
  if (typeof pool !== "object" || pool === null || !("mostLosses" in pool) || "maxLosses" in pool) return pool;
  const { mostLosses, ...others } = pool;
  return { ...others, maxLosses: mostLosses };
}
