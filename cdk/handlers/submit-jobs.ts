import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import { onTable, sendTo } from "../access/allow.ts";
import { FleetFunction } from "./fleet-function.ts";
import type { Foundation } from "./foundation.ts";

/** Receives the messages that teams send to their queues. */
export class SubmitJobs extends Construct {
  constructor(scope: Construct, id: string, { configuration, bundles, table, queues }: Foundation) {
    super(scope, id);
    const submit = new FleetFunction(this, "Handler", {
      configuration,
      bundles,
      name: "submit-jobs",
      environment: { TABLE: table.tableName, LANE_QUEUE_URL: queues.lane.queue.queueUrl, JOBS_QUEUE_PREFIX: queues.jobsPrefix },
      may: [onTable(table, ["GetItem", "BatchGetItem", "PutItem", "UpdateItem"]), sendTo(queues.lane.queue)],
      memory: 512,
    });
    for (const { queue } of queues.jobs.values())
      submit.function.addEventSource(
        new SqsEventSource(queue, {
          batchSize: 10,
          reportBatchItemFailures: true,
          maxConcurrency: configuration.queueConcurrency.jobs,
        }),
      );
  }
}
