import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { describe, expect, inject, test } from "vitest";
import { sqsClient } from "../../lib/aws/clients/sqs.ts";
import { sqsDeadLetters } from "../../lib/aws/queues/dead-letters.ts";
import { redriveLetters } from "../../lib/flows/redrive-letters.ts";
import { MemoryDeadLetters } from "../fakes/dead-letters.ts";
import { deadLettersContract, jobs, lane, seal } from "./suites/dead-letters.ts";
import { unique, wire } from "./wire.ts";

deadLettersContract("in memory", async () => {
  const deadLetters = new MemoryDeadLetters(Date.now);
  deadLetters.missing.add(seal.name);
  return {
    deadLetters,
    put: async ({ name }, body) => deadLetters.put(name, body),
    sent: async ({ name }) =>
      deadLetters.done.filter((line) => line.startsWith(`send ${name} `)).map((line) => line.slice(`send ${name} `.length)),
  };
});

const sqs = sqsClient(wire(inject("ministackUrl")));
const urlOf = async (QueueName: string): Promise<string> => (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl ?? "";
const create = async (QueueName: string, Attributes: Record<string, string> = {}): Promise<string> => {
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  const of = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  return of.Attributes?.["QueueArn"] ?? "";
};

async function aFleet() {
  const fleet = unique("fleet");
  const deadLetterTargetArn = await create(`${fleet}-dead-${jobs.name}`);
  await create(`${fleet}-${jobs.name}`, { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: "1" }) });
  await create(`${fleet}-dead-${lane.name}.fifo`, { FifoQueue: "true", ContentBasedDeduplication: "true" });
  const receive = async (name: string, VisibilityTimeout: number) =>
    (await sqs.send(new ReceiveMessageCommand({ QueueUrl: await urlOf(`${fleet}-${name}`), MaxNumberOfMessages: 10, VisibilityTimeout })))
      .Messages ?? [];
  return { fleet, receive, deadLetters: sqsDeadLetters(sqs, fleet) };
}

deadLettersContract("SQS", async () => {
  const { fleet, receive, deadLetters } = await aFleet();
  return {
    deadLetters,
    put: async ({ name, fifo }, MessageBody) => {
      const QueueUrl = await urlOf(`${fleet}-dead-${name}${fifo ? ".fifo" : ""}`);
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...(fifo && { MessageGroupId: "gpu" }) }));
    },
    sent: async ({ name }) => (await receive(name, 60)).map(({ Body = "" }) => Body),
  };
});

describe("dead letters in SQS", () => {
  test("a job message that failed is found among the dead letters, and is sent back under the name that it had", async () => {
    const { fleet, receive, deadLetters } = await aFleet();
    const QueueUrl = await urlOf(`${fleet}-${jobs.name}`);
    const { MessageId } = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"command":["x"]}' }));
    // The first receipt fails, because the message is not deleted. The second one makes it a dead letter.
    expect(await receive(jobs.name, 0)).toHaveLength(1);
    expect(await receive(jobs.name, 0)).toHaveLength(0);
    const [letter] = await deadLetters.look(jobs);
    expect(letter?.id).toBe(MessageId);
    expect(letter?.received).toBeGreaterThan(1);
    const { outcomes } = await redriveLetters({ deadLetters, now: Date.now, log: () => undefined }, jobs);
    expect(outcomes).toMatchObject([{ letter: MessageId, kind: "done", subject: { kind: "job", name: `vision/${MessageId}` } }]);
    expect(await deadLetters.count(jobs)).toBe(0);
    expect((await receive(jobs.name, 60)).map(({ Body = "" }) => JSON.parse(Body))).toEqual([{ command: ["x"], id: MessageId }]);
  });

  test.each(["ERROR_MESSAGE", "ErrorMessage"])(
    "the error in the attribute %s of a letter is shown, and cut if it is long",
    async (name) => {
      const { fleet, deadLetters } = await aFleet();
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: await urlOf(`${fleet}-dead-${jobs.name}`),
          MessageBody: "{}",
          MessageAttributes: { [name]: { DataType: "String", StringValue: "no".repeat(400) } },
        }),
      );
      expect((await deadLetters.look(jobs))[0]?.error).toBe("no".repeat(150));
    },
  );

  test("letters of a FIFO queue are sent nowhere", async () => {
    const { deadLetters } = await aFleet();
    await expect(deadLetters.send(lane, "{}")).rejects.toMatchObject({ code: "fifo" });
  });
});
