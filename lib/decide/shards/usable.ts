import type { Dataset, DatasetUse, Holding } from "../../model/dataset.ts";
import { sourceUrl } from "../../model/dataset.ts";

/** What a job that names datasets finds when it looks for them. */
export type Found = { readonly use: DatasetUse; readonly dataset: Dataset | undefined };

/** Why a job of this team cannot have these; undefined when it can, or when that is not known yet. */
export function whyNoData(team: string, found: readonly Found[]): string | undefined {
  const names = found.map(({ use }) => use.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) return `it names the dataset ${twice} twice; give it one share`;
  return found.map(({ use, dataset }) => whyNot(team, use.name, dataset)).find((why) => why !== undefined);
}

function whyNot(team: string, name: string, dataset: Dataset | undefined): string | undefined {
  if (!dataset) return `team ${team} has no dataset named ${name}; add it first`;
  switch (dataset.state) {
    case "listing":
    case "ready":
      return undefined;
    case "empty":
      return `the dataset ${name} is empty: there is nothing below ${sourceUrl(dataset.source)}`;
    case "failed":
      return `the dataset ${name} cannot be used: ${dataset.trouble ?? "its source could not be listed"}`;
  }
}

/** What a node shall have for this use; undefined while the map does not say so for the newest listing. */
export function holdingFor(dataset: Dataset, node: string, use: DatasetUse): Holding | undefined {
  const { map, listing } = dataset;
  if (!map || map.listing !== listing?.version) return undefined;
  return map.holdings.find((each) => each.node === node && each.share === use.share);
}
