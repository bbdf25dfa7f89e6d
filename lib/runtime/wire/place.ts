import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { sqsClient } from "../../aws/clients/sqs.ts";
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
import type { Started } from "../start.ts";
import { once } from "./once.ts";
import { tableOf } from "./table.ts";

export function placeWiring({ env, fleet, region, logger }: Started<"place">): PlaceDeps {
  const table = tableOf(env);
  const log = logTo(logger);
  // Most decisions change nothing, so they neither call EC2 nor are recorded.
  const ec2 = once(async () => {
    const [{ ec2Fleet }, { ec2Client }] = await Promise.all([import("../../aws/ec2/fleet.ts"), import("../../aws/clients/ec2.ts")]);
    return ec2Fleet({ ec2: ec2Client(), name: fleet.name, launchTemplates: env.LAUNCH_TEMPLATES, subnets: env.SUBNETS, log });
  });
  const journal = once(async () => {
    const [{ s3Journal }, { s3Client }] = await Promise.all([import("../../aws/decisions/journal.ts"), import("../../aws/clients/s3.ts")]);
    // Short, because a decision writes its record before it ends and must not wait long for it.
    return s3Journal(s3Client({ requestMs: 2_000, maxAttempts: 2 }), env.DECISIONS_BUCKET);
  });
  return {
    decisions: createDecisions(table),
    placements: createPlacements(table, Date.now),
    capacity: createCapacityMemory(table),
    fleet: {
      launch: async (launch) => (await ec2()).launch(launch),
      find: async (launch) => (await ec2()).find(launch),
      terminate: async (instances) => (await ec2()).terminate(instances),
      look: async (instances) => (await ec2()).look(instances),
      impaired: async (instances) => (await ec2()).impaired(instances),
    },
    lane: sqsLane({ sqs: sqsClient(), laneQueueUrl: env.LANE_QUEUE_URL, laterQueueUrl: env.LATER_QUEUE_URL, newId: randomUUID }),
    journal: { record: async (decision) => (await journal()).record(decision) },
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
  };
}
