import { rememberedAccess, rememberedOutboxKeys } from "../../aws/access/remembered-access.ts";
import { createDatasets } from "../../aws/table/datasets/datasets.ts";
import { createNodeLedger } from "../../aws/table/nodes/node-ledger.ts";
import type { NodeCallDeps } from "../../flows/handle-node-call.ts";
import type { Log } from "../../ports/log.ts";
import type { Environment } from "../env.ts";
import type { FleetFile } from "../fleet-file.ts";
import { liveLimitsOf } from "../live-logs.ts";
import { once } from "./once.ts";
import { ringWiring } from "./ring.ts";
import { shardQueueOf } from "./shard-queue.ts";
import { tableOf } from "./table.ts";

export function nodeWiring({ env, fleet, log }: { env: Environment<"node">; fleet: FleetFile; log: Log }): NodeCallDeps {
  const table = tableOf(env);
  // Most calls neither boot a node nor order anything.
  const access = once(async () => {
    const [{ stsJobAccess }, { stsClient }] = await Promise.all([
      import("../../aws/access/job-access.ts"),
      import("../../aws/clients/sts.ts"),
    ]);
    return stsJobAccess(stsClient(), env.JOB_ROLE_ARN);
  });
  const outboxKeys = once(async () => {
    const [{ kmsOutboxKeys }, { kmsClient }] = await Promise.all([
      import("../../aws/access/outbox-keys.ts"),
      import("../../aws/clients/kms.ts"),
    ]);
    return kmsOutboxKeys(kmsClient(), env.KEY_ALIAS_PREFIX);
  });
  const downloads = once(async () => {
    const [{ s3BootDownloads }, { s3Client }] = await Promise.all([
      import("../../aws/access/boot-urls.ts"),
      import("../../aws/clients/s3.ts"),
    ]);
    return s3BootDownloads(s3Client(), { worker: env.WORKER_ASSET, node: env.NODE_ASSET });
  });
  return {
    ...ringWiring(env, table),
    nodeLedger: createNodeLedger(table),
    access: rememberedAccess({ credentials: async (attempt) => (await access()).credentials(attempt) }, Date.now),
    outboxKeys: rememberedOutboxKeys({ generate: async (of) => (await outboxKeys()).generate(of) }, Date.now),
    datasets: createDatasets(table),
    shardQueue: shardQueueOf(env),
    downloads: { urls: async () => (await downloads()).urls() },
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
