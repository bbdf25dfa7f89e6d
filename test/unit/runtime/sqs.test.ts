import type { SQSRecord } from "aws-lambda";
import { describe, expect, test } from "vitest";
import { eachGroup, eachMessage, type Message } from "../../../lib/runtime/sqs.ts";

const aRecord = (messageId: string, body = "{}"): SQSRecord => ({
  messageId,
  body,
  receiptHandle: `handle-of-${messageId}`,
  attributes: {
    ApproximateReceiveCount: "1",
    SentTimestamp: "1780272000000",
    SenderId: "AIDA",
    ApproximateFirstReceiveTimestamp: "1780272000001",
  },
  messageAttributes: {},
  md5OfBody: "",
  eventSource: "aws:sqs",
  eventSourceARN: "arn:aws:sqs:us-east-1:123456789012:fleetwright-jobs-vision",
  awsRegion: "us-east-1",
});
const ignore = () => {};
const batchOf = (...records: SQSRecord[]) => ({ Records: records });

describe("a batch of messages", () => {
  test("each message of a batch is handled separately, with its queue and the time it was sent", async () => {
    const seen: Message[] = [];
    await eachMessage(async (message) => void seen.push(message), ignore)(batchOf(aRecord("a", "x"), aRecord("b")));
    expect(seen[0]).toEqual({ id: "a", body: "x", queue: "fleetwright-jobs-vision", sentAtMs: 1_780_272_000_000 });
    expect(seen.map((message) => message.id)).toEqual(["a", "b"]);
  });

  test("a batch reports only the messages that failed", async () => {
    const work = async ({ id }: Message) => {
      if (id !== "good") throw new Error("no");
    };
    expect(await eachMessage(work, ignore)(batchOf(aRecord("bad"), aRecord("good"), aRecord("worse")))).toEqual({
      batchItemFailures: [{ itemIdentifier: "bad" }, { itemIdentifier: "worse" }],
    });
  });

  test("a batch whose messages all failed reports all of them and does not throw", async () => {
    const work = async () => {
      throw new Error("no");
    };
    expect(await eachMessage(work, ignore)(batchOf(aRecord("a"), aRecord("b")))).toEqual({
      batchItemFailures: [{ itemIdentifier: "a" }, { itemIdentifier: "b" }],
    });
  });

  test("the error callback receives every failure, including that of a malformed message", async () => {
    const failures: string[] = [];
    const handler = eachMessage(
      async () => {
        throw new Error("the table is busy");
      },
      (messageId, error) => failures.push(`${messageId}: ${error instanceof Error ? error.name : ""}`),
    );
    const { attributes: _attributes, ...broken } = aRecord("broken");
    await handler(batchOf(aRecord("a"), broken as SQSRecord));
    expect(failures.sort()).toEqual(["a: Error", "broken: ZodError"]);
  });

  test("a batch does not report failures of an earlier batch", async () => {
    let failing = true;
    const handler = eachMessage(async () => {
      if (failing) throw new Error("no");
    }, ignore);
    await handler(batchOf(aRecord("a")));
    failing = false;
    expect(await handler(batchOf(aRecord("b")))).toEqual({ batchItemFailures: [] });
  });
});

describe("a batch of several groups", () => {
  const byBody = (message: Message) => message.body;

  test("each group of a batch is handled once", async () => {
    const worked: string[] = [];
    const handler = eachGroup(byBody, async (group) => void worked.push(group));
    expect(await handler(batchOf(aRecord("1", "gpu"), aRecord("2", "cpu"), aRecord("3", "gpu")), () => {})).toEqual({
      batchItemFailures: [],
    });
    expect(worked.sort()).toEqual(["cpu", "gpu"]);
  });

  test("a failed group reports all its messages and none of another group", async () => {
    const failures: string[] = [];
    const handler = eachGroup(byBody, async (group) => {
      if (group === "gpu") throw new Error("no");
    });
    const batch = batchOf(aRecord("1", "gpu"), aRecord("2", "cpu"), aRecord("3", "gpu"));
    expect(await handler(batch, (group) => failures.push(group))).toEqual({
      batchItemFailures: [{ itemIdentifier: "1" }, { itemIdentifier: "3" }],
    });
    expect(failures).toEqual(["gpu"]);
  });
});
