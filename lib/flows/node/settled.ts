import pMap from "p-map";

/** The results of the items whose work succeeded, in any order, and the others with their errors. */
export type Settled<T, R> = {
  readonly done: readonly R[];
  readonly failures: readonly { readonly item: T; readonly error: unknown }[];
};

/** Does the work for each item. A failure does not stop the rest. */
export async function settled<T, R>(
  items: readonly T[],
  options: { readonly concurrency: number },
  work: (item: T) => Promise<R>,
): Promise<Settled<T, R>> {
  const done: R[] = [];
  const failures: { item: T; error: unknown }[] = [];
  const one = async (item: T): Promise<void> => {
    try {
      done.push(await work(item));
    } catch (error) {
      failures.push({ item, error });
    }
  };
  await pMap(items, one, options);
  return { done, failures };
}
