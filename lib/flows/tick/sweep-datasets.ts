import { needsOf, sameNeeds } from "../../decide/shards/needs.ts";
import type { Ports } from "../../ports/ports.ts";

export type SweepDeps = Pick<Ports, "datasets" | "poolNodes" | "shardQueue"> & {
  readonly teams: readonly string[];
  readonly pools: readonly { readonly name: string }[];
};

/**
 * Requests every map that does not name exactly the nodes that need its dataset, because a node or a message was lost.
 * Returns how many. It costs one read per team, and one more per pool if any map names a node.
 */
export async function sweepDatasets(deps: SweepDeps): Promise<number> {
  const datasets = (await Promise.all(deps.teams.map((team) => deps.datasets.list(team)))).flat();
  const mapped = datasets.filter((dataset) => (dataset.map?.holdings.length ?? 0) > 0);
  const unlisted = datasets.filter((dataset) => dataset.state === "listing");
  if (mapped.length === 0 && unlisted.length === 0) return 0;
  const nodes = mapped.length === 0 ? [] : (await Promise.all(deps.pools.map((pool) => deps.poolNodes.nodes(pool.name)))).flat();
  const due = mapped.filter((dataset) => !sameNeeds(needsOf(dataset, nodes), dataset.map?.holdings ?? []));
  for (const dataset of [...unlisted, ...due]) await deps.shardQueue.send(dataset);
  return unlisted.length + due.length;
}
