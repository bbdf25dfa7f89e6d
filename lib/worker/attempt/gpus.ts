/**
 * Returns the indexes of the GPUs that an attempt gets: the lowest ones that no other attempt holds. It never refuses, because the
 * server knows how many GPUs the node has and orders no more attempts than fit.
 */
export function allotGpus(count: number, held: Iterable<readonly number[]>): readonly number[] {
  const taken = new Set<number>();
  for (const indexes of held) for (const index of indexes) taken.add(index);
  const free: number[] = [];
  for (let index = 0; free.length < count; index++) if (!taken.has(index)) free.push(index);
  return free;
}
