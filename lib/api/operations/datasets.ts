import * as z from "zod";
import { DatasetName, TeamName } from "../../../events/names.ts";
import { addDataset } from "../../flows/add-dataset.ts";
import { getDataset, listDatasets, removeDataset } from "../../flows/datasets.ts";
import type { DatasetRef } from "../../model/dataset.ts";
import { noBody, type Operation, operation } from "../http/operation.ts";
import { type ProblemResponse, problem, success } from "../http/response.ts";
import { DatasetDetailView, DatasetList, DatasetView, datasetDetail, datasetView } from "../views/datasets.ts";
import { noQuery, ofTeam } from "./path.ts";

const ofDataset = z.strictObject({ team: TeamName, dataset: DatasetName });
const path = "/teams/{team}/datasets/{dataset}";

const list = operation({
  id: "listDatasets",
  method: "get",
  path: "/teams/{team}/datasets",
  summary: "Lists a team's datasets by name",
  params: ofTeam,
  query: noQuery,
  body: noBody,
  responses: { schema: DatasetList, statuses: { 200: "All datasets of the team" } },
  problems: ["not-found"],
  handle: async (deps, { params }) => success({ items: (await listDatasets(deps, params.team)).map(datasetView) }),
});

const get = operation({
  id: "getDataset",
  method: "get",
  path,
  summary: "Returns a dataset and the nodes that hold it",
  params: ofDataset,
  query: noQuery,
  body: noBody,
  responses: { schema: DatasetDetailView, statuses: { 200: "The dataset" } },
  problems: ["not-found"],
  async handle(deps, { params }) {
    const found = await getDataset({ ...deps, pools: deps.fleet.pools }, params);
    return found ? success(datasetDetail(found)) : noDataset(params);
  },
});

const Source = z
  .strictObject({
    source: z
      .string()
      .min(1)
      .max(1200)
      .describe("s3://bucket/prefix/ below the team's own prefix of the datasets bucket, or in a bucket that the admin lists"),
    replace: z.boolean().default(false).describe("Whether to replace a dataset of this name that has another source"),
  })
  .meta({ id: "DatasetSource" });

const put = operation({
  id: "putDataset",
  method: "put",
  path,
  summary: "Creates a dataset from the objects below a source, or lists them again if it exists; repeating the call is harmless",
  params: ofDataset,
  query: noQuery,
  body: { schema: Source, maxBytes: 8192, optional: false },
  responses: { schema: DatasetView, statuses: { 200: "The dataset existed or replaces another one", 201: "The dataset was created" } },
  problems: ["not-found", "conflict", "too-large", "media-type", "rejected"],
  async handle(deps, { params, body }) {
    const added = await addDataset(deps, { ...params, ...body });
    switch (added.kind) {
      case "added":
        return success(datasetView(added.dataset), 201);
      case "same":
      case "replaced":
        return success(datasetView(added.dataset));
      case "refused":
        return problem(added.what === "taken" || added.what === "limit" ? "conflict" : "rejected", added.reason);
    }
  },
});

const remove = operation({
  id: "removeDataset",
  method: "delete",
  path,
  summary: "Removes a dataset's name; the data itself is kept",
  params: ofDataset,
  query: noQuery,
  body: noBody,
  responses: { schema: z.undefined(), statuses: { 204: "The dataset was removed" } },
  problems: ["not-found"],
  async handle(deps, { params }) {
    const outcome = await removeDataset(deps, params);
    return outcome === "removed" ? success(undefined, 204) : noDataset(params);
  },
});

const noDataset = ({ team, dataset }: DatasetRef): ProblemResponse => problem("not-found", `The team ${team} has no dataset ${dataset}.`);

export const datasetOperations: readonly Operation[] = [list, get, put, remove];
