import { Aws, Stack } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler";
import { Construct } from "constructs";
import type { Tick as TickEvent } from "../../events/tick.ts";
import { acknowledgeResources } from "../access/acknowledge.ts";
import { onTable, sendTo } from "../access/allow.ts";
import { anyInstance, endOurs } from "../nodes/capacity-policy.ts";
import { DeadLetterQueue } from "../queues/dead-letter-queue.ts";
import { FleetFunction } from "./fleet-function.ts";
import type { Foundation } from "./foundation.ts";

/** Looks once a minute for what no event told: lost wakes, silent nodes, uploads nobody sealed, maps of datasets that are behind, new prices. */
export class Tick extends Construct {
  constructor(scope: Construct, id: string, { configuration, bundles, table, queues, network }: Foundation) {
    super(scope, id);
    const stack = Stack.of(this);
    const dead = new DeadLetterQueue(this, "Dead", { fleet: configuration.name, of: "tick" }).queue;
    const tick = new FleetFunction(this, "Handler", {
      configuration,
      bundles,
      name: "tick",
      environment: {
        TABLE: table.tableName,
        LANE_QUEUE_URL: queues.lane.queue.queueUrl,
        SEAL_QUEUE_URL: queues.seal.queue.queueUrl,
        SHARDS_QUEUE_URL: queues.shards.queue.queueUrl,
        SUBNETS: stack.toJsonString(network.places),
      },
      may: [
        onTable(table, ["GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"]),
        sendTo(queues.lane.queue, queues.seal.queue, queues.shards.queue),
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
      ],
      memory: 1024,
      deadLetters: dead,
    });
    // The next one comes in a minute: a repeat would only run beside it.
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
        input: JSON.stringify({ tick: "minute" } satisfies TickEvent),
        // The next one comes in a minute: an old one is of no use.
        retryPolicy: { maximumRetryAttempts: 2, maximumEventAgeInSeconds: 60 },
        deadLetterConfig: { arn: dead.queueArn },
      },
    });
    acknowledgeResources(tick.role, "What nobody owns is found by its tag, which bounds what may be ended", [anyInstance(this)]);
    acknowledgeResources(tick.role, "These calls read public prices and shapes, or look at instances, and know no resources", ["*"]);
  }
}
