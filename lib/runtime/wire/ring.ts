import { randomUUID } from "node:crypto";
import { sqsClient } from "../../aws/clients/sqs.ts";
import { sqsLane } from "../../aws/queues/lane.ts";
import type { TableAccess } from "../../aws/table/access.ts";
import { createBell } from "../../aws/table/pools/bell.ts";
import type { Ringing } from "../../flows/pool/ring.ts";
import { tableOf } from "./table.ts";

type RingEnv = { readonly TABLE: string; readonly LANE_QUEUE_URL: string };

/** The parts that every function needs to ring a bell after it has committed a fact. */
export const ringWiring = (env: RingEnv, table: TableAccess = tableOf(env)): Ringing => ({
  bell: createBell(table),
  lane: sqsLane({ sqs: sqsClient(), laneQueueUrl: env.LANE_QUEUE_URL, newId: randomUUID }),
});
