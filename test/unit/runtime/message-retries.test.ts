import type { SQSRecord } from "aws-lambda";
import { describe, expect, test } from "vitest";
import { messageRetries } from "../../../lib/runtime/message-retries.ts";

const aRecord = (messageId: string, received: number, queue = "fleetwright-seal"): SQSRecord => ({
  messageId,
  body: "{}",
  receiptHandle: `receipt-of-${messageId}`,
  attributes: { ApproximateReceiveCount: String(received), SentTimestamp: "1", SenderId: "AIDA", ApproximateFirstReceiveTimestamp: "1" },
  messageAttributes: {},
  md5OfBody: "",
  eventSource: "aws:sqs",
  eventSourceARN: `arn:aws:sqs:us-east-1:123456789012:${queue}`,
  awsRegion: "us-east-1",
});
const failures = (...ids: string[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });

function retries(refuses?: Error) {
  const postponed: unknown[] = [];
  const errors: unknown[] = [];
  const counts: number[] = [];
  const retry = messageRetries("seal", {
    postpone: async (queue, messages) => {
      if (refuses) throw refuses;
      postponed.push({ queue, messages });
    },
    random: () => 0,
    onFailed: (count) => counts.push(count),
    onError: (error) => errors.push(error),
  });
  return { retry, postponed, errors, counts };
}

describe("messages of a batch that failed", () => {
  test("each is postponed by how often it was delivered, and those that were handled are not", async () => {
    const { retry, postponed, counts } = retries();
    const response = failures("b", "c");
    expect(await retry({ Records: [aRecord("a", 1), aRecord("b", 1), aRecord("c", 4)] }, response)).toBe(response);
    expect(counts, "only one of them has failed three times or more").toEqual([1]);
    expect(postponed).toEqual([
      {
        queue: "fleetwright-seal",
        messages: [
          { receipt: "receipt-of-b", seconds: 5 },
          { receipt: "receipt-of-c", seconds: 600 },
        ],
      },
    ]);
  });

  test("a batch without failures calls nothing", async () => {
    const { retry, postponed, counts } = retries();
    await retry({ Records: [aRecord("a", 1)] }, failures());
    expect([postponed, counts]).toEqual([[], []]);
  });

  test("messages that cannot be postponed are still reported as failed, and the error is passed on", async () => {
    const refused = new Error("AccessDenied");
    const { retry, errors } = retries(refused);
    expect(await retry({ Records: [aRecord("a", 1)] }, failures("a"))).toEqual(failures("a"));
    expect(errors).toEqual([refused]);
  });
});
