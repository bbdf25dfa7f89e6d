import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { ec2Client } from "../../aws/clients/ec2.ts";
import { s3Client } from "../../aws/clients/s3.ts";
import { sqsClient } from "../../aws/clients/sqs.ts";
import { s3Journal } from "../../aws/decisions/journal.ts";
import { ec2Fleet } from "../../aws/ec2/fleet.ts";
import { sqsLane } from "../../aws/queues/lane.ts";
import { createCapacityMemory } from "../../aws/table/pools/capacity-memory.ts";
import { createCatalogueStore } from "../../aws/table/pools/catalogue-store.ts";
import { createDecisions } from "../../aws/table/pools/decisions.ts";
import { createOverrides } from "../../aws/table/pools/overrides.ts";
import { createPlacements } from "../../aws/table/pools/placements.ts";
import { createRequestBudget } from "../../aws/table/pools/request-budget.ts";
import type { PlaceDeps } from "../../flows/place.ts";
import { widerLimits } from "../../model/limits.ts";
import { logTo } from "../logger.ts";
import { measuring } from "../objective-metrics.ts";
import type { Started } from "../start.ts";
import { tableOf } from "./table.ts";

export function placeWiring({ env, fleet, region, logger }: Started<"place">): PlaceDeps {
  const table = tableOf(env);
  const log = logTo(logger);
  return {
    decisions: createDecisions(table),
    placements: createPlacements(table, Date.now),
    capacity: createCapacityMemory(table),
    fleet: ec2Fleet({
      ec2: ec2Client(),
      name: fleet.name,
      launchTemplates: env.LAUNCH_TEMPLATES,
      subnets: env.SUBNETS,
      log,
    }),
    lane: sqsLane({ sqs: sqsClient(), laneQueueUrl: env.LANE_QUEUE_URL, laterQueueUrl: env.LATER_QUEUE_URL, newId: randomUUID }),
    // Short, because a decision writes its record before it ends and must not wait long for it.
    journal: s3Journal(s3Client({ requestMs: 2_000, maxAttempts: 2 }), env.DECISIONS_BUCKET),
    limits: widerLimits(fleet),
    pools: fleet.pools,
    catalogues: createCatalogueStore(table),
    overrides: createOverrides(table),
    budget: createRequestBudget(table, region, fleet.ec2Requests),
    pause,
    random: Math.random,
    now: Date.now,
    newId: randomUUID,
    log,
    measured: measuring({ fleet, logger }),
  };
}
