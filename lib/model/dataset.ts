/** A dataset is named by its team and its own name. */
export type DatasetRef = { readonly team: string; readonly dataset: string };

/**
 * How a job uses a dataset. `whole`: every shard lies on its node. `part`: the shards are dealt out among all nodes
 * that run such jobs, and each job sees its node's own.
 */
export type DatasetUse = { readonly name: string; readonly share: "whole" | "part" };

export const datasetName = ({ team, dataset }: DatasetRef): string => `${team}/${dataset}`;

/** What a node has fetched of a dataset and checked against its checksums. */
export type FetchedDataset = DatasetRef & {
  /** Of the shard map by which it was fetched. */
  readonly version: number;
  readonly shards: number;
  readonly bytes: number;
};
