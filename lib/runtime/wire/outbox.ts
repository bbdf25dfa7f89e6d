import { kmsClient } from "../../aws/clients/kms.ts";
import { s3Client } from "../../aws/clients/s3.ts";
import { sqsClient } from "../../aws/clients/sqs.ts";
import { s3Outboxes } from "../../aws/islands/outboxes.ts";
import { sqsSealQueue } from "../../aws/queues/seal-queue.ts";
import { createNodeLedger } from "../../aws/table/nodes/node-ledger.ts";
import { createNodeReader } from "../../aws/table/nodes/node-reader.ts";
import type { TakeOutboxDeps } from "../../flows/take-outbox.ts";
import type { Environment } from "../env.ts";
import type { FleetFile } from "../fleet-file.ts";
import { ringWiring } from "./ring.ts";
import { shardQueueOf } from "./shards.ts";
import { tableOf } from "./table.ts";

export function outboxWiring({ env, fleet }: { env: Environment<"take-outbox">; fleet: FleetFile }): TakeOutboxDeps {
  const table = tableOf(env);
  const configured = (pool: string) => fleet.pools.find(({ name }) => name === pool);
  return {
    ...ringWiring(env, table),
    nodeLedger: createNodeLedger(table),
    nodeReader: createNodeReader(table),
    shardQueue: shardQueueOf(env),
    outboxes: s3Outboxes({
      s3: s3Client(),
      kms: kmsClient(),
      incomingBucket: env.INCOMING_BUCKET,
      keyAliasPrefix: env.KEY_ALIAS_PREFIX,
    }),
    sealAgain: sqsSealQueue(sqsClient(), env.SEAL_QUEUE_URL),
    maxLosses: (pool) => configured(pool)?.maxLosses,
    configured,
    instanceRoleId: env.NODES_ROLE_ID,
    now: Date.now,
  };
}
