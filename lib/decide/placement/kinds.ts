import type { QueueEntry } from "../../model/job.ts";
import type { Snapshot } from "../../model/plan.ts";
import { type GpuKind, placesKey, wantsOf } from "../../model/wants.ts";
import { placesOf } from "./bundles.ts";

/** Returns the same text for jobs of one kind. If one job of a kind cannot be placed, neither can the others, for the same reason. */
export type KindOf = (entry: QueueEntry) => string;

/**
 * Returns a function that gives jobs the same kind only if they are of one team, need the same, and have the same conditions. GPU models
 * and zones that neither a node nor an offer of the pool or of those that its jobs may move to has make no difference, because a team can
 * write any number of them.
 */
export function kindsIn({ catalogue, nodes, next = [] }: Pick<Snapshot, "catalogue" | "nodes" | "next">): KindOf {
  const catalogues = [catalogue, ...next.map((other) => other.catalogue)];
  const types = [...catalogues.flatMap((each) => each?.types ?? []), ...nodes.map(({ type }) => type)];
  const models = new Set(types.flatMap(({ gpu }) => gpu?.model.toLowerCase() ?? []));
  const zones = new Set([...catalogues.flatMap((each) => each?.offers ?? []), ...nodes.map(({ offer }) => offer)].map(({ zone }) => zone));
  const gpuOf = remembered((gpu: GpuKind): GpuKind => ({ ...gpu, models: known(gpu.models, (model) => models.has(model.toLowerCase())) }));
  const zonesOf = remembered((all: readonly string[]) => known(all, (zone) => zones.has(zone)));
  return (entry) => {
    const places = placesKey({ ...wantsOf(entry), gpu: gpuOf(entry.gpu), zones: zonesOf(entry.zones) });
    return `${entry.team} ${placesOf(entry)} ${places}`;
  };
}

/** Returns the same function, which works once for each object: jobs that were read together share what they want. */
function remembered<Of extends object, Result>(work: (of: Of) => Result): (of: Of) => Result {
  const results = new WeakMap<Of, Result>();
  return (of) => {
    const before = results.get(of);
    if (before !== undefined) return before;
    const result = work(of);
    results.set(of, result);
    return result;
  };
}

/** Returns the known ones of these names, or one that nothing has if none is known: an empty list would accept all. */
function known(names: readonly string[], isKnown: (name: string) => boolean): readonly string[] {
  const left = names.filter(isKnown);
  return left.length > 0 || names.length === 0 ? left : [""];
}
