import { CreateQueueCommand, DeleteMessageCommand, GetQueueAttributesCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { describe, expect, inject, test } from "vitest";
import { SealAgain } from "../../events/artifacts/upload.ts";
import { PoolRang } from "../../events/lane.ts";
import { outboxKey, outboxToTake } from "../../events/outbox/outbox.ts";
import { sqsClient } from "../../lib/aws/clients/sqs.ts";
import { sqsJobQueue } from "../../lib/aws/queues/job-queue.ts";
import { sqsLane } from "../../lib/aws/queues/lane.ts";
import { sqsOutboxQueue } from "../../lib/aws/queues/outbox-queue.ts";
import { sqsSealQueue } from "../../lib/aws/queues/seal-queue.ts";
import { MemoryLane } from "../../lib/sim/memory/lane.ts";
import { laneContract } from "./suites/lane.ts";
import { unique, wire } from "./wire.ts";

laneContract("in memory", async () => {
  const lane = new MemoryLane();
  return { lane, receive: async () => lane.receive(), due: async () => lane.due(0) };
});

const sqs = sqsClient(wire(inject("ministackUrl")));

const queue = async (QueueName: string, Attributes: Record<string, string> = {}): Promise<string> =>
  (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? "";

const bodies = async (QueueUrl: string): Promise<{ body: string; handle: string }[]> => {
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 60 }));
  return (Messages ?? []).map((message) => ({ body: message.Body ?? "", handle: message.ReceiptHandle ?? "" }));
};

const queues = async () => ({
  laneQueueUrl: await queue(`${unique("lane")}.fifo`, { FifoQueue: "true" }),
  laterQueueUrl: await queue(unique("later")),
});

laneContract("SQS", async () => {
  const { laneQueueUrl, laterQueueUrl } = await queues();
  return {
    lane: sqsLane({ sqs, laneQueueUrl, laterQueueUrl, newId: () => crypto.randomUUID() }),
    receive: async () => {
      const { Messages } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: laneQueueUrl, MaxNumberOfMessages: 1, VisibilityTimeout: 60 }),
      );
      const [message] = Messages ?? [];
      return message === undefined
        ? undefined
        : {
            pool: PoolRang.parse(JSON.parse(message.Body ?? "")).pool,
            done: async () =>
              void (await sqs.send(new DeleteMessageCommand({ QueueUrl: laneQueueUrl, ReceiptHandle: message.ReceiptHandle }))),
          };
    },
    due: async () => (await bodies(laterQueueUrl)).map(({ body }) => PoolRang.parse(JSON.parse(body)).pool),
  };
});

describe("SQS", () => {
  test("a message that is sent again under its id is delivered once, so that retries do not double it", async () => {
    const { laneQueueUrl } = await queues();
    const lane = sqsLane({ sqs, laneQueueUrl, newId: () => "the-same" });
    await lane.send("gpu");
    await lane.send("gpu");
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: laneQueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }),
    );
    expect(Attributes?.["ApproximateNumberOfMessages"]).toBe("1");
    await expect(lane.sendLater("gpu", 1)).rejects.toMatchObject({ code: "no-later-queue" });
  });

  test("a message asks for an upload to be sealed again", async () => {
    const url = await queue(unique("seal"));
    await sqsSealQueue(sqs, url).send({ team: "vision", job: "train-1", attempt: 2 });
    const [message] = await bodies(url);
    expect(SealAgain.parse(JSON.parse(message?.body ?? ""))).toEqual({ seal: { team: "vision", job: "train-1", attempt: 2 } });
  });

  test("a message asks for an outbox to be taken in, as S3's event about it does", async () => {
    const queueUrl = await queue(unique("outboxes"));
    const outbox = { role: "AROAINSTANCEROLE", node: "i-0123456789abcdef0", team: "vision", job: "train-1", attempt: 2 };
    await sqsOutboxQueue(sqs, { queueUrl, bucket: "incoming" }).send(outbox);
    const [message] = await bodies(queueUrl);
    expect(outboxToTake(JSON.parse(message?.body ?? ""))).toEqual({ outbox, key: outboxKey(outbox) });
  });

  test("a job message reaches its team's queue unchanged, and the error about a team without a queue names the team", async () => {
    const prefix = unique("jobs");
    const url = await queue(`${prefix}vision`);
    const jobs = sqsJobQueue(sqs, prefix);
    const { messageId } = await jobs.send("vision", "not even JSON");
    expect(messageId).not.toBe("");
    expect((await bodies(url)).map(({ body }) => body)).toEqual(["not even JSON"]);
    await expect(jobs.send("audio", "{}")).rejects.toMatchObject({ code: "no-team", message: expect.stringContaining("audio") });
  });
});
