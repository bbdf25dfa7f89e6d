import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { SealAgain } from "../../../events/artifacts/upload.ts";
import type { SealAgainQueue } from "../../ports/artifacts.ts";

/** Sends to the seal queue, which also receives S3's events about uploads. */
export const sqsSealQueue = (sqs: Pick<SQSClient, "send">, queueUrl: string): SealAgainQueue => ({
  async send({ team, job, attempt }) {
    const again: SealAgain = { seal: { team, job, attempt } };
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(again) }));
  },
});
