import type { SQSClient } from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
import { createSqsReader } from "../../../lib/local/lambda/sqs-reader.ts";

test("messages are deleted ten at a time, because SQS refuses larger batches", async () => {
  const batches: string[][] = [];
  const send = async (command: { input: { Entries: { Id: string; ReceiptHandle: string }[] } }): Promise<object> => {
    const { Entries } = command.input;
    expect(new Set(Entries.map(({ Id }) => Id)).size).toBe(Entries.length);
    batches.push(Entries.map(({ ReceiptHandle }) => ReceiptHandle));
    return {};
  };
  const reader = createSqsReader({ send } as unknown as SQSClient, { url: "u", arn: "arn:aws:sqs:us-east-1:000000000000:q" });
  const handles = Array.from({ length: 23 }, (_, n) => `r${n}`);
  await reader.delete(handles.map((receiptHandle) => ({ messageId: receiptHandle, receiptHandle, body: "" })));
  expect(batches.map((batch) => batch.length)).toEqual([10, 10, 3]);
  expect(batches.flat()).toEqual(handles);
});
