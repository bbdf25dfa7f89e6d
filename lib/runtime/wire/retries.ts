import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { sqsClient } from "../../aws/clients/sqs.ts";
import { sqsPostpone } from "../../aws/queues/visibility.ts";
import { failedMessagesMetric } from "../../model/alarm.ts";
import type { WorkQueueKind } from "../../model/queue/message-retries.ts";
import type { FunctionLogger } from "../logger.ts";
import { messageRetries } from "../message-retries.ts";

/** Postpones the messages of a function that failed, and counts them for its alarm. If they cannot be postponed, that is logged. */
export const retriesOf = (kind: WorkQueueKind, { logger, metrics }: { readonly logger: FunctionLogger; readonly metrics: Metrics }) =>
  messageRetries(kind, {
    postpone: sqsPostpone(sqsClient({ requestMs: 2_000, maxAttempts: 2 })),
    random: Math.random,
    onFailed: (count) => void metrics.singleMetric().addMetric(failedMessagesMetric, MetricUnit.Count, count),
    onError: (error) => logger.error("messages not postponed", { error }),
  });
