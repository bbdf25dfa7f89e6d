import { sqsClient } from "../../aws/clients/sqs.ts";
import { sqsSealQueue } from "../../aws/queues/seal-queue.ts";
import { createNodeLedger } from "../../aws/table/nodes/node-ledger.ts";
import { createNodeReader } from "../../aws/table/nodes/node-reader.ts";
import type { TakeOutboxDeps } from "../../flows/take-outbox.ts";
import type { Environment } from "../env.ts";
import type { FleetFile } from "../fleet-file.ts";
import { once } from "./once.ts";
import { ringWiring } from "./ring.ts";
import { shardQueueOf } from "./shard-queue.ts";
import { tableOf } from "./table.ts";

export function outboxWiring({ env, fleet }: { env: Environment<"take-outbox">; fleet: FleetFile }): TakeOutboxDeps {
  const table = tableOf(env);
  const configured = (pool: string) => fleet.pools.find(({ name }) => name === pool);
  const outboxes = once(async () => {
    const [{ s3Outboxes }, { s3Client }, { kmsClient }] = await Promise.all([
      import("../../aws/islands/outboxes.ts"),
      import("../../aws/clients/s3.ts"),
      import("../../aws/clients/kms.ts"),
    ]);
    return s3Outboxes({ s3: s3Client(), kms: kmsClient(), incomingBucket: env.INCOMING_BUCKET, keyAliasPrefix: env.KEY_ALIAS_PREFIX });
  });
  return {
    ...ringWiring(env, table),
    nodeLedger: createNodeLedger(table),
    nodeReader: createNodeReader(table),
    shardQueue: shardQueueOf(env),
    outboxes: { open: async (outbox) => (await outboxes()).open(outbox) },
    sealAgain: sqsSealQueue(sqsClient(), env.SEAL_QUEUE_URL),
    maxLosses: (pool) => configured(pool)?.maxLosses,
    configured,
    instanceRoleId: env.NODES_ROLE_ID,
    now: Date.now,
  };
}
