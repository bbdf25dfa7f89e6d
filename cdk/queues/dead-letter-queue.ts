import { Duration } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { deadQueues } from "../../lib/model/letters/dead-letter.ts";
import { keptMs } from "../../lib/model/values/kept.ts";
import { withRunbook } from "../watching/runbook.ts";

/** For how many days letters are kept whose work something else has done meanwhile. The alarm about them ends with them, so that it can begin again. */
const outdatedLetterDays = 1;

export type DeadLetterQueueProps = {
  /** The deployment's prefix. */
  readonly fleet: string;
  /** The queue or function for which the messages were meant. */
  readonly of: string;
  /** Whether the messages are from a FIFO queue. @default false */
  readonly fifo?: boolean;
  /** Whether the tick looks at the queue, for an alarm about all queues of its kind. Then the queue has no alarm of its own. @default false */
  readonly isWatched?: boolean;
};

/** Reports whether the letters for a queue or function are outdated when they arrive. Those of teams never are. */
const isOutdated = (of: string): boolean => deadQueues([]).some(({ name, remedy }) => name === of && remedy === "delete");

/** A queue for messages that could not be handled, with an alarm unless the tick looks at it. Its name can never be that of a team's queue. */
export class DeadLetterQueue extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, props: DeadLetterQueueProps) {
    super(scope, id);
    const fifo = props.fifo ?? false;
    this.queue = new Queue(this, "Queue", {
      queueName: `${props.fleet}-dead-${props.of}${fifo ? ".fifo" : ""}`,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: isOutdated(props.of) ? Duration.days(outdatedLetterDays) : Duration.millis(keptMs.letter),
      ...(fifo && { fifo }),
    });
    if (props.isWatched) return;
    new Alarm(this, "Alarm", {
      alarmName: `${props.fleet}-dead-${props.of}`,
      alarmDescription: withRunbook(
        `Messages for ${props.of} could not be handled and are kept in ${props.fleet}-dead-${props.of}.`,
        "a-message-could-not-be-handled",
      ),
      metric: this.queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: "Maximum" }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
