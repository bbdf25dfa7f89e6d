import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import { onTable, sendTo } from "../access/allow.ts";
import { FleetFunction } from "./fleet-function.ts";
import type { Foundation } from "./foundation.ts";

/** Rings a pool's bell when a delayed wake is due. */
export class RingLater extends Construct {
  constructor(scope: Construct, id: string, { configuration, bundles, table, queues }: Foundation) {
    super(scope, id);
    const ring = new FleetFunction(this, "Handler", {
      configuration,
      bundles,
      name: "ring-later",
      environment: { TABLE: table.tableName, LANE_QUEUE_URL: queues.lane.queue.queueUrl },
      may: [onTable(table, ["GetItem", "UpdateItem"]), sendTo(queues.lane.queue)],
      memory: 256,
      loops: true,
    });
    ring.function.addEventSource(new SqsEventSource(queues.later.queue, { batchSize: 10, reportBatchItemFailures: true }));
  }
}
