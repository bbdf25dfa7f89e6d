import { Stack } from "aws-cdk-lib";
import { Rule } from "aws-cdk-lib/aws-events";
import { SqsQueue } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import { acknowledgeResources } from "../access/acknowledge.ts";
import { onTable, sendTo } from "../access/allow.ts";
import { bucketArn, keptPrefix, ofThisAccount } from "../storage/data-buckets.ts";
import { FleetFunction } from "./fleet-function.ts";
import type { Foundation } from "./foundation.ts";

/** Lists datasets and deals their shards to the nodes that need them. */
export class RebalanceShardsFunction extends Construct {
  constructor(scope: Construct, id: string, { configuration, bundles, table, queues, buckets }: Foundation) {
    super(scope, id);
    const { queue, dead } = queues.shards;
    const kept = buckets.datasets.arnForObjects(`${keptPrefix}*`);
    const rebalance = new FleetFunction(this, "Handler", {
      configuration,
      bundles,
      name: "rebalance-shards",
      environment: { TABLE: table.tableName, DATASETS_BUCKET: buckets.datasets.bucketName, SHARDS_QUEUE_URL: queue.queueUrl },
      may: [
        onTable(table, ["GetItem", "Query", "UpdateItem"]),
        sendTo(queue),
        new PolicyStatement({
          sid: "ListSources",
          actions: ["s3:ListBucket"],
          resources: [buckets.datasets.bucketArn, ...configuration.dataBuckets.map((name) => bucketArn(Stack.of(this), name))],
          conditions: ofThisAccount(Stack.of(this)),
        }),
        // The function reads names and sizes of data, never the data itself.
        new PolicyStatement({ sid: "KeepLists", actions: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], resources: [kept] }),
      ],
      memory: 1769,
    });
    const { shards: maxConcurrency } = configuration.queueConcurrency;
    rebalance.function.addEventSource(new SqsEventSource(queue, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency }));
    new Rule(this, "DataChanged", {
      description: "A team's object was created or deleted in the datasets bucket",
      eventPattern: {
        source: ["aws.s3"],
        detailType: ["Object Created", "Object Deleted"],
        detail: {
          bucket: { name: [buckets.datasets.bucketName] },
          // Fleetwright's own records about datasets must not trigger it, because it writes them itself: the loop would never end.
          object: { key: [{ "anything-but": { prefix: keptPrefix } }] },
        },
      },
      targets: [new SqsQueue(queue, { deadLetterQueue: dead })],
    });
    acknowledgeResources(rebalance.role, "It stores every dataset's shards and maps, below a prefix that holds nothing else", [kept]);
  }
}
