type Pool = {
  readonly name: string;
  readonly teams: readonly string[];
  readonly containers: boolean;
  readonly shared: boolean;
  readonly fallback?: string | undefined;
};

/**
 * Returns what is wrong with the pools' fallbacks, with the pool's index: the fallback pool must accept every job that may move to
 * it, and a job must never return to a pool that it has left.
 */
export const fallbackProblems = (pools: readonly Pool[], teams: readonly string[]): { readonly pool: number; readonly message: string }[] =>
  pools.flatMap((pool, index) => problemsOf(pool, pools, teams).map((message) => ({ pool: index, message })));

function problemsOf(pool: Pool, pools: readonly Pool[], teams: readonly string[]): string[] {
  if (pool.fallback === undefined) return [];
  if (pool.fallback === pool.name) return [`pool "${pool.name}" cannot be its own fallback`];
  const other = pools.find(({ name }) => name === pool.fallback);
  if (!other) return [`there is no pool "${pool.fallback}"; known pools: ${pools.map(({ name }) => name).join(", ")}`];
  const turnedAway = teamsOf(pool, teams).filter((team) => !teamsOf(other, teams).includes(team));
  return [
    ...(isInCycle(pool, pools) ? [`jobs of pool "${pool.name}" would return to it: fallbacks must not form a cycle`] : []),
    ...(turnedAway.length > 0
      ? [`pool "${other.name}" does not accept jobs of ${turnedAway.join(", ")}, which may use pool "${pool.name}"`]
      : []),
    ...(!pool.shared && other.shared && teamsOf(other, teams).length > 1
      ? [`pool "${pool.name}" keeps teams on separate nodes, but pool "${other.name}" is shared`]
      : []),
    ...(pool.containers && !other.containers ? [`pool "${pool.name}" runs containers, but pool "${other.name}" does not`] : []),
  ];
}

const teamsOf = ({ teams }: Pool, all: readonly string[]): readonly string[] => (teams.length === 0 ? all : teams);

/** Returns whether the chain of fallbacks leads back to the pool itself. */
function isInCycle(pool: Pool, pools: readonly Pool[]): boolean {
  let at: Pool | undefined = pool;
  for (let steps = 0; steps < pools.length; steps += 1) {
    at = pools.find(({ name }) => name === at?.fallback);
    if (at?.name === pool.name) return true;
  }
  return false;
}
