import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { ObjectCreated } from "../../../events/artifacts/upload.ts";
import { outboxKey } from "../../../events/outbox/outbox.ts";
import type { OutboxQueue } from "../../ports/islands/outboxes.ts";

/** Sends to the queue that receives S3's events about outboxes. */
export const sqsOutboxQueue = (
  sqs: Pick<SQSClient, "send">,
  { queueUrl, bucket }: { readonly queueUrl: string; readonly bucket: string },
): OutboxQueue => ({
  async send(outbox) {
    const created: ObjectCreated = {
      source: "aws.s3",
      "detail-type": "Object Created",
      detail: { bucket: { name: bucket }, object: { key: outboxKey(outbox) } },
    };
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(created) }));
  },
});
