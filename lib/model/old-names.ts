/** Returns a pool of a file in which `mostLosses`, the name of `maxLosses` in the last release, is renamed. */
export function withNewNames(pool: unknown): unknown {
  if (typeof pool !== "object" || pool === null || !("mostLosses" in pool) || "maxLosses" in pool) return pool;
  const { mostLosses, ...others } = pool;
  return { ...others, maxLosses: mostLosses };
}
