import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { RebalanceShards } from "../../../events/dataset.ts";
import type { ShardQueue } from "../../ports/datasets.ts";

/** The queue into which S3's own events about the datasets bucket come, too. */
export const sqsShardQueue = (sqs: Pick<SQSClient, "send">, queueUrl: string): ShardQueue => ({
  async send({ team, dataset }, { relist = false, delaySeconds = 0 } = {}) {
    const message: RebalanceShards = { team, dataset, ...(relist ? { relist } : {}) };
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message), DelaySeconds: delaySeconds }));
  },
});
