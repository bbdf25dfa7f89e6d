import type { PartialItemFailureResponse } from "@aws-lambda-powertools/batch/types";
import type { SQSRecord } from "aws-lambda";
import { pauseSeconds, type WorkQueueKind } from "../model/queue/message-retries.ts";
import { queueOf } from "./sqs.ts";

export type RetryDeps = {
  readonly postpone: (queue: string, messages: readonly { readonly receipt: string; readonly seconds: number }[]) => Promise<void>;
  readonly random: () => number;
  /** Called with the number of messages of a batch that have failed several times by now. */
  readonly onFailed: (count: number) => void;
  readonly onError: (error: unknown) => void;
};

/** A message may arrive before what it is about, so one that fails once or twice is no news. */
const oftenFrom = 3;

/**
 * Returns a function that has the messages of a batch that failed delivered again after pauses that grow from seconds to minutes, and returns
 * the batch's response unchanged. A message that cannot be postponed is delivered again when its visibility timeout is over.
 */
export const messageRetries =
  (kind: WorkQueueKind, { postpone, random, onFailed, onError }: RetryDeps) =>
  async (
    { Records }: { readonly Records: readonly SQSRecord[] },
    response: PartialItemFailureResponse,
  ): Promise<PartialItemFailureResponse> => {
    const failed = new Set(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    const often = Records.filter(
      ({ messageId, attributes }) => failed.has(messageId) && Number(attributes.ApproximateReceiveCount) >= oftenFrom,
    );
    if (often.length > 0) onFailed(often.length);
    const byQueue = Map.groupBy(
      Records.filter(({ messageId }) => failed.has(messageId)),
      queueOf,
    );
    for (const [queue, records] of byQueue) {
      const messages = records.map(({ receiptHandle, attributes }) => ({
        receipt: receiptHandle,
        seconds: pauseSeconds(kind, Number(attributes.ApproximateReceiveCount), random()),
      }));
      await postpone(queue, messages).catch(onError);
    }
    return response;
  };
