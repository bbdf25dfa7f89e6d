import { Aws, Stack } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler";
import { Construct } from "constructs";
import { outboxFolder } from "../../events/outbox/outbox.ts";
import type { Tick } from "../../events/tick.ts";
import { acknowledgeResources } from "../access/acknowledge.ts";
import { callUrl, onTable, sendTo } from "../access/allow.ts";
import { anyInstance, endOurs } from "../nodes/capacity-policy.ts";
import { DeadLetterQueue } from "../queues/dead-letter-queue.ts";
import { FleetFunction } from "./fleet-function.ts";
import type { Foundation } from "./foundation.ts";
import type { NodeFunction } from "./node.ts";

/** Checks once a minute for what no event reports: lost wakes, silent nodes, unsealed uploads, outboxes that are not taken in, outdated maps of datasets, dead letters of jobs, new prices. */
export class TickFunction extends Construct {
  readonly function: IFunction;

  constructor(
    scope: Construct,
    id: string,
    props: Foundation & { readonly role: Role; readonly node: NodeFunction; readonly instanceRole: Role },
  ) {
    super(scope, id);
    const { configuration, bundles, table, queues, buckets, network, role, node, instanceRole } = props;
    const stack = Stack.of(this);
    const dead = new DeadLetterQueue(this, "Dead", { fleet: configuration.name, of: "tick" }).queue;
    const tick = new FleetFunction(this, "Handler", {
      configuration,
      bundles,
      name: "tick",
      role,
      environment: {
        TABLE: table.tableName,
        LANE_QUEUE_URL: queues.lane.queue.queueUrl,
        SEAL_QUEUE_URL: queues.seal.queue.queueUrl,
        SHARDS_QUEUE_URL: queues.shards.queue.queueUrl,
        OUTBOXES_QUEUE_URL: queues.outboxes.queue.queueUrl,
        INCOMING_BUCKET: buckets.incoming.bucketName,
        NODES_ROLE_ID: instanceRole.roleId,
        NODE_URL: node.url,
        SUBNETS: stack.toJsonString(network.places),
      },
      may: [
        onTable(table, ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"]),
        sendTo(queues.lane.queue, queues.seal.queue, queues.shards.queue, queues.outboxes.queue),
        new PolicyStatement({
          sid: "FindOutboxes",
          actions: ["s3:ListBucket"],
          resources: [buckets.incoming.bucketArn],
          conditions: { StringLike: { "s3:prefix": `${outboxFolder}/*` } },
        }),
        new PolicyStatement({
          sid: "Market",
          actions: [
            "ec2:DescribeInstances",
            "ec2:DescribeInstanceTypes",
            "ec2:DescribeInstanceTypeOfferings",
            "ec2:DescribeSpotPriceHistory",
            "pricing:GetProducts",
          ],
          resources: ["*"],
        }),
        endOurs(this, configuration.name),
        new PolicyStatement({
          sid: "CountDeadJobs",
          actions: ["sqs:GetQueueUrl", "sqs:GetQueueAttributes"],
          resources: [...queues.jobs.values()].map(({ dead: letters }) => letters.queueArn),
        }),
        ...callUrl(node.function),
      ],
      memory: 1024,
      deadLetters: dead,
    });
    this.function = tick.function;
    // No retries, because the next tick follows within a minute and a repeat would only run at the same time.
    tick.function.configureAsyncInvoke({ retryAttempts: 0 });
    const clock = new Role(this, "Clock", {
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", { conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } } }),
      description: "Sends Fleetwright's tick",
    });
    clock.addToPolicy(new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [tick.function.functionArn] }));
    clock.addToPolicy(sendTo(dead));
    new CfnSchedule(this, "Minute", {
      description: "Fleetwright's tick",
      scheduleExpression: "rate(1 minute)",
      flexibleTimeWindow: { mode: "OFF" },
      target: {
        arn: tick.function.functionArn,
        roleArn: clock.roleArn,
        input: JSON.stringify({ tick: "minute" } satisfies Tick),
        // An old tick is useless, because the next one follows within a minute.
        retryPolicy: { maximumRetryAttempts: 2, maximumEventAgeInSeconds: 60 },
        deadLetterConfig: { arn: dead.queueArn },
      },
    });
    acknowledgeResources(tick.role, "Only orphans with this fleet's tag may be terminated", [anyInstance(this)]);
    acknowledgeResources(tick.role, "These calls read public prices and shapes or describe instances; they do not support resources", [
      "*",
    ]);
  }
}
