import { sqsClient } from "../../aws/clients/sqs.ts";
import { sqsShardQueue } from "../../aws/queues/shard-queue.ts";
import type { ShardQueue } from "../../ports/datasets.ts";

export const shardQueueOf = (env: { readonly SHARDS_QUEUE_URL: string }): ShardQueue => sqsShardQueue(sqsClient(), env.SHARDS_QUEUE_URL);
