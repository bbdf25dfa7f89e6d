import { SendMessageCommand, type SendMessageCommandInput, type SQSClient } from "@aws-sdk/client-sqs";
import type { PoolRang } from "../../../events/lane.ts";
import { Fault } from "../../model/fault.ts";
import type { Lane } from "../../ports/bell.ts";

export type SqsLaneConfig = {
  readonly sqs: Pick<SQSClient, "send">;
  /** A FIFO queue. */
  readonly laneQueueUrl: string;
  /** A standard queue; functions that never look ahead have none. */
  readonly laterQueueUrl?: string | undefined;
  readonly newId: () => string;
};

/** As long as SQS holds a message back. */
const longestDelaySeconds = 900;

/** One message group a pool, so that its decisions come one after the other and pools do not wait for each other. */
export const sqsLane = (config: SqsLaneConfig): Lane => {
  const send = async (message: SendMessageCommandInput): Promise<void> => {
    await config.sqs.send(new SendMessageCommand(message));
  };
  return {
    send: (pool) =>
      send({
        QueueUrl: config.laneQueueUrl,
        MessageBody: bodyOf(pool),
        MessageGroupId: pool,
        // An own id each time: by content, a second ring within five minutes would be swallowed.
        MessageDeduplicationId: config.newId(),
      }),
    async sendLater(pool, delaySeconds) {
      if (config.laterQueueUrl === undefined) throw new Fault("no-later-queue", "This function was given no queue for later");
      await send({
        QueueUrl: config.laterQueueUrl,
        MessageBody: bodyOf(pool),
        DelaySeconds: Math.min(Math.max(Math.ceil(delaySeconds), 0), longestDelaySeconds),
      });
    },
  };
};

const bodyOf = (pool: string): string => JSON.stringify({ pool } satisfies PoolRang);
