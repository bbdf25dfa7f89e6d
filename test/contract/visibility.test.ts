import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { expect, inject, test } from "vitest";
import { sqsClient } from "../../lib/aws/clients/sqs.ts";
import { sqsPostpone } from "../../lib/aws/queues/visibility.ts";
import { unique, wire } from "./wire.ts";

const sqs = sqsClient(wire(inject("ministackUrl")));

async function aMessage() {
  const queue = unique("queue");
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: queue, Attributes: { VisibilityTimeout: "600" } }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "a" }));
  const receive = async (WaitTimeSeconds: number) =>
    (await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds, MessageSystemAttributeNames: ["ApproximateReceiveCount"] })))
      .Messages ?? [];
  const [first] = await receive(1);
  return { queue, receive, receipt: first?.ReceiptHandle ?? "" };
}

test("a message that was postponed by a second is delivered again long before its visibility timeout is over", async () => {
  const { queue, receive, receipt } = await aMessage();
  await sqsPostpone(sqs)(queue, [{ receipt, seconds: 1 }]);
  const [again] = await receive(5);
  expect(again?.Attributes?.ApproximateReceiveCount).toBe("2");
});

test("a refusal to postpone a message is an error that says why", async () => {
  const { queue } = await aMessage();
  await expect(sqsPostpone(sqs)(queue, [{ receipt: "not a receipt", seconds: 1 }])).rejects.toThrow();
});
