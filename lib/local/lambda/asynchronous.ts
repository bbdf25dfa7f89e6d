import { setTimeout as sleep } from "node:timers/promises";
import { GetQueueUrlCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { FunctionFact } from "../provision/world.ts";
import { nameOf } from "../provision/world.ts";
import type { Functions } from "./functions.ts";

/** AWS waits one and two minutes; nobody wants to watch that. */
const retryAfterMs = [1_000, 2_000];

export type AsynchronousCaller = (functionArn: string, event: unknown) => Promise<void>;

/** Calls a function as services do: without waiting for its result, twice more when it fails, then to its dead letters. */
export function createAsynchronousCaller(options: {
  functions: Functions;
  facts: readonly FunctionFact[];
  sqs: SQSClient;
  signal: AbortSignal;
}): AsynchronousCaller {
  const { functions, facts, sqs, signal } = options;
  return async (functionArn, event) => {
    let invocation = await functions.invoke(functionArn, event);
    for (const delay of retryAfterMs) {
      if (invocation.kind === "returned" || signal.aborted) return;
      await sleep(delay, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      invocation = await functions.invoke(functionArn, event);
    }
    const letters = facts.find((fact) => fact.arn === functionArn)?.deadLetterArn;
    if (invocation.kind === "returned" || letters === undefined) return;
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: nameOf(letters) }));
    await sqs.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: JSON.stringify(event),
        MessageAttributes: {
          RequestID: { DataType: "String", StringValue: invocation.requestId },
          ErrorCode: { DataType: "Number", StringValue: "200" },
          ErrorMessage: { DataType: "String", StringValue: invocation.error.errorMessage.slice(0, 1024) || "-" },
        },
      }),
    );
  };
}
