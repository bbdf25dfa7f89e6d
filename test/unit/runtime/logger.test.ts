import type { SQSRecord } from "aws-lambda";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { functionLogger, loggingErrors, logTo } from "../../../lib/runtime/logger.ts";
import { eachGroup } from "../../../lib/runtime/sqs.ts";
import { aWorld } from "../flows/world.ts";

/** The output of the process on stdout and stderr. */
let printed: string[] = [];
beforeEach(() => {
  printed = [];
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, "write").mockImplementation((chunk) => {
      printed.push(String(chunk));
      return true;
    });
});
afterEach(() => vi.restoreAllMocks());
const lines = () => printed.map((line) => JSON.parse(line));
const logger = functionLogger("prod-place");

const anAwsError = (): Error =>
  Object.assign(new Error("Rate exceeded", { cause: new Error("socket hang up") }), {
    name: "ThrottlingException",
    $metadata: { httpStatusCode: 400, requestId: "r-1", attempts: 3 },
    $response: { headers: { authorization: "5ec7e7" }, url: "https://b/k?X-Amz-Signature=5ec7e7" },
    credentials: { secretAccessKey: "5ec7e7" },
  });

describe("a line of a function's log", () => {
  test("a log line is a JSON object with its level, message and fields", () => {
    logger.info("placed", { pool: "gpu", steps: 2 });
    logger.error("unknown event dropped");
    expect(lines()).toMatchObject([
      { level: "INFO", message: "placed", service: "prod-place", pool: "gpu", steps: 2 },
      { level: "ERROR", message: "unknown event dropped" },
    ]);
  });

  test("a log line holds an error's class, stack, code, request id and causes, and none of its other fields", () => {
    logger.error("placing failed", { pool: "gpu", error: new FleetError("table", "the table said no", { cause: anAwsError() }) });
    const [{ error, ...line }] = lines() as [{ error: Record<string, unknown> }];
    expect(line).toMatchObject({ level: "ERROR", message: "placing failed", pool: "gpu" });
    expect(error).toEqual({
      name: "FleetError",
      message: "the table said no",
      code: "table",
      stack: expect.stringMatching(/^FleetError: the table said no\n {4}at .*logger\.test\.ts:\d+/),
      cause: {
        name: "ThrottlingException",
        message: "Rate exceeded",
        requestId: "r-1",
        status: 400,
        stack: expect.stringMatching(/\n {4}at anAwsError .*logger\.test\.ts:\d+/),
        cause: { name: "Error", message: "socket hang up", stack: expect.stringContaining("logger.test.ts") },
      },
    });
    expect(printed.join()).not.toContain("5ec7e7");
  });

  test("errors in other fields of a log line are formatted in the same way", () => {
    logger.info("ticked", { parts: [{ part: "sealing", why: anAwsError() }] });
    expect(lines()).toMatchObject([{ parts: [{ part: "sealing", why: { name: "ThrottlingException", requestId: "r-1" } }] }]);
    expect(printed.join()).not.toContain("5ec7e7");
  });

  test("a log line is printed for every thrown value", () => {
    const own: Error & { self?: unknown } = new Error("own");
    own.cause = own;
    own.self = own;
    const throwing = new Proxy(
      {},
      {
        get: () => {
          throw new Error("a trap");
        },
      },
    );
    for (const error of [own, throwing, undefined, null, "a text", Symbol("s"), 7n, Object.create(null)])
      logger.error("it failed", { error });
    expect(lines()).toHaveLength(8);
    expect(lines().every(({ message }) => message === "it failed")).toBe(true);
  });

  test("log lines of flows go through the function's logger", () => {
    logTo(logger)({ level: "error", message: "a step failed", pool: "gpu", error: new TypeError("x") });
    expect(lines()).toMatchObject([{ level: "ERROR", message: "a step failed", pool: "gpu", error: { name: "TypeError", message: "x" } }]);
  });
});

test("a bug in a step of a decision is logged with its class, stack and cause, and the batch is acknowledged", async () => {
  const world = aWorld();
  await world.submit("a");
  const placements = {
    ...world.placeDeps.placements,
    intend: async (): Promise<never> => {
      const missing = undefined as unknown as { y: { z: number } };
      try {
        return missing.y.z as never;
      } catch (error) {
        throw new TypeError("the intent could not be made", { cause: error });
      }
    },
  };
  const batch = eachGroup(
    () => "gpu",
    async () => void (await world.place({ placements, log: logTo(logger) })),
  );
  const record = { messageId: "m-1", body: "{}", eventSourceARN: "arn:aws:sqs:us-east-1:123456789012:lane", attributes: {} };
  const attributes = { ApproximateReceiveCount: "1", SentTimestamp: "1780272000000" };
  const failed: unknown[] = [];
  const response = await batch({ Records: [{ ...record, attributes } as SQSRecord] }, (_group, error) => failed.push(error));
  expect({ response, failed }).toEqual({ response: { batchItemFailures: [] }, failed: [] });
  const line = lines().find(({ message }) => message === "step failed");
  expect(line).toMatchObject({
    level: "ERROR",
    pool: "gpu",
    step: "launch",
    error: {
      name: "TypeError",
      message: "the intent could not be made",
      cause: { name: "TypeError", message: "Cannot read properties of undefined (reading 'y')" },
    },
  });
  expect(line.error.stack).toMatch(/\n {4}at .*logger\.test\.ts:\d+.*\n(.*\n)* {4}at .*carry-out\.ts:\d+/);
  expect(line.error.cause.stack).toMatch(/\n {4}at .*logger\.test\.ts:\d+/);
});

describe("a handler that throws", () => {
  test("a handler's error is logged and thrown again", async () => {
    const error = new Error("outer", { cause: new Error("inner") });
    const handler = loggingErrors(logger, async (_event: unknown): Promise<void> => {
      throw error;
    });
    await expect(handler({})).rejects.toBe(error);
    expect(lines()).toMatchObject([
      { level: "ERROR", message: "invocation failed", error: { message: "outer", cause: { message: "inner" } } },
    ]);
  });

  test("a wrapped handler receives all arguments and returns its result", async () => {
    const handler = loggingErrors(logger, async (event: number, context: { readonly add: number }) => event + context.add);
    expect(await handler(1, { add: 2 })).toBe(3);
    expect(printed).toEqual([]);
  });
});
