import { Duration } from "aws-cdk-lib";
import { Match, Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { Construct } from "constructs";
import { alarmPrefix } from "../../lib/model/alarm.ts";
import { onTable, sendTo } from "../access/allow.ts";
import { DeadLetterQueue } from "../queues/dead-letter-queue.ts";
import { FleetFunction } from "./fleet-function.ts";
import type { Foundation } from "./foundation.ts";

/** Receives the state changes of the fleet's alarms. */
export class OnAlarm extends Construct {
  constructor(scope: Construct, id: string, { configuration, bundles, table, queues }: Foundation) {
    super(scope, id);
    const dead = new DeadLetterQueue(this, "Dead", { fleet: configuration.name, of: "on-alarm" }).queue;
    const onAlarm = new FleetFunction(this, "Handler", {
      configuration,
      bundles,
      name: "on-alarm",
      environment: { TABLE: table.tableName, LANE_QUEUE_URL: queues.lane.queue.queueUrl },
      may: [onTable(table, ["UpdateItem"]), sendTo(queues.lane.queue)],
      memory: 256,
      deadLetters: dead,
    });
    new Rule(this, "StateChange", {
      description: "An alarm that rings pools changed its state",
      eventPattern: {
        source: ["aws.cloudwatch"],
        detailType: ["CloudWatch Alarm State Change"],
        detail: { alarmName: Match.prefix(alarmPrefix(configuration.name)) },
      },
      targets: [new LambdaFunction(onAlarm.function, { deadLetterQueue: dead, retryAttempts: 10, maxEventAge: Duration.hours(2) })],
    });
  }
}
