import { DatasetName } from "../../events/names.ts";
import type { Dataset, DatasetLimits, DatasetRef, Source } from "../model/dataset.ts";
import { sourceUrl } from "../model/dataset.ts";
import type { Ports } from "../ports/ports.ts";

/** Where sources may be: below a team's own prefix of the datasets bucket, or anywhere in the buckets that the admin lists. */
export type DataPlaces = { readonly datasetsBucket: string; readonly dataBuckets: readonly string[] };

export type AddDeps = Pick<Ports, "datasets" | "shardQueue"> & {
  readonly places: DataPlaces;
  readonly datasetLimits: Pick<DatasetLimits, "perTeam">;
  readonly now: () => number;
  readonly newId: () => string;
};

export type NewDataset = DatasetRef & {
  /** `s3://bucket/prefix/`; the last slash may be left out. */
  readonly source: string;
  /** Whether a dataset of this name may change to this source. */
  readonly replace?: boolean | undefined;
};

/**
 * `same`: it existed with this source, and is listed again. `refused`: because of its name or source, because the name is `taken`, or because
 * the team is at its limit.
 */
export type Added =
  | { readonly kind: "added" | "same" | "replaced"; readonly dataset: Dataset }
  | { readonly kind: "refused"; readonly what: "name" | "source" | "taken" | "limit"; readonly reason: string };

/**
 * Adds a team's dataset and asks for its source to be listed. Adding it twice is harmless. Each call sends the message, because an earlier
 * one may have crashed before sending it. If a bucket sends no events about its changes, this is also the way to list it again.
 */
export async function addDataset(deps: AddDeps, request: NewDataset): Promise<Added> {
  const { team } = request;
  const name = DatasetName.safeParse(request.dataset);
  if (!name.success) return { kind: "refused", what: "name", reason: name.error.issues.map((issue) => issue.message).join("; ") };
  const source = sourceOf(request, deps.places);
  if ("reason" in source) return { kind: "refused", what: "source", reason: source.reason };

  const dataset: Dataset = { team, dataset: name.data, id: deps.newId(), source, state: "listing", addedAtMs: deps.now() };
  const { perTeam } = deps.datasetLimits;
  const there = await deps.datasets.add(dataset, perTeam);
  if (there === "full")
    return { kind: "refused", what: "limit", reason: `team ${team} has ${perTeam} datasets, the most that it may have; remove one first` };
  if (sourceUrl(there.source) !== sourceUrl(source)) {
    const reason = `team ${team} has a dataset ${name.data} from ${sourceUrl(there.source)}; remove it first, or add it with "replace"`;
    const taken: Added = { kind: "refused", what: "taken", reason };
    if (!request.replace || (await deps.datasets.replace(there, dataset)) === "stale") return taken;
    await deps.shardQueue.send(dataset, { relist: true });
    return { kind: "replaced", dataset };
  }
  await deps.shardQueue.send(there, { relist: true });
  return { kind: there.id === dataset.id ? "added" : "same", dataset: there };
}

const Address = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s;

function sourceOf({ team, source }: NewDataset, { datasetsBucket, dataBuckets }: DataPlaces): Source | { readonly reason: string } {
  const [, bucket, path = ""] = Address.exec(source) ?? [];
  if (bucket === undefined) return { reason: `"${source}" is not an address like s3://bucket/prefix/` };
  const prefix = path === "" || path.endsWith("/") ? path : `${path}/`;
  if (Buffer.byteLength(prefix) > 900) return { reason: "the prefix is longer than 900 bytes" };
  if (bucket === datasetsBucket) {
    if (prefix.startsWith(`${team}/`)) return { bucket, prefix };
    return { reason: `in ${datasetsBucket}, data of team ${team} must be below s3://${datasetsBucket}/${team}/` };
  }
  if (dataBuckets.includes(bucket)) return { bucket, prefix };
  const others = dataBuckets.length > 0 ? `, or in: ${dataBuckets.join(", ")}` : "";
  return {
    reason:
      `jobs may not read the bucket ${bucket}. Copy the data below s3://${datasetsBucket}/${team}/${others}; ` +
      'or ask the admin to add the bucket to "dataBuckets" in the configuration',
  };
}
