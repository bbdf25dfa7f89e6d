import { ec2Client } from "../../aws/clients/ec2.ts";
import { pricingClient } from "../../aws/clients/pricing.ts";
import { s3Client } from "../../aws/clients/s3.ts";
import { sqsClient } from "../../aws/clients/sqs.ts";
import { endInstances } from "../../aws/ec2/fleet-instances.ts";
import { ec2TaggedInstances } from "../../aws/ec2/tagged-instances.ts";
import { s3LeftOutboxes } from "../../aws/islands/left-outboxes.ts";
import { ec2Market } from "../../aws/market/market.ts";
import { sqsDeadLetters } from "../../aws/queues/dead-letters.ts";
import { sqsOutboxQueue } from "../../aws/queues/outbox-queue.ts";
import { sqsSealQueue } from "../../aws/queues/seal-queue.ts";
import { createDatasets } from "../../aws/table/datasets/datasets.ts";
import { createSealing } from "../../aws/table/jobs/sealing.ts";
import { createOrphans } from "../../aws/table/nodes/orphans.ts";
import { createOutboxClaims } from "../../aws/table/nodes/outbox-claims.ts";
import { createPoolNodes } from "../../aws/table/nodes/pool-nodes.ts";
import { createCatalogueStore } from "../../aws/table/pools/catalogue-store.ts";
import { createDecisions } from "../../aws/table/pools/decisions.ts";
import { createPoolRegistry } from "../../aws/table/pools/pool-registry.ts";
import { createRequestBudget } from "../../aws/table/pools/request-budget.ts";
import type { TickDeps } from "../../flows/tick.ts";
import { logTo } from "../logger.ts";
import { nodeCanary } from "../node-canary.ts";
import type { Started } from "../start.ts";
import { ringWiring } from "./ring.ts";
import { shardQueueOf } from "./shards.ts";
import { tableOf } from "./table.ts";

export function tickWiring({ env, fleet, region, logger }: Started<"tick">): TickDeps {
  const table = tableOf(env);
  const log = logTo(logger);
  return {
    ...ringWiring(env, table),
    decisions: createDecisions(table),
    catalogues: createCatalogueStore(table),
    // A client of its own, because prices are read in many pages by calls that have limits of their own and change nothing.
    market: ec2Market({
      ec2: ec2Client({ maxAttempts: 2 }),
      pricing: pricingClient(),
      region,
      subnets: env.SUBNETS,
      log,
    }),
    sealing: createSealing(table),
    sealAgain: sqsSealQueue(sqsClient(), env.SEAL_QUEUE_URL),
    datasets: createDatasets(table),
    shardQueue: shardQueueOf(env),
    poolNodes: createPoolNodes(table),
    deadLetters: sqsDeadLetters(sqsClient(), fleet.name),
    teams: fleet.teams,
    pools: fleet.pools,
    registry: createPoolRegistry(table),
    instances: ec2TaggedInstances({ ec2: ec2Client(), name: fleet.name, log }),
    orphans: createOrphans(table),
    leftOutboxes: s3LeftOutboxes(s3Client(), env.INCOMING_BUCKET),
    outboxQueue: sqsOutboxQueue(sqsClient(), { queueUrl: env.OUTBOXES_QUEUE_URL, bucket: env.INCOMING_BUCKET }),
    outboxClaims: createOutboxClaims(table),
    instanceRoleId: env.NODES_ROLE_ID,
    fleet: { terminate: (ids) => endInstances(ec2Client(), ids, log) },
    budget: createRequestBudget(table, region, fleet.ec2Requests),
    canary: nodeCanary({ url: env.NODE_URL, region, credentials: sqsClient().config.credentials }),
    now: Date.now,
  };
}
