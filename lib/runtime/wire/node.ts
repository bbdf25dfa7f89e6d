import { s3BootDownloads } from "../../aws/access/boot-urls.ts";
import { stsJobAccess } from "../../aws/access/job-access.ts";
import { kmsOutboxKeys } from "../../aws/access/outbox-keys.ts";
import { rememberedAccess, rememberedOutboxKeys } from "../../aws/access/remembered-access.ts";
import { kmsClient } from "../../aws/clients/kms.ts";
import { s3Client } from "../../aws/clients/s3.ts";
import { stsClient } from "../../aws/clients/sts.ts";
import { createDatasets } from "../../aws/table/datasets/datasets.ts";
import { createNodeLedger } from "../../aws/table/nodes/node-ledger.ts";
import type { NodeCallDeps } from "../../flows/handle-node-call.ts";
import type { Log } from "../../ports/log.ts";
import type { Environment } from "../env.ts";
import type { FleetFile } from "../fleet-file.ts";
import { liveLimitsOf } from "../live-logs.ts";
import { ringWiring } from "./ring.ts";
import { shardQueueOf } from "./shards.ts";
import { tableOf } from "./table.ts";

export function nodeWiring({ env, fleet, log }: { env: Environment<"node">; fleet: FleetFile; log: Log }): NodeCallDeps {
  const table = tableOf(env);
  return {
    ...ringWiring(env, table),
    nodeLedger: createNodeLedger(table),
    access: rememberedAccess(stsJobAccess(stsClient(), env.JOB_ROLE_ARN), Date.now),
    outboxKeys: rememberedOutboxKeys(kmsOutboxKeys(kmsClient(), env.KEY_ALIAS_PREFIX), Date.now),
    datasets: createDatasets(table),
    shardQueue: shardQueueOf(env),
    downloads: s3BootDownloads(s3Client(), { worker: env.WORKER_ASSET, node: env.NODE_ASSET }),
    maxLosses: (pool) => fleet.pools.find(({ name }) => name === pool)?.maxLosses,
    configured: (pool) => fleet.pools.find(({ name }) => name === pool),
    liveLimits: liveLimitsOf(fleet.liveLogs),
    now: Date.now,
    log,
    places: {
      incomingBucket: env.INCOMING_BUCKET,
      datasetsBucket: env.DATASETS_BUCKET,
      keyAliasPrefix: env.KEY_ALIAS_PREFIX,
      logGroupPrefix: env.LOG_GROUP_PREFIX,
      instanceRoleId: env.NODES_ROLE_ID,
    },
  };
}
