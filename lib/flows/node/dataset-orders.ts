import pMap from "p-map";
import type { Order } from "../../../events/node-call.ts";
import { holdingFor, type NamedDataset, whyNoData } from "../../decide/shards/usable.ts";
import type { DatasetUse } from "../../model/dataset.ts";
import type { Assignment } from "../../model/node.ts";
import type { Ports } from "../../ports/ports.ts";

export type DataDeps = Pick<Ports, "datasets" | "shardQueue"> & {
  /** The bucket with the lists of shards. */
  readonly places: { readonly datasetsBucket: string };
};

export type DatasetOrders = NonNullable<Extract<Order, { kind: "run" }>["datasets"]>;

/** `wait`: the maps do not name the node yet, and new ones were requested. `never`: why the job cannot have its data. */
export type DataFor =
  | { readonly kind: "ready"; readonly datasets: DatasetOrders }
  | { readonly kind: "wait" }
  | { readonly kind: "never"; readonly reason: string };

/** The least time between two requests of one node for a map, because a node calls every second or two while it waits. */
const requestEveryMs = 3_000;

/** Returns what a node must fetch for an attempt. It uses only the newest map, because an older list may name shards that are gone. */
export async function datasetsFor(
  deps: DataDeps,
  on: { readonly node: string; readonly team: string; readonly uses: readonly DatasetUse[]; readonly nowMs: number },
): Promise<DataFor> {
  const { node, team, uses, nowMs } = on;
  const found = await pMap(
    uses,
    async (use): Promise<NamedDataset> => ({ use, dataset: await deps.datasets.get({ team, dataset: use.name }) }),
    {
      concurrency: 8,
    },
  );
  const reason = whyNoData(team, found);
  if (reason !== undefined) return { kind: "never", reason };
  const orders: DatasetOrders = [];
  for (const { use, dataset } of found) {
    const holding = dataset && holdingFor(dataset, node, use);
    if (dataset?.map && holding) {
      orders.push({ name: use.name, version: dataset.map.version, list: { bucket: deps.places.datasetsBucket, key: holding.list } });
    } else {
      const ref = { team, dataset: use.name };
      if (await deps.datasets.mayRequestMap(ref, node, { nowMs, againAtMs: nowMs + requestEveryMs })) await deps.shardQueue.send(ref);
    }
  }
  return orders.length === uses.length ? { kind: "ready", datasets: orders } : { kind: "wait" };
}

/** Asks for new maps after an attempt has left its node. If a message cannot be sent, the tick makes up for it. */
export async function notifyRelease(
  deps: Pick<Ports, "shardQueue">,
  held: Pick<Assignment, "team" | "datasets"> | undefined,
): Promise<void> {
  await Promise.allSettled((held?.datasets ?? []).map((use) => deps.shardQueue.send({ team: held?.team ?? "", dataset: use.name })));
}
