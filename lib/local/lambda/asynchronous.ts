import { GetQueueUrlCommand, SendMessageCommand, type SendMessageCommandInput, type SQSClient } from "@aws-sdk/client-sqs";
import { type AsynchronousFact, type Blueprint, nameOf } from "../provision/world.ts";
import type { Functions, InvocationResult } from "./functions.ts";

/** Waits before retries. They are shorter than the one and two minutes of AWS, but the event's age is counted as on AWS. */
const retries = [
  { waitMs: 1_000, ageThereMs: 60_000 },
  { waitMs: 2_000, ageThereMs: 180_000 },
];
const usual: Omit<AsynchronousFact, "functionName"> = { retries: 2, maxAgeMs: 6 * 3_600_000 };

export type AsynchronousCaller = (functionArn: string, event: unknown) => Promise<void>;

/**
 * Returns a caller that calls functions asynchronously, as AWS services do. If the function fails, the call is retried as often and
 * for as long as the function's settings allow. Then the event goes to its on-failure destination and its dead-letter queue.
 */
export function createAsynchronousCaller(options: {
  functions: Pick<Functions, "invoke">;
  blueprint: Pick<Blueprint, "functions" | "asynchronous">;
  sqs: Pick<SQSClient, "send">;
  /** Resolves after `ms`, or as soon as `signal` is aborted. */
  pause(ms: number): Promise<void>;
  signal: AbortSignal;
}): AsynchronousCaller {
  const { functions, blueprint, sqs, signal, pause } = options;
  const sendTo = async (queueArn: string, message: Omit<SendMessageCommandInput, "QueueUrl">): Promise<void> => {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: nameOf(queueArn) }));
    await sqs.send(new SendMessageCommand({ QueueUrl, ...message }));
  };
  /** Returns the last invocation, or undefined if the local cloud closes meanwhile. */
  const tryAgain = async (functionArn: string, event: unknown, waits: readonly number[]): Promise<InvocationResult | undefined> => {
    let invocation = await functions.invoke(functionArn, event);
    for (const waitMs of waits) {
      if (invocation.kind === "returned") break;
      await pause(waitMs);
      if (signal.aborted) return undefined;
      invocation = await functions.invoke(functionArn, event);
    }
    return invocation;
  };
  return async (functionArn, event) => {
    const settings = { ...usual, ...blueprint.asynchronous.find((fact) => fact.functionName === nameOf(functionArn)) };
    const timely = retries.slice(0, settings.retries).filter((retry) => retry.ageThereMs <= settings.maxAgeMs);
    const invocation = await tryAgain(
      functionArn,
      event,
      timely.map((retry) => retry.waitMs),
    );
    if (invocation?.kind !== "failed") return;
    const condition = timely.length < settings.retries ? "EventAgeExceeded" : "RetriesExhausted";
    const call = { functionArn, event, condition, invokeCount: 1 + timely.length } as const;
    const letters = blueprint.functions.find((fact) => fact.arn === functionArn)?.deadLetterArn;
    if (settings.onFailureArn !== undefined) await sendTo(settings.onFailureArn, { MessageBody: JSON.stringify(record(call, invocation)) });
    if (letters !== undefined) await sendTo(letters, deadLetter(event, invocation));
  };
}

type Failed = Extract<InvocationResult, { kind: "failed" }>;

/** Returns the record that an on-failure destination receives. */
const record = (
  of: { functionArn: string; event: unknown; condition: "RetriesExhausted" | "EventAgeExceeded"; invokeCount: number },
  { requestId, error }: Failed,
): object => ({
  version: "1.0",
  timestamp: new Date().toISOString(),
  requestContext: {
    requestId,
    functionArn: `${of.functionArn}:$LATEST`,
    condition: of.condition,
    approximateInvokeCount: of.invokeCount,
  },
  requestPayload: of.event,
  responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
  responsePayload: error,
});

const deadLetter = (event: unknown, { requestId, error }: Failed): Omit<SendMessageCommandInput, "QueueUrl"> => ({
  MessageBody: JSON.stringify(event),
  MessageAttributes: {
    RequestID: { DataType: "String", StringValue: requestId },
    ErrorCode: { DataType: "Number", StringValue: "200" },
    ErrorMessage: { DataType: "String", StringValue: error.errorMessage.slice(0, 1024) || "-" },
  },
});
