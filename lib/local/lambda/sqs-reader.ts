import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { QueueMessage, QueueReader } from "./poller.ts";

/** Returns a reader of an SQS queue. Messages have the shape of Lambda's events. */
export function createSqsReader(sqs: SQSClient, queue: { url: string; arn: string }): QueueReader {
  return {
    receive: async ({ max, waitSeconds, signal }) => {
      const received = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queue.url,
          MaxNumberOfMessages: max,
          WaitTimeSeconds: waitSeconds,
          MessageSystemAttributeNames: ["All"],
          MessageAttributeNames: ["All"],
        }),
        { abortSignal: signal, requestTimeout: (waitSeconds + 10) * 1000 },
      );
      return (received.Messages ?? []).map((message) => recordOf(message, queue.arn));
    },
    delete: async (messages) => {
      for (let first = 0; first < messages.length; first += 10) {
        const Entries = messages
          .slice(first, first + 10)
          .map((message, index) => ({ Id: String(index), ReceiptHandle: message.receiptHandle }));
        await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queue.url, Entries }));
      }
    },
  };
}

function recordOf(message: Message, arn: string): QueueMessage {
  return {
    messageId: message.MessageId ?? "",
    receiptHandle: message.ReceiptHandle ?? "",
    body: message.Body ?? "",
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, { StringValue, BinaryValue, DataType }]) => [
        name,
        {
          ...(StringValue !== undefined && { stringValue: StringValue }),
          ...(BinaryValue !== undefined && { binaryValue: Buffer.from(BinaryValue).toString("base64") }),
          stringListValues: [],
          binaryListValues: [],
          dataType: DataType,
        },
      ]),
    ),
    md5OfBody: message.MD5OfBody,
    eventSource: "aws:sqs",
    eventSourceARN: arn,
    awsRegion: arn.split(":")[3],
  };
}
