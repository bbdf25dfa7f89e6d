/**
 * Returns a function that calls `load` the first time and returns its result each time. For adapters that a function seldom needs: what `load`
 * imports becomes a file of its own in the bundle, so that a cold start does not read it.
 */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}
