import { Stack } from "aws-cdk-lib";
import type { LaunchTemplate } from "aws-cdk-lib/aws-ec2";
import { type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import { acknowledgeResources } from "../access/acknowledge.ts";
import { allWrites, onTable, sendTo } from "../access/allow.ts";
import { anyOfAKind, capacityPolicy } from "../nodes/capacity-policy.ts";
import { FleetFunction } from "./fleet-function.ts";
import type { Foundation } from "./foundation.ts";

export type PlaceProps = Foundation & {
  readonly launchTemplates: ReadonlyMap<string, LaunchTemplate>;
  readonly instanceRole: IRole;
};

/** Decides about capacity, one decision at a time per pool, and requests it from EC2. */
export class PlaceFunction extends Construct {
  constructor(scope: Construct, id: string, props: PlaceProps) {
    super(scope, id);
    const { configuration, bundles, table, queues, buckets, network, launchTemplates } = props;
    const stack = Stack.of(this);
    const templates = Object.fromEntries([...launchTemplates].map(([pool, template]) => [pool, String(template.launchTemplateId)]));
    const decisions = buckets.decisions.arnForObjects("*");
    const place = new FleetFunction(this, "Handler", {
      configuration,
      bundles,
      name: "place",
      environment: {
        TABLE: table.tableName,
        LANE_QUEUE_URL: queues.lane.queue.queueUrl,
        LATER_QUEUE_URL: queues.later.queue.queueUrl,
        DECISIONS_BUCKET: buckets.decisions.bucketName,
        SUBNETS: stack.toJsonString(network.places),
        LAUNCH_TEMPLATES: stack.toJsonString(templates),
      },
      may: [
        onTable(table, ["DescribeTable", "GetItem", "BatchGetItem", "Query", ...allWrites]),
        sendTo(queues.lane.queue, queues.later.queue),
        new PolicyStatement({ sid: "Journal", actions: ["s3:PutObject"], resources: [decisions] }),
        ...capacityPolicy(this, props),
      ],
      // One whole vCPU: a decision is bound by the processor, and costs the same whether it takes half as long with twice the memory. See 0084.
      memory: 1769,
      loops: true,
    });
    // A batch of a FIFO queue may hold messages of several pools, and a slow pool must not use up the time of the others.
    place.function.addEventSource(new SqsEventSource(queues.lane.queue, { batchSize: 1, reportBatchItemFailures: true }));
    acknowledgeResources(place.role, "DescribeInstances and DescribeInstanceStatus do not support resources", ["*"]);
    acknowledgeResources(place.role, "Each decision is written as a separate object", [decisions]);
    acknowledgeResources(
      place.role,
      "EC2 or a launch template names these at launch, so no ARN is known before; the template, the creating call or their tag limits each action",
      anyOfAKind(this),
    );
  }
}
