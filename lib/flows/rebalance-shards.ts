import pMap from "p-map";
import { type DatasetNeed, needsOf, sameNeeds } from "../decide/shards/needs.ts";
import { type Deal, type MapPlan, type Portion, planMap } from "../decide/shards/plan-map.ts";
import {
  type Dataset,
  type DatasetLimits,
  type DatasetRef,
  datasetName,
  type Holding,
  type ShardListing,
  type ShardMap,
} from "../model/dataset.ts";
import { FleetError } from "../model/fleet-error.ts";
import type { Ports } from "../ports/ports.ts";
import { listShards } from "./shards/list-shards.ts";

export type RebalanceDeps = Pick<Ports, "datasets" | "poolNodes" | "shardQueue" | "shardStore"> & {
  readonly pools: readonly { readonly name: string }[];
  readonly datasetLimits: DatasetLimits;
  readonly now: () => number;
  readonly newId: () => string;
};

/**
 * `unknown`: there is no such dataset (any more). `later`: it has no listing yet, and its source was listed too often to be listed now.
 * `trouble`: its source cannot be listed, and never could.
 */
export type Rebalanced =
  | { readonly kind: "unknown" | "later" }
  | { readonly kind: "trouble"; readonly trouble: string }
  | { readonly kind: "same" | "changed"; readonly listing: number; readonly map: number; readonly nodes: number; readonly moved: number };

/** A run gives up after others have been faster this many times, and leaves the work to the message's next delivery. */
const maxReads = 6;
const concurrency = 8;
/** Unused objects are kept for this long after they were written, because another run's writes may be under way. */
const keepMs = 10 * 60_000;

/**
 * Lists a dataset's source (if asked to, or if it was never listed), finds the nodes that need it, and deals its shards out.
 * Each map is written completely, under a unique name, before one conditional write to the table makes it the current map,
 * which run orders read. If two runs happen at once, one wins, and the other reads again and finds nothing left to do.
 */
export async function rebalanceShards(deps: RebalanceDeps, request: DatasetRef & { readonly relist: boolean }): Promise<Rebalanced> {
  const run: Run = { request, listed: false };
  for (let reads = 0; reads < maxReads; reads += 1) {
    const outcome = await next(deps, run);
    if (outcome !== "again") return outcome;
  }
  throw new FleetError("dataset-busy", `the dataset ${datasetName(request)} changed each time it was read`, { retry: true });
}

type Run = {
  readonly request: DatasetRef & { readonly relist: boolean };
  listed: boolean;
  /** Decided once per run, so that a run that has to read again counts as one listing. */
  deferred?: boolean;
};

/** Does what is due for the dataset as it is now. `again`: it has changed, and must be read again. */
async function next(deps: RebalanceDeps, run: Run): Promise<Rebalanced | "again"> {
  const dataset = await deps.datasets.get(run.request);
  if (!dataset) {
    await deps.shardStore.sweep(run.request, { keys: new Set(), beforeMs: deps.now() - keepMs });
    return { kind: "unknown" };
  }
  if (!run.listed && (run.request.relist || dataset.state === "listing")) {
    run.deferred ??= await isDeferred(deps, dataset);
    if (!run.deferred) {
      run.listed = (await listShards(deps, dataset)) === "done";
      return "again";
    }
    if (!dataset.listing) return { kind: "later" };
  }
  if (!dataset.listing) return { kind: "trouble", trouble: dataset.trouble ?? "its source is not listed yet" };
  const map = await deal(deps, dataset, dataset.listing);
  return map === "stale" ? "again" : map;
}

/**
 * Returns whether the source must not be listed now, because it was listed too often in this interval. Then a message lists it in the next
 * one, and all messages until then have nothing to list, because that listing will include what they are about.
 */
async function isDeferred(deps: RebalanceDeps, dataset: Dataset): Promise<boolean> {
  const { listingSeconds, listingsPerSource: perSource, listingsPerTeam: perTeam } = deps.datasetLimits;
  const nowMs = deps.now();
  if (dataset.deferredUntilMs !== undefined && dataset.deferredUntilMs > nowMs) return true;
  const everyMs = listingSeconds * 1000;
  if (await deps.datasets.claimListing(dataset, { nowMs, everyMs, perSource, perTeam })) return false;
  const delaySeconds = Math.ceil((everyMs - (nowMs % everyMs)) / 1000);
  await deps.shardQueue.send(dataset, { relist: true, delaySeconds });
  // Noted after the message is sent: if it were noted first and the message failed, the source would not be listed.
  await deps.datasets.recordDeferral(dataset, nowMs + delaySeconds * 1000);
  return true;
}

async function deal(deps: RebalanceDeps, dataset: Dataset, listing: ShardListing): Promise<Rebalanced | "stale"> {
  const nodes = await pMap(deps.pools, (pool) => deps.poolNodes.nodes(pool.name), { concurrency });
  const needs = needsOf(dataset, nodes.flat());
  const old = dataset.map;
  const upToDate = old?.listing === listing.version && sameNeeds(needs, old.holdings);
  if (upToDate || (!old && needs.length === 0)) {
    return { kind: "same", listing: listing.version, map: old?.version ?? 0, nodes: needs.length, moved: 0 };
  }
  const map = await write(deps, { dataset, listing, needs });
  if ((await deps.datasets.recordMap(dataset, map)) === "stale") return "stale";
  // Keeps what the last map named, however old it is, because a worker may just have received it.
  const keys = new Set([listing.key, ...keysOf(map), ...(old ? keysOf(old) : [])]);
  await deps.shardStore.sweep(dataset, { keys, beforeMs: deps.now() - keepMs });
  return { kind: "changed", listing: listing.version, map: map.version, nodes: needs.length, moved: map.moved };
}

type Making = { readonly dataset: Dataset; readonly listing: ShardListing; readonly needs: readonly DatasetNeed[] };

/** Writes what each node should hold, and the plan of the move. */
async function write(deps: RebalanceDeps, { dataset, listing, needs }: Making): Promise<ShardMap> {
  const { team, dataset: name, source, map: old } = dataset;
  const shards = await deps.shardStore.read(listing.key);
  if (!shards) throw new FleetError("shard-list", `the shards of ${datasetName(dataset)} are not where its record says`, { retry: true });
  const plan = planMap({ shards, needs }, old && (await dealBefore(deps, old, { listing, shards })));
  const version = (old?.version ?? 0) + 1;
  const place = `maps/${version}-${deps.newId()}`;
  const of = { team, dataset: name, source, listing: listing.version };

  const listOf = async (portion: Portion): Promise<string> => {
    if (portion.share === "whole") return listing.key;
    const before = old?.holdings.find((each) => each.node === portion.node && each.share === portion.share);
    const same = before && portion.gains === 0 && portion.losses === 0;
    return same ? before.list : deps.shardStore.write(of, `${place}/${portion.node}`, portion.shards);
  };
  const holdings = await pMap(
    plan.portions,
    async (portion): Promise<Holding> => {
      const { node, share, weight, bytes } = portion;
      return { node, share, weight, shards: portion.shards.length, bytes, list: await listOf(portion) };
    },
    { concurrency },
  );
  const made = { version, listing: listing.version, madeAtMs: deps.now(), moved: plan.moved, movedBytes: plan.movedBytes };
  const summary = { ...made, from: old?.version, nodes: nodesOf(plan) };
  return { ...made, listingKey: listing.key, holdings, plan: await deps.shardStore.writePlan(of, `${place}/plan`, summary) };
}

/** Returns what the last map was made of; undefined if its listing has been deleted, so that all nodes gain everything. */
async function dealBefore(
  deps: RebalanceDeps,
  old: ShardMap,
  now: { listing: ShardListing } & Pick<Deal, "shards">,
): Promise<Deal | undefined> {
  const shards = old.listingKey === now.listing.key ? now.shards : await deps.shardStore.read(old.listingKey);
  return shards && { shards, needs: old.holdings };
}

const nodesOf = (plan: MapPlan) =>
  plan.portions.map(({ node, share, shards, bytes, gains, gainedBytes, losses }) => ({
    node,
    share,
    shards: shards.length,
    bytes,
    gains,
    gainedBytes,
    losses,
  }));

const keysOf = (map: ShardMap): readonly string[] => [map.listingKey, map.plan, ...map.holdings.map((holding) => holding.list)];
