import type { DatasetDetailView, DatasetView } from "../../api/views/datasets.ts";
import { exitCodes, UsageError } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import { advised } from "../session/advised.ts";
import type { Context } from "../session/context.ts";
import { teamOf } from "../session/team.ts";
import { bytes, count } from "../terminal/amount.ts";
import { past } from "../terminal/duration.ts";
import { type Column, tableLines } from "../terminal/table.ts";
import { factLines } from "../views/job-view.ts";
import type { ShowJobOptions } from "./jobs/job.ts";

/** Lists a team's datasets. */
export async function datasets(options: ShowJobOptions, { connection, console }: Context): Promise<number> {
  const team = await teamOf(options.team, connection);
  const { items } = await connection.api.datasets(team);
  const empty = `team ${team} has no datasets; add one with: ${commandLine("dataset", "upload", "NAME", "FOLDER", "--team", team)}`;
  if (options.json) console.out(JSON.stringify({ datasets: items }));
  else for (const line of tableLines(items, columns, { empty, width: console.width })) console.out(line);
  return exitCodes.ok;
}

const columns: Column<DatasetView>[] = [
  { title: "DATASET", of: ({ dataset }) => dataset },
  { title: "STATE", of: ({ state }) => state },
  { title: "SHARDS", of: ({ listing }) => listing?.shards.toString() ?? "-", align: "right" },
  { title: "SIZE", of: ({ listing }) => (listing === undefined ? "-" : bytes(listing.bytes)), align: "right" },
  { title: "NODES", of: ({ map }) => map?.nodes.toString() ?? "-", align: "right" },
  { title: "SOURCE", of: ({ source }) => source, yields: true },
  {
    title: "TROUBLE",
    of: ({ trouble, listing }) => trouble ?? (listing?.skipped ? `${count(listing.skipped.objects, "object")} left out` : ""),
    yields: true,
  },
];

/** Shows one dataset. */
export async function showDataset(dataset: string, options: ShowJobOptions, on: Context): Promise<number> {
  const team = await teamOf(options.team, on.connection);
  return showSet(await advised(on.connection.api.dataset({ team, dataset }), none(team, dataset)), options, on);
}

export type AddOptions = ShowJobOptions & { readonly source: string; readonly replace?: boolean | undefined };

/** Adds a dataset. Adding it again with the same source lists its files again. */
export const addDataset = async (dataset: string, options: AddOptions, on: Context): Promise<number> =>
  showSet(await putDataset(dataset, options, on), options, on);

/** Makes the files at a source a dataset, and prints how jobs read it. */
export async function putDataset(
  dataset: string,
  { source, replace = false, ...options }: AddOptions,
  on: Context,
): Promise<DatasetDetailView> {
  if (!/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/.test(source))
    throw new UsageError(`${source} is not an S3 source; expected s3://BUCKET/PREFIX/`);
  const team = await teamOf(options.team, on.connection);
  const from = { source: source.endsWith("/") ? source : `${source}/`, replace };
  const added = await on.connection.api.putDataset({ team, dataset }, from);
  if (!options.json)
    on.console.note(`jobs of team ${team} read it with --dataset ${dataset}, or "datasets": ["${dataset}"], below $FLEETWRIGHT_DATA`);
  return { ...added, holders: [] };
}

/** Removes a dataset. Its files stay on S3. */
export async function removeDataset(dataset: string, options: ShowJobOptions, { connection, console }: Context): Promise<number> {
  const team = await teamOf(options.team, connection);
  await advised(connection.api.removeDataset({ team, dataset }), none(team, dataset));
  if (options.json) console.out(JSON.stringify({ team, dataset, removed: true }));
  else console.note(`team ${team} no longer has a dataset ${dataset}; its files stay on S3`);
  return exitCodes.ok;
}

const none = (team: string, dataset: string): string =>
  `team ${team} has no dataset ${dataset}; list them with: ${commandLine("datasets", "--team", team)}`;

/** Prints a dataset. `more` is printed only as JSON. */
export function showSet(set: DatasetDetailView, options: ShowJobOptions & { readonly more?: object }, { console, nowMs }: Context): number {
  if (options.json) console.out(JSON.stringify({ ...set, ...options.more }));
  else for (const line of datasetLines(set, nowMs)) console.out(line);
  return exitCodes.ok;
}

const sized = ({ shards, bytes: size }: { readonly shards: number; readonly bytes: number }): string =>
  `${count(shards, "shard")}, ${bytes(size)}`;

/** Returns in words which objects jobs do not see: how many in all, and one line per example. */
function skippedOf(listing: DatasetView["listing"]): { readonly objects: string; readonly named: readonly string[] } | undefined {
  if (listing?.skipped === undefined) return undefined;
  const { objects, examples } = listing.skipped;
  const more = objects - examples.length;
  const named = examples.map(({ key, because }) => `${key} ${because}`);
  return { objects: count(objects, "object"), named: more > 0 ? [...named, `and ${more} more`] : named };
}

export const datasetLines = ({ listing, map, ...set }: DatasetDetailView, nowMs: number): string[] =>
  factLines([
    ["dataset", `${set.dataset} of team ${set.team}`],
    ["state", set.state],
    ["trouble", set.trouble],
    ["source", set.source],
    ["holds", listing && `${sized(listing)} (version ${listing.version})`],
    ["left out", skippedOf(listing) && `${skippedOf(listing)?.objects} that jobs do not see:`],
    ...(skippedOf(listing)?.named ?? []).map((line): [string, string] => ["", line]),
    [
      "map",
      map &&
        `version ${map.version}, over ${count(map.nodes, "node")}; ${count(map.moved, "shard")} moved, ${past(Date.parse(map.madeAt), nowMs)}`,
    ],
    ...set.holders.map(({ node, share, fetched, ...holds }): [string, string] => [
      "node",
      `${node}: ${share === "part" ? `its part, ${sized(holds)}` : "all of it"}; ${fetched === undefined ? "nothing fetched yet" : `fetched ${sized(fetched)}`}`,
    ]),
    ["added", past(Date.parse(set.addedAt), nowMs)],
  ]);
