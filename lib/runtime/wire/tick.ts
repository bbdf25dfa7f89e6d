import { sqsClient } from "../../aws/clients/sqs.ts";
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
import { instancesOf } from "./instances.ts";
import { once } from "./once.ts";
import { ringWiring } from "./ring.ts";
import { shardQueueOf } from "./shard-queue.ts";
import { tableOf } from "./table.ts";

export function tickWiring({ env, fleet, region, logger }: Started<"tick">): TickDeps {
  const table = tableOf(env);
  const log = logTo(logger);
  // Most ticks find prices that are fresh, and nothing that is left over.
  const market = once(async () => {
    const [{ ec2Market }, { ec2Client }, { pricingClient }] = await Promise.all([
      import("../../aws/market/market.ts"),
      import("../../aws/clients/ec2.ts"),
      import("../../aws/clients/pricing.ts"),
    ]);
    // A client of its own, because prices are read in many pages by calls that have limits of their own and change nothing.
    return ec2Market({ ec2: ec2Client({ maxAttempts: 2 }), pricing: pricingClient(), region, subnets: env.SUBNETS, log });
  });
  const leftOutboxes = once(async () => {
    const [{ s3LeftOutboxes }, { s3Client }] = await Promise.all([
      import("../../aws/islands/left-outboxes.ts"),
      import("../../aws/clients/s3.ts"),
    ]);
    return s3LeftOutboxes(s3Client(), env.INCOMING_BUCKET);
  });
  return {
    ...ringWiring(env, table),
    decisions: createDecisions(table),
    catalogues: createCatalogueStore(table),
    market: { catalogue: async (pool, nowMs) => (await market()).catalogue(pool, nowMs) },
    sealing: createSealing(table),
    sealAgain: sqsSealQueue(sqsClient(), env.SEAL_QUEUE_URL),
    datasets: createDatasets(table),
    shardQueue: shardQueueOf(env),
    poolNodes: createPoolNodes(table),
    deadLetters: sqsDeadLetters(sqsClient(), fleet.name),
    teams: fleet.teams,
    pools: fleet.pools,
    registry: createPoolRegistry(table),
    ...instancesOf({ name: fleet.name, log }),
    orphans: createOrphans(table),
    leftOutboxes: { leftAtMs: async (outbox) => (await leftOutboxes()).leftAtMs(outbox) },
    outboxQueue: sqsOutboxQueue(sqsClient(), { queueUrl: env.OUTBOXES_QUEUE_URL, bucket: env.INCOMING_BUCKET }),
    outboxClaims: createOutboxClaims(table),
    instanceRoleId: env.NODES_ROLE_ID,
    budget: createRequestBudget(table, region, fleet.ec2Requests),
    canary: nodeCanary({ url: env.NODE_URL, region, credentials: sqsClient().config.credentials }),
    now: Date.now,
  };
}
