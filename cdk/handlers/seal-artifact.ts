import { Rule } from "aws-cdk-lib/aws-events";
import { SqsQueue } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import { acknowledgeResources } from "../access/acknowledge.ts";
import { onTable } from "../access/allow.ts";
import { FleetFunction } from "./fleet-function.ts";
import type { Foundation } from "./foundation.ts";

/** Seals an attempt's uploads once its manifest has arrived. */
export class SealArtifact extends Construct {
  constructor(scope: Construct, id: string, { configuration, bundles, table, queues, buckets, vaults }: Foundation) {
    super(scope, id);
    const { queue, dead } = queues.seal;
    const lists = buckets.artifacts.arnForObjects("*/manifest.json.sealed");
    const seal = new FleetFunction(this, "Handler", {
      configuration,
      bundles,
      name: "seal-artifact",
      environment: {
        TABLE: table.tableName,
        KEY_ALIAS_PREFIX: vaults.aliasPrefix,
        INCOMING_BUCKET: buckets.incoming.bucketName,
        ARTIFACTS_BUCKET: buckets.artifacts.bucketName,
      },
      may: [
        onTable(table, ["BatchGetItem", "PutItem", "UpdateItem", "DeleteItem"]),
        // Without the right to list, S3 returns "denied" for an object that does not exist.
        new PolicyStatement({
          sid: "Find",
          actions: ["s3:ListBucket"],
          resources: [buckets.incoming.bucketArn, buckets.artifacts.bucketArn],
        }),
        new PolicyStatement({ sid: "ReadUploads", actions: ["s3:GetObject"], resources: [buckets.incoming.arnForObjects("*")] }),
        new PolicyStatement({
          sid: "KeepSealed",
          actions: ["s3:PutObject", "s3:AbortMultipartUpload"],
          resources: [buckets.artifacts.arnForObjects("*")],
        }),
        // An attempt is sealed if its list exists. If S3 returns "denied" because the list does not exist, that means the same here.
        new PolicyStatement({ sid: "ReadLists", actions: ["s3:GetObject"], resources: [lists] }),
        new PolicyStatement({
          sid: "TeamKeys",
          actions: ["kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"],
          resources: [...vaults.keys.values()].map((key) => key.keyArn),
        }),
      ],
      memory: 1769,
    });
    const { seal: maxConcurrency } = configuration.queueConcurrency;
    seal.function.addEventSource(new SqsEventSource(queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency }));
    new Rule(this, "Uploaded", {
      description: "An attempt's manifest was uploaded to the incoming bucket",
      eventPattern: {
        source: ["aws.s3"],
        detailType: ["Object Created"],
        detail: { bucket: { name: [buckets.incoming.bucketName] }, object: { key: [{ suffix: "/manifest.json" }] } },
      },
      targets: [new SqsQueue(queue, { deadLetterQueue: dead })],
    });
    new Rule(this, "LogUploaded", {
      description: "A part of an attempt's log was uploaded to the incoming bucket",
      eventPattern: {
        source: ["aws.s3"],
        detailType: ["Object Created"],
        detail: { bucket: { name: [buckets.incoming.bucketName] }, object: { key: [{ wildcard: "*/log/*/*.gz" }] } },
      },
      targets: [new SqsQueue(queue, { deadLetterQueue: dead })],
    });
    acknowledgeResources(
      seal.role,
      "It seals for every team and job, so it must read every object of the incoming bucket, write every artifact and read the artifacts' lists",
      [buckets.incoming.arnForObjects("*"), buckets.artifacts.arnForObjects("*"), lists],
    );
  }
}
