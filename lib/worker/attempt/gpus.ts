/**
 * Which of the node's GPUs an attempt gets: the lowest that no other holds. How many there are is the server's
 * knowledge: it orders no more than fit, so there is nothing to refuse here.
 */
export function allotGpus(count: number, held: Iterable<readonly number[]>): readonly number[] {
  const taken = new Set<number>();
  for (const indexes of held) for (const index of indexes) taken.add(index);
  const free: number[] = [];
  for (let index = 0; free.length < count; index++) if (!taken.has(index)) free.push(index);
  return free;
}
