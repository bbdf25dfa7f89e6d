import type { BinPacking } from "../engines/packing.ts";
import type { BinKind, Instance } from "../problem/instance.ts";
import type { JobClass, Supply } from "../problem/problem.ts";

/** One bin with its jobs by name. */
export type NamedBin = { readonly jobs: readonly JobClass[] } & (
  | { readonly node: string; readonly offer?: undefined }
  | { readonly node?: undefined; readonly offer: Supply }
);

/** Gives the places of a packing to jobs by name, the most urgent first: existing nodes are filled first, then bins by rising price. */
export function namedBins(instance: Instance, packing: BinPacking): { bins: readonly NamedBin[]; waiting: readonly JobClass[] } {
  const next = instance.shapes.map(({ classes }) => inTurn(classes));
  const used = new Map<number, number>();
  const bins: NamedBin[] = [];
  const order = packing.bins.toSorted((a, b) => (instance.kinds[a.kind] as BinKind).price - (instance.kinds[b.kind] as BinKind).price);
  for (const { kind, shapes, counts, times } of order) {
    const { nodes, offer } = instance.kinds[kind] as BinKind;
    for (let time = 0; time < times; time += 1) {
      const jobs = shapes.flatMap((shape, at) => next[shape]?.(counts[at] as number) ?? []);
      const nth = used.get(kind) ?? 0;
      used.set(kind, nth + 1);
      const node = nodes?.[nth]?.name;
      if (node !== undefined) bins.push({ jobs, node });
      else if (offer) bins.push({ jobs, offer });
    }
  }
  return { bins, waiting: next.flatMap((take) => take(Number.POSITIVE_INFINITY)) };
}

/** Returns a function that takes the next `count` jobs of these classes, in their order. */
function inTurn(classes: readonly JobClass[]): (count: number) => readonly JobClass[] {
  let [at, from] = [0, 0];
  return (count) => {
    const taken: JobClass[] = [];
    for (let left = count; left > 0 && at < classes.length; ) {
      const each = classes[at] as JobClass;
      const names = each.names.slice(from, from + Math.min(left, each.names.length));
      if (names.length > 0) taken.push(names.length === each.names.length ? each : { ...each, names });
      left -= names.length;
      from += names.length;
      if (from >= each.names.length) [at, from] = [at + 1, 0];
    }
    return taken;
  };
}
