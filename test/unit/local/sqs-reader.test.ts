import { SQSClient } from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
import { createSqsReader } from "../../../lib/local/lambda/sqs-reader.ts";

test("messages are deleted ten at a time, because SQS refuses larger batches", async () => {
  const batches: string[][] = [];
  const sqs = new SQSClient({ region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } });
  sqs.middlewareStack.add(
    () =>
      async ({ input }) => {
        const entries = "Entries" in input ? (input.Entries ?? []) : [];
        expect(new Set(entries.map(({ Id }) => Id)).size).toBe(entries.length);
        batches.push(entries.map((entry) => ("ReceiptHandle" in entry ? String(entry.ReceiptHandle) : "")));
        return { output: { $metadata: {} }, response: undefined };
      },
    { step: "initialize" },
  );
  const reader = createSqsReader(sqs, { url: "u", arn: "arn:aws:sqs:us-east-1:000000000000:q" });
  const handles = Array.from({ length: 23 }, (_, n) => `r${n}`);
  await reader.delete(handles.map((receiptHandle) => ({ messageId: receiptHandle, receiptHandle, body: "" })));
  expect(batches.map((batch) => batch.length)).toEqual([10, 10, 3]);
  expect(batches.flat()).toEqual(handles);
});
