import * as z from "zod";
import { DatasetName, TeamName } from "../../../events/names.ts";
import type { DatasetDetail as KnownDetail } from "../../flows/datasets.ts";
import { type Dataset, sourceUrl } from "../../model/dataset.ts";
import { Count, Time } from "./fields.ts";
import { iso } from "./times.ts";

const datasetFacts = {
  team: TeamName,
  dataset: DatasetName,
  source: z.string().describe("s3://bucket/prefix/"),
  state: z.enum(["listing", "ready", "empty", "failed"]).describe("listing: not listed yet; failed: the source could not be listed"),
  trouble: z.string().optional().describe("Why the source could not be listed when that was last tried"),
  addedAt: Time,
  listing: z
    .object({
      version: Count,
      shards: Count,
      bytes: Count,
      skipped: z
        .object({ objects: Count, examples: z.array(z.object({ key: z.string(), because: z.string() })).describe("The first 20") })
        .optional()
        .describe("Objects that jobs do not see, because they cannot be files or are archived; omitted if there are none"),
    })
    .optional()
    .describe("The contents of the source when it last changed"),
  map: z
    .object({
      version: Count,
      listing: Count.describe("The version of the listing whose shards it deals"),
      madeAt: Time,
      nodes: Count,
      moved: Count.describe("Shards whose holder changed with this version"),
      movedBytes: Count,
    })
    .optional()
    .describe("Which node holds which shards; omitted until a node needs the dataset"),
};

export const DatasetView = z.object(datasetFacts).meta({ id: "Dataset" });
export type DatasetView = z.infer<typeof DatasetView>;

export const DatasetDetailView = z
  .object({
    ...datasetFacts,
    holders: z.array(
      z.object({
        node: z.string(),
        share: z.enum(["whole", "part"]),
        shards: Count,
        bytes: Count,
        fetched: z
          .object({ version: Count, shards: Count, bytes: Count })
          .optional()
          .describe("What the node reports to have fetched and checked"),
      }),
    ),
  })
  .meta({ id: "DatasetDetail" });
export type DatasetDetailView = z.infer<typeof DatasetDetailView>;

export const DatasetList = z.object({ items: z.array(DatasetView) }).meta({ id: "DatasetList" });
export type DatasetList = z.infer<typeof DatasetList>;

export const datasetView = ({ team, dataset, source, state, trouble, addedAtMs, listing, map }: Dataset): DatasetView => ({
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

export const datasetDetail = ({ dataset, holders }: KnownDetail): DatasetDetailView => ({
  ...datasetView(dataset),
  holders: holders.map(({ node, share, shards, bytes, fetched }) => ({
    node,
    share,
    shards,
    bytes,
    fetched: fetched && { version: fetched.version, shards: fetched.shards, bytes: fetched.bytes },
  })),
});
