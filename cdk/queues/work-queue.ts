import { Duration } from "aws-cdk-lib";
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { receivesOf, type WorkQueueKind } from "../../lib/model/queue/message-retries.ts";
import { keptMs } from "../../lib/model/values/kept.ts";
import { DeadLetterQueue } from "./dead-letter-queue.ts";

export type WorkQueueProps = {
  /** The deployment's prefix. */
  readonly fleet: string;
  /** The queue's name after the prefix. */
  readonly name: string;
  readonly kind: WorkQueueKind;
  /** Must be at least the timeout of the function that reads the queue. */
  readonly visibility: Duration;
  /** Whether each message group is delivered in order. @default false */
  readonly fifo?: boolean;
};

/**
 * A queue whose messages are tried for 12 hours at least, and then kept in a dead-letter queue, with an alarm, until two weeks after they were
 * sent. While no function reads it, they wait in it for as long.
 */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly dead: Queue;

  constructor(scope: Construct, id: string, props: WorkQueueProps) {
    super(scope, id);
    const fifo = props.fifo ?? false;
    // Each team has such a queue, and one alarm sees all of them.
    const isWatched = props.kind === "jobs";
    this.dead = new DeadLetterQueue(this, "Dead", { fleet: props.fleet, of: props.name, fifo, isWatched }).queue;
    this.queue = new Queue(this, "Queue", {
      queueName: `${props.fleet}-${props.name}${fifo ? ".fifo" : ""}`,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: props.visibility,
      // By default, SQS would delete messages after four days, without a dead letter.
      retentionPeriod: Duration.millis(keptMs.message),
      deadLetterQueue: { queue: this.dead, maxReceiveCount: receivesOf(props.kind) },
      ...(fifo && {
        fifo,
        // Content-based de-duplication would drop a second ring within five minutes.
        contentBasedDeduplication: false,
        deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
        fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
      }),
    });
  }
}
