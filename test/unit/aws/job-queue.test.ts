import type { SendMessageBatchCommandInput } from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
import { sqsJobQueue } from "../../../lib/aws/queues/job-queue.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";

type Batch = readonly { readonly Id: string; readonly MessageBody: string }[];
type BatchResult = { readonly Successful?: object[]; readonly Failed?: object[] };

/** A fake SQS that handles batches with `take` and records them. */
function fakeSqs(take: (batch: Batch, nth: number) => BatchResult = all) {
  const batches: Batch[] = [];
  const send = async (command: {
    readonly input: Partial<SendMessageBatchCommandInput> & { readonly QueueName?: string };
  }): Promise<object> => {
    if (command.input.QueueName !== undefined) return { QueueUrl: `https://sqs/${command.input.QueueName}` };
    const batch = (command.input.Entries ?? []).map(({ Id = "", MessageBody = "" }) => ({ Id, MessageBody }));
    batches.push(batch);
    return take(batch, batches.length);
  };
  return { batches, queue: sqsJobQueue({ send } as never, "jobs-") };
}
const taken = ({ Id, MessageBody }: Batch[number]) => ({ Id, MessageId: `m-${MessageBody}` });
const all = (batch: Batch): BatchResult => ({ Successful: batch.map(taken) });
const bodies = (count: number, length = 1) => Array.from({ length: count }, (_, n) => String(n).padStart(length, "0"));

test("many messages are sent in batches of ten, with an outcome per message in order", async () => {
  const { batches, queue } = fakeSqs();
  const done: number[] = [];
  const sent = await queue.sendAll("research", bodies(25), (count) => done.push(count));
  expect(batches.map((batch) => batch.length).toSorted()).toEqual([10, 10, 5]);
  expect(sent).toEqual(bodies(25).map((body) => ({ kind: "sent", messageId: `m-${body}` })));
  expect(done.at(-1)).toBe(25);
});

test("a batch is never larger than SQS allows", async () => {
  const { batches, queue } = fakeSqs();
  await queue.sendAll("research", bodies(20, 32_000));
  for (const batch of batches) expect(batch.reduce((sum, { MessageBody }) => sum + MessageBody.length, 0)).toBeLessThanOrEqual(250_000);
  expect(batches.flat()).toHaveLength(20);
});

test("only messages that SQS failed to accept are sent again", async () => {
  const { batches, queue } = fakeSqs((batch, nth) =>
    nth === 1 ? { Successful: batch.slice(1).map(taken), Failed: [{ Id: "0", Code: "InternalError", SenderFault: false }] } : all(batch),
  );
  const sent = await queue.sendAll("research", bodies(3));
  expect(batches.map((batch) => batch.map(({ Id }) => Id))).toEqual([["0", "1", "2"], ["0"]]);
  expect(sent.every(({ kind }) => kind === "sent")).toBe(true);
});

test("a message that SQS refuses as the sender's fault is not sent again and has its reason", async () => {
  const { batches, queue } = fakeSqs((batch) => ({
    Successful: batch.slice(1).map(taken),
    Failed: batch.slice(0, 1).map(({ Id }) => ({ Id, Code: "InvalidMessageContents", Message: "it holds a NUL", SenderFault: true })),
  }));
  expect((await queue.sendAll("research", bodies(2)))[0]).toEqual({ kind: "failed", error: new FleetError("queue", "it holds a NUL") });
  expect(batches).toHaveLength(1);
});

test("a failed batch fails only its own messages, unless it is the first batch", async () => {
  const failing = (which: (batch: Batch) => boolean) =>
    fakeSqs((batch) => {
      if (which(batch)) throw new Error("the connection was lost");
      return all(batch);
    }).queue;
  const sent = await failing((batch) => batch[0]?.Id === "10").sendAll("research", bodies(30));
  expect(sent.filter(({ kind }) => kind === "failed")).toHaveLength(10);
  expect(sent[10]).toEqual({ kind: "failed", error: new Error("the connection was lost") });
  await expect(failing((batch) => batch[0]?.Id === "0").sendAll("research", bodies(30))).rejects.toThrow("the connection was lost");
});
