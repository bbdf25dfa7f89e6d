import { type SendMessageCommandInput, SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { createAsynchronousCaller } from "../../../lib/local/lambda/asynchronous.ts";
import type { Functions } from "../../../lib/local/lambda/functions.ts";
import { type AsynchronousFact, arn, type FunctionFact } from "../../../lib/local/provision/world.ts";

const functionArn = arn("lambda", "function:tick");

/** Sets up a function that fails a number of times, and records what is sent to queues. */
function stage(of: { failures: number; message?: string; config?: Omit<AsynchronousFact, "functionName">; deadLetterArn?: string }) {
  const sent: SendMessageCommandInput[] = [];
  const sqs = new SQSClient({ region: "us-east-1" });
  sqs.middlewareStack.add(
    () =>
      async ({ input }) => {
        if ("QueueName" in input) return { response: {}, output: { $metadata: {}, QueueUrl: `http://queue/${input.QueueName}` } };
        if ("MessageBody" in input) {
          const { QueueUrl, MessageBody } = input;
          sent.push({ QueueUrl, MessageBody });
          attributes.push("MessageAttributes" in input ? input.MessageAttributes : undefined);
        }
        return { response: {}, output: { $metadata: {} } };
      },
    { step: "initialize" },
  );
  const attributes: SendMessageCommandInput["MessageAttributes"][] = [];
  let calls = 0;
  const pauses: number[] = [];
  const functions: Functions = {
    invoke: async () => {
      calls += 1;
      const invocation = { requestId: `r-${calls}`, durationMs: 1 };
      if (calls > of.failures) return { ...invocation, kind: "returned", payload: null };
      return { ...invocation, kind: "failed", error: { errorType: "Error", errorMessage: of.message ?? "as asked", trace: [] } };
    },
    kill: async () => undefined,
    close: async () => undefined,
  };
  const fact: FunctionFact = {
    name: "tick",
    arn: functionArn,
    folder: "",
    handler: "index.handler",
    timeoutMs: 1,
    memoryMiB: 1,
    variables: {},
    role: "",
    logGroupArn: "",
    deadLetterArn: of.deadLetterArn,
  };
  const asynchronous = of.config ? [{ functionName: "tick", ...of.config }] : [];
  const call = createAsynchronousCaller({
    functions,
    blueprint: { functions: [fact], asynchronous },
    sqs,
    pause: async (ms) => void pauses.push(ms),
    signal: new AbortController().signal,
  });
  return {
    sent,
    attributes,
    pauses,
    calls: () => calls,
    run: () => call(functionArn, { tick: "minute" }),
  };
}

describe("a function that is called asynchronously", () => {
  it.each([
    [undefined, [1000, 2000]],
    [{ retries: 0, maxAgeMs: 21_600_000 }, []],
    [{ retries: 1, maxAgeMs: 21_600_000 }, [1000]],
    [{ retries: 2, maxAgeMs: 21_600_000 }, [1000, 2000]],
    [{ retries: 2, maxAgeMs: 60_000 }, [1000]],
  ])("an asynchronous call is retried as often and as long as the function's settings allow: %j", async (config, pauses) => {
    const failing = stage({ failures: 9, ...(config && { config }) });
    await failing.run();
    expect([failing.calls(), failing.pauses]).toEqual([1 + pauses.length, pauses]);
    expect(failing.sent).toEqual([]);
  });

  it("an asynchronous call is not retried after it succeeds", async () => {
    const third = stage({ failures: 2, deadLetterArn: arn("sqs", "dead") });
    await third.run();
    expect([third.calls(), third.sent]).toEqual([3, []]);
  });

  it("a failed event goes with its reason to the on-failure destination, and unchanged to the dead-letter queue", async () => {
    const config = { retries: 1, maxAgeMs: 21_600_000, onFailureArn: arn("sqs", "failed") };
    const failing = stage({ failures: 9, config, deadLetterArn: arn("sqs", "dead") });
    await failing.run();
    const [record, letter] = failing.sent;
    expect(record?.QueueUrl).toBe("http://queue/failed");
    expect(JSON.parse(record?.MessageBody ?? "")).toEqual({
      version: "1.0",
      timestamp: expect.any(String),
      requestContext: { requestId: "r-2", functionArn: `${functionArn}:$LATEST`, condition: "RetriesExhausted", approximateInvokeCount: 2 },
      requestPayload: { tick: "minute" },
      responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
      responsePayload: { errorType: "Error", errorMessage: "as asked", trace: [] },
    });
    expect(letter).toMatchObject({ QueueUrl: "http://queue/dead", MessageBody: '{"tick":"minute"}' });

    const old = stage({ failures: 9, config: { ...config, retries: 2, maxAgeMs: 60_000 } });
    await old.run();
    expect(JSON.parse(old.sent[0]?.MessageBody ?? "").requestContext).toMatchObject({
      condition: "EventAgeExceeded",
      approximateInvokeCount: 2,
    });
  });
});

it.each([
  ["as asked", "as asked"],
  ["x".repeat(1_025), "x".repeat(1_024)],
  ["", "-"],
])("a dead letter has the request, the code and at most 1,024 characters of the error as attributes", async (message, shown) => {
  const { run, attributes } = stage({ failures: 9, message, deadLetterArn: arn("sqs", "dead") });
  await run();
  expect(attributes).toEqual([
    {
      RequestID: { DataType: "String", StringValue: "r-3" },
      ErrorCode: { DataType: "Number", StringValue: "200" },
      ErrorMessage: { DataType: "String", StringValue: shown },
    },
  ]);
});
