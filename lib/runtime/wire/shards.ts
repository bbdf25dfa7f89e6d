import { randomUUID } from "node:crypto";
import { s3Client } from "../../aws/clients/s3.ts";
import { s3ShardStore } from "../../aws/datasets/shard-store.ts";
import { createDatasets } from "../../aws/table/datasets/datasets.ts";
import { createPoolNodes } from "../../aws/table/nodes/pool-nodes.ts";
import type { NoteObjectsDeps } from "../../flows/note-objects.ts";
import type { RebalanceDeps } from "../../flows/rebalance-shards.ts";
import type { Environment } from "../env.ts";
import type { FleetFile } from "../fleet-file.ts";
import { shardQueueOf } from "./shard-queue.ts";
import { tableOf } from "./table.ts";

type DataEnv = Pick<Environment<"rebalance-shards">, "TABLE" | "DATASETS_BUCKET" | "SHARDS_QUEUE_URL">;

export function shardsWiring(env: DataEnv, fleet: FleetFile): RebalanceDeps & NoteObjectsDeps {
  const table = tableOf(env);
  return {
    datasets: createDatasets(table),
    shardStore: s3ShardStore(s3Client({ requestMs: 30_000 }), env.DATASETS_BUCKET),
    poolNodes: createPoolNodes(table),
    shardQueue: shardQueueOf(env),
    datasetsBucket: env.DATASETS_BUCKET,
    pools: fleet.pools,
    datasetLimits: fleet.datasets,
    now: Date.now,
    // Short, because it is part of keys that are used only once.
    newId: () => randomUUID().slice(0, 8),
  };
}
