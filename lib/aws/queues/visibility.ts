import { ChangeMessageVisibilityBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { FleetError } from "../../model/fleet-error.ts";
import { queueUrls } from "./queue-urls.ts";

/** A message that was received and not deleted, and when SQS is to deliver it again. */
export type Postponed = { readonly receipt: string; readonly seconds: number };

/**
 * Returns a function that has SQS deliver messages of a queue again after some seconds, instead of when their visibility timeout is over. At
 * most ten messages per call. Throws if SQS refuses any of them.
 */
export function sqsPostpone(sqs: Pick<SQSClient, "send">): (queue: string, messages: readonly Postponed[]) => Promise<void> {
  const urlOf = queueUrls(sqs);
  return async (queue, messages) => {
    const Entries = messages.map(({ receipt, seconds }, index) => ({
      Id: String(index),
      ReceiptHandle: receipt,
      VisibilityTimeout: seconds,
    }));
    const { Failed = [] } = await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: await urlOf(queue), Entries }));
    const [first] = Failed;
    if (first)
      throw new FleetError(
        "queue",
        `SQS refused to postpone ${Failed.length} of ${messages.length} messages: ${first.Message ?? first.Code}`,
      );
  };
}
