import { SendMessageCommand, type SendMessageCommandInput, type SQSClient } from "@aws-sdk/client-sqs";
import type { PoolRang } from "../../../events/lane.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { Lane } from "../../ports/bell.ts";

export type SqsLaneConfig = {
  readonly sqs: Pick<SQSClient, "send">;
  /** A FIFO queue. */
  readonly laneQueueUrl: string;
  /** A standard queue; undefined for functions that never delay a wake. */
  readonly laterQueueUrl?: string | undefined;
  readonly newId: () => string;
};

/** SQS's limit for delays. */
const longestDelaySeconds = 900;

/** Sends with one message group per pool, so that a pool's decisions run one after the other and pools do not wait for each other. */
export const sqsLane = (config: SqsLaneConfig): Lane => {
  const send = async (message: SendMessageCommandInput): Promise<void> => {
    await config.sqs.send(new SendMessageCommand(message));
  };
  return {
    send: (pool, once) =>
      send({
        QueueUrl: config.laneQueueUrl,
        MessageBody: bodyOf(pool),
        MessageGroupId: pool,
        // Each message has a new id, because de-duplication by content would drop a second ring within five minutes.
        MessageDeduplicationId: once === undefined ? config.newId() : `${pool}-${once}`,
      }),
    async sendLater(pool, delaySeconds) {
      if (config.laterQueueUrl === undefined) throw new FleetError("no-later-queue", "This function has no queue for delayed wakes");
      await send({
        QueueUrl: config.laterQueueUrl,
        MessageBody: bodyOf(pool),
        DelaySeconds: Math.min(Math.max(Math.ceil(delaySeconds), 0), longestDelaySeconds),
      });
    },
  };
};

const bodyOf = (pool: string): string => JSON.stringify({ pool } satisfies PoolRang);
