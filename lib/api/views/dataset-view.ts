import type { DatasetDetail as KnownDetail } from "../../flows/datasets.ts";
import { type Dataset as Known, sourceUrl } from "../../model/dataset.ts";
import { iso } from "./times.ts";
import type { Dataset, DatasetDetail } from "./views.ts";

export const datasetView = ({ team, dataset, source, state, trouble, addedAtMs, listing, map }: Known): Dataset => ({
  team,
  dataset,
  source: sourceUrl(source),
  state,
  trouble,
  addedAt: iso(addedAtMs),
  listing: listing && {
    version: listing.version,
    shards: listing.shards,
    bytes: listing.bytes,
    skipped: listing.skipped && { objects: listing.skipped.objects, examples: [...listing.skipped.examples] },
  },
  map: map && {
    version: map.version,
    listing: map.listing,
    madeAt: iso(map.madeAtMs),
    nodes: new Set(map.holdings.map(({ node }) => node)).size,
    moved: map.moved,
    movedBytes: map.movedBytes,
  },
});

export const datasetDetail = ({ dataset, holders }: KnownDetail): DatasetDetail => ({
  ...datasetView(dataset),
  holders: holders.map(({ node, share, shards, bytes, fetched }) => ({
    node,
    share,
    shards,
    bytes,
    fetched: fetched && { version: fetched.version, shards: fetched.shards, bytes: fetched.bytes },
  })),
});
