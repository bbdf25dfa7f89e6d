import type { Dataset, DatasetUse, Holding } from "../../model/dataset.ts";
import { sourceUrl } from "../../model/dataset.ts";

/** A dataset that a job names; `dataset` is undefined if the team has none of that name. */
export type NamedDataset = { readonly use: DatasetUse; readonly dataset: Dataset | undefined };

/** Returns why a job of this team cannot have these datasets; undefined if it can, or if that is not known yet. */
export function whyNoData(team: string, found: readonly NamedDataset[]): string | undefined {
  const names = found.map(({ use }) => use.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) return `the job names the dataset ${twice} twice; name it once, with one share`;
  return found.map(({ use, dataset }) => whyNot(team, use.name, dataset)).find((why) => why !== undefined);
}

function whyNot(team: string, name: string, dataset: Dataset | undefined): string | undefined {
  if (!dataset) return `team ${team} has no dataset named ${name}; add it first`;
  switch (dataset.state) {
    case "listing":
    case "ready":
      return undefined;
    case "empty":
      return `the dataset ${name} is empty: there are no objects below ${sourceUrl(dataset.source)}`;
    case "failed":
      return `the dataset ${name} cannot be used: ${dataset.trouble ?? "its source could not be listed"}`;
  }
}

/** Returns what a node should hold for this use; undefined until the map covers the newest listing and names the node. */
export function holdingFor(dataset: Dataset, node: string, use: DatasetUse): Holding | undefined {
  const { map, listing } = dataset;
  if (!map || map.listing !== listing?.version) return undefined;
  return map.holdings.find((each) => each.node === node && each.share === use.share);
}
