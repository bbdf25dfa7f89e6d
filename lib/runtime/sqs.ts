import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import type { PartialItemFailureResponse } from "@aws-lambda-powertools/batch/types";
import type { SQSRecord } from "aws-lambda";
import * as z from "zod";

const Record = z.object({
  messageId: z.string(),
  body: z.string(),
  eventSourceARN: z.string(),
  attributes: z.object({ SentTimestamp: z.coerce.number(), ApproximateReceiveCount: z.coerce.number() }),
});

/** A message as handlers receive it. */
export type Message = {
  readonly id: string;
  readonly body: string;
  /** The name of its queue. */
  readonly queue: string;
  /** When SQS accepted it, in ms since the epoch. */
  readonly sentAtMs: number;
};

/** Returns the name of the queue that a record is from. */
export const queueOf = ({ eventSourceARN }: Pick<SQSRecord, "eventSourceARN">): string =>
  eventSourceARN.slice(eventSourceARN.lastIndexOf(":") + 1);

const messageOf = (record: unknown): Message => {
  const { messageId, body, eventSourceARN, attributes } = Record.parse(record);
  return { id: messageId, body, queue: queueOf({ eventSourceARN }), sentAtMs: attributes.SentTimestamp };
};

type Batch = { readonly Records: SQSRecord[] };

/**
 * Returns a handler that processes each message separately. Messages whose processing throws are delivered again, the others
 * are not. `onError` must report the error, because neither the processor nor Lambda does.
 */
export const eachMessage =
  (work: (message: Message) => Promise<void>, onError: (messageId: string, error: unknown) => void) =>
  async (event: Batch): Promise<PartialItemFailureResponse> => {
    const reportingErrors = async (record: SQSRecord): Promise<void> => {
      try {
        await work(messageOf(record));
      } catch (error) {
        onError(record.messageId, error);
        throw error;
      }
    };
    return processPartialResponse(event, reportingErrors, new BatchProcessor(EventType.SQS), { throwOnFullBatchFailure: false });
  };

/**
 * Returns a handler that processes a batch's messages by group. If a group's processing throws, all its messages are
 * delivered again, without those of other groups.
 */
export const eachGroup =
  (groupOf: (message: Message) => string, work: (group: string, messages: readonly Message[]) => Promise<void>) =>
  async (event: Batch, onError: (group: string, error: unknown) => void): Promise<PartialItemFailureResponse> => {
    const groups = Map.groupBy(event.Records.map(messageOf), groupOf);
    const failed = await Promise.all(
      [...groups].map(async ([group, messages]) => {
        try {
          await work(group, messages);
          return [];
        } catch (error) {
          onError(group, error);
          return messages.map(({ id }) => ({ itemIdentifier: id }));
        }
      }),
    );
    return { batchItemFailures: failed.flat() };
  };
