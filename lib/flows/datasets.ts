import pMap from "p-map";
import type { Dataset, DatasetRef, FetchedDataset, Holding } from "../model/dataset.ts";
import type { Ports } from "../ports/ports.ts";

/** Returns a team's datasets, in order of name. */
export const listDatasets = (deps: Pick<Ports, "datasets">, team: string): Promise<readonly Dataset[]> => deps.datasets.list(team);

/** What a node should hold, and what it reports to hold; `fetched` is undefined until it has reported. */
export type Holder = Holding & { readonly fetched?: FetchedDataset | undefined };
export type DatasetDetail = { readonly dataset: Dataset; readonly holders: readonly Holder[] };

export type LookDeps = Pick<Ports, "datasets" | "poolNodes"> & { readonly pools: readonly { readonly name: string }[] };

/** Returns a dataset and the nodes that hold it; undefined if the team has none of that name. */
export async function getDataset(deps: LookDeps, ref: DatasetRef): Promise<DatasetDetail | undefined> {
  const dataset = await deps.datasets.get(ref);
  if (!dataset) return undefined;
  const holdings = dataset.map?.holdings ?? [];
  if (holdings.length === 0) return { dataset, holders: [] };
  const nodes = (await pMap(deps.pools, (pool) => deps.poolNodes.nodes(pool.name), { concurrency: 8 })).flat();
  const fetchedBy = new Map(nodes.map((node) => [node.id, node.datasets?.find((each) => isSame(each, ref))]));
  return { dataset, holders: holdings.map((holding) => ({ ...holding, fetched: fetchedBy.get(holding.node) })) };
}

const isSame = (a: DatasetRef, b: DatasetRef): boolean => a.team === b.team && a.dataset === b.dataset;

/** A removed dataset's lists and maps are deleted after this long, because orders that were given just before still name them. */
const sweepAfterSeconds = 15 * 60;

/** Removes a team's dataset; the data itself stays in its bucket. Jobs that wait for the dataset fail, and running jobs go on. */
export async function removeDataset(deps: Pick<Ports, "datasets" | "shardQueue">, ref: DatasetRef): Promise<"removed" | "unknown"> {
  if ((await deps.datasets.remove(ref)) === "absent") return "unknown";
  await deps.shardQueue.send(ref, { delaySeconds: sweepAfterSeconds });
  return "removed";
}
