import { Duration } from "aws-cdk-lib";
import { Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { Construct } from "constructs";
import { onTable, sendTo } from "../access/allow.ts";
import { DeadLetterQueue } from "../queues/dead-letter-queue.ts";
import { FleetFunction } from "./fleet-function.ts";
import type { Foundation } from "./foundation.ts";

/** Receives EC2's events about instances. EC2 sends them for every instance of the account. */
export class OnInstance extends Construct {
  constructor(scope: Construct, id: string, { configuration, bundles, table, queues }: Foundation) {
    super(scope, id);
    const dead = new DeadLetterQueue(this, "Dead", { fleet: configuration.name, of: "on-instance" }).queue;
    const onInstance = new FleetFunction(this, "Handler", {
      configuration,
      bundles,
      name: "on-instance",
      environment: { TABLE: table.tableName, LANE_QUEUE_URL: queues.lane.queue.queueUrl },
      may: [onTable(table, ["GetItem", "UpdateItem"]), sendTo(queues.lane.queue)],
      memory: 256,
      deadLetters: dead,
    });
    new Rule(this, "StateChange", {
      description: "An EC2 instance of this account changed its state or got an interruption notice",
      eventPattern: {
        source: ["aws.ec2"],
        detailType: [
          "EC2 Instance State-change Notification",
          "EC2 Spot Instance Interruption Warning",
          "EC2 Instance Rebalance Recommendation",
        ],
      },
      targets: [new LambdaFunction(onInstance.function, { deadLetterQueue: dead, retryAttempts: 10, maxEventAge: Duration.hours(2) })],
    });
  }
}
