import { Stack } from "aws-cdk-lib";
import { Rule } from "aws-cdk-lib/aws-events";
import { SqsQueue } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement, type Role } from "aws-cdk-lib/aws-iam";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import { outboxFolder, outboxPurpose } from "../../events/outbox/outbox.ts";
import { acknowledgeResources } from "../access/acknowledge.ts";
import { allWrites, onTable, sendTo } from "../access/allow.ts";
import { FleetFunction } from "./fleet-function.ts";
import type { Foundation } from "./foundation.ts";

/** How many outboxes are taken in at a time. Nodes decide how many there are, so they must not use up the account's concurrency. */
const atOnce = 5;

/** Takes in what nodes left on S3 while their calls got no response. It has a function of its own because that is outside input. */
export class TakeOutbox extends Construct {
  constructor(scope: Construct, id: string, props: Foundation & { readonly instanceRole: Role }) {
    super(scope, id);
    const { configuration, bundles, table, queues, buckets, vaults, instanceRole } = props;
    const { queue, dead } = queues.outboxes;
    const keys = [...vaults.keys.values()].map((key) => key.keyArn);
    const outboxes = buckets.incoming.arnForObjects(`${outboxFolder}/*`);
    const uploads = configuration.teams.map((team) => buckets.incoming.arnForObjects(`${team}/*`));
    const take = new FleetFunction(this, "Handler", {
      configuration,
      bundles,
      name: "take-outbox",
      environment: {
        TABLE: table.tableName,
        LANE_QUEUE_URL: queues.lane.queue.queueUrl,
        SHARDS_QUEUE_URL: queues.shards.queue.queueUrl,
        SEAL_QUEUE_URL: queues.seal.queue.queueUrl,
        KEY_ALIAS_PREFIX: vaults.aliasPrefix,
        INCOMING_BUCKET: buckets.incoming.bucketName,
        NODES_ROLE_ID: instanceRole.roleId,
      },
      may: [
        onTable(table, ["GetItem", "BatchGetItem", "Query", ...allWrites]),
        sendTo(queues.lane.queue, queues.seal.queue, queues.shards.queue),
        // Without the right to list, S3 returns "denied" for an object that does not exist.
        new PolicyStatement({ sid: "Find", actions: ["s3:ListBucket"], resources: [buckets.incoming.bucketArn] }),
        new PolicyStatement({ sid: "ReadOutboxes", actions: ["s3:GetObject"], resources: [outboxes] }),
        new PolicyStatement({ sid: "Upload", actions: ["s3:PutObject", "s3:AbortMultipartUpload"], resources: uploads }),
        new PolicyStatement({ sid: "FindKeys", actions: ["kms:DescribeKey"], resources: keys }),
        new PolicyStatement({
          sid: "OutboxKeys",
          actions: ["kms:Decrypt"],
          resources: keys,
          conditions: { StringEquals: { "kms:EncryptionContext:purpose": outboxPurpose } },
        }),
        new PolicyStatement({
          sid: "UploadKeys",
          // S3 also needs Decrypt to join the parts of a multipart upload.
          actions: ["kms:GenerateDataKey", "kms:Decrypt"],
          resources: keys,
          conditions: { StringEquals: { "kms:ViaService": `s3.${Stack.of(this).region}.${Stack.of(this).urlSuffix}` } },
        }),
      ],
      memory: 1024,
    });
    take.function.addEventSource(new SqsEventSource(queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency: atOnce }));
    new Rule(this, "Left", {
      description: "A node has left an outbox in the incoming bucket",
      eventPattern: {
        source: ["aws.s3"],
        detailType: ["Object Created"],
        detail: { bucket: { name: [buckets.incoming.bucketName] }, object: { key: [{ prefix: `${outboxFolder}/` }] } },
      },
      targets: [new SqsQueue(queue, { deadLetterQueue: dead })],
    });
    acknowledgeResources(take.role, "It takes in the outboxes of all nodes, and uploads for every team and job what they hold", [
      outboxes,
      ...uploads,
    ]);
  }
}
