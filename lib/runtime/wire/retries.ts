import { sqsClient } from "../../aws/clients/sqs.ts";
import { sqsPostpone } from "../../aws/queues/visibility.ts";
import type { WorkQueueKind } from "../../model/queue/message-retries.ts";
import type { FunctionName } from "../env.ts";
import { publishFailedMessages } from "../failed-messages.ts";
import { messageRetries } from "../message-retries.ts";
import type { Started } from "../start.ts";

/** Postpones the messages of a function that failed, and counts them for an alarm. If they cannot be postponed, that is logged. */
export const retriesOf = (kind: WorkQueueKind, { fleet, logger, metrics }: Pick<Started<FunctionName>, "fleet" | "logger" | "metrics">) =>
  messageRetries(kind, {
    postpone: sqsPostpone(sqsClient({ requestMs: 2_000, maxAttempts: 2 })),
    random: Math.random,
    onFailed: (count) => publishFailedMessages(count, { fleet: fleet.name, metrics }),
    onError: (error) => logger.error("messages not postponed", { error }),
  });
