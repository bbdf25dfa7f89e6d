import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { RebalanceShards } from "../../../events/dataset.ts";
import type { ShardQueue } from "../../ports/datasets.ts";

/** Sends to the shards queue, which also receives S3's events about the datasets bucket. */
export const sqsShardQueue = (sqs: Pick<SQSClient, "send">, queueUrl: string): ShardQueue => ({
  async send({ team, dataset }, { relist = false, delaySeconds = 0 } = {}) {
    const message: RebalanceShards = { team, dataset, ...(relist ? { relist } : {}) };
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message), DelaySeconds: delaySeconds }));
  },
});
