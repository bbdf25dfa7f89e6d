import { Duration } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

export type DeadLetterQueueProps = {
  /** The deployment's prefix. */
  readonly fleet: string;
  /** What the letters were meant for. */
  readonly of: string;
  /** Whether they come from a FIFO queue. @default false */
  readonly fifo?: boolean;
};

/** Where messages rest that nobody could handle, and the alarm that says so. Named so that no team's queue can have its name. */
export class DeadLetterQueue extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, props: DeadLetterQueueProps) {
    super(scope, id);
    const fifo = props.fifo ?? false;
    this.queue = new Queue(this, "Queue", {
      queueName: `${props.fleet}-dead-${props.of}${fifo ? ".fifo" : ""}`,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      ...(fifo && { fifo }),
    });
    new Alarm(this, "Alarm", {
      alarmName: `${props.fleet}-dead-${props.of}`,
      alarmDescription: `Messages for ${props.of} could not be handled and rest in ${props.fleet}-dead-${props.of}.`,
      metric: this.queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: "Maximum" }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
