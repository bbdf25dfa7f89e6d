import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createFunctions, type FunctionLine, type Functions } from "../../../lib/local/lambda/functions.ts";
import type { FunctionFact } from "../../../lib/local/provision/world.ts";
import { createIdentities } from "../../../lib/local/requests/identities.ts";

const bundle = `
let calls = 0;
const inThisThread = Math.random();
export const handler = async (event, context) => {
  calls += 1;
  if (event.print) console.log(event.print);
  if (event.warn) console.error(event.warn);
  if (event.sleepMs) await new Promise((resolve) => setTimeout(resolve, event.sleepMs));
  if (event.fail) throw new RangeError("as asked");
  if (event.crash) { setTimeout(() => { throw new Error("nobody catches this"); }, 1); await new Promise(() => {}); }
  return {
    calls, inThisThread, left: context.getRemainingTimeInMillis(), requestId: context.awsRequestId,
    env: [process.env.AWS_LAMBDA_FUNCTION_NAME, process.env.OWN, process.env.AWS_ENDPOINT_URL, process.env.PATH],
    gone: undefined,
  };
};`;

let folder = "";
let functions: Functions;
const identities = createIdentities();
const lines: FunctionLine[] = [];

function aCloud(): Functions {
  const fact = (name: string, more: Partial<FunctionFact> = {}): FunctionFact => ({
    name,
    arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    logGroupArn: `arn:aws:logs:us-east-1:000000000000:log-group:${name}`,
    folder,
    handler: "index.handler",
    timeoutMs: 5_000,
    memoryMiB: 128,
    variables: { OWN: "yes" },
    role: "role",
    ...more,
  });
  return createFunctions({
    facts: [
      fact("f"),
      fact("short", { timeoutMs: 150 }),
      fact("single", { maximumConcurrency: 1 }),
      fact("broken", { handler: "broken.handler" }),
      fact("killed"),
      fact("missing", { handler: "index.other" }),
    ],
    identities,
    endpoint: "http://127.0.0.1:1",
    log: (line) => lines.push(line),
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bundle-"));
  await writeFile(join(folder, "index.mjs"), bundle);
  await writeFile(join(folder, "broken.mjs"), "throw new Error('does not load');");
  functions = aCloud();
});
afterEach(() => void vi.useRealTimers());
afterAll(async () => {
  await functions.close();
  await rm(folder, { recursive: true });
});

const returned = async (name: string, event: object) => {
  const invocation = await functions.invoke(name, event);
  if (invocation.kind === "failed") throw new Error(invocation.error.errorMessage);
  return invocation;
};

describe("a function of the local cloud", () => {
  it("a function sees its environment variables, its remaining time and its request id, and stays warm", async () => {
    const first = await returned("f", {});
    expect(first.payload).toEqual({
      calls: 1,
      inThisThread: expect.any(Number),
      left: expect.any(Number),
      requestId: first.requestId,
      env: ["f", "yes", "http://127.0.0.1:1", null],
    });
    const { payload } = await returned("f", { sleepMs: 50 });
    expect(payload).toMatchObject({ calls: 2 });
    expect(Object(payload).left).toBeLessThanOrEqual(4_951);
  });

  it("a function runs concurrent invocations in separate threads, up to its maximum concurrency", async () => {
    const [one, two] = await Promise.all([returned("f", { sleepMs: 1_500 }), returned("f", { sleepMs: 1_500 })]);
    expect(Object(one.payload).inThisThread).not.toBe(Object(two.payload).inThisThread);
    const [third, fourth] = await Promise.all([returned("single", { sleepMs: 20 }), returned("single", {})]);
    expect(Object(third.payload).inThisThread).toBe(Object(fourth.payload).inThisThread);
  });

  it("a function that throws reports its error as Lambda does and handles the next event", async () => {
    expect(await functions.invoke("f", { fail: true })).toMatchObject({
      kind: "failed",
      error: { errorType: "RangeError", errorMessage: "as asked", trace: expect.arrayContaining(["RangeError: as asked"]) },
    });
    expect((await functions.invoke("f", {})).kind).toBe("returned");
  });

  it("a function that exceeds its timeout is ended, and its next invocation starts cold", async () => {
    expect(await functions.invoke("short", { sleepMs: 60_000 })).toMatchObject({
      kind: "failed",
      error: {
        errorType: "Sandbox.Timedout",
        errorMessage: expect.stringMatching(/^RequestId: .+ Error: Task timed out after 0\.15 seconds$/),
      },
    });
    expect((await returned("short", {})).payload).toMatchObject({ calls: 1 });
  });

  it("a function that is killed or crashes fails its invocation, and its next invocation succeeds", async () => {
    await returned("killed", {});
    const under = functions.invoke("killed", { sleepMs: 60_000 });
    await sleep(50);
    await functions.kill("killed");
    expect(await under).toMatchObject({ kind: "failed", error: { errorType: "Runtime.ExitError" } });
    expect(await functions.invoke("killed", { crash: true })).toMatchObject({
      kind: "failed",
      error: { errorType: "Runtime.UncaughtException", errorMessage: expect.stringContaining("nobody catches this") },
    });
    expect((await returned("killed", {})).payload).toMatchObject({ calls: 1 });
  });

  it("a function whose only environment was ended while it was idle, or is too old, gets another one", async () => {
    const first = await returned("single", {});
    await functions.kill("single");
    const second = await returned("single", {});
    expect(Object(second.payload).inThisThread).not.toBe(Object(first.payload).inThisThread);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 4.9 * 3_600_000 });
    expect((await returned("single", {})).payload).toMatchObject({ calls: 2 });
    vi.setSystemTime(Date.now() + 0.2 * 3_600_000);
    expect((await returned("single", {})).payload).toMatchObject({ calls: 1 });
  });

  it("a call that waits for a function's environment when the cloud is closed fails, and so does each later one", async () => {
    const closing = aCloud();
    const running = closing.invoke("single", { sleepMs: 60_000 });
    await sleep(5);
    const waiting = closing.invoke("single", {});
    await Promise.all([closing.close(), expect(waiting).rejects.toMatchObject({ code: "closed" })]);
    expect(await running).toMatchObject({ kind: "failed", error: { errorType: "Runtime.ExitError" } });
    await expect(closing.invoke("f", {})).rejects.toThrow("f was called after the local cloud was closed");
  });

  it("a function whose bundle does not load fails every invocation", async () => {
    for (let n = 0; n < 2; n++)
      expect(await functions.invoke("broken", {})).toMatchObject({ kind: "failed", error: { errorMessage: "does not load" } });
    expect(await functions.invoke("missing", {})).toMatchObject({ kind: "failed", error: { errorType: "Runtime.HandlerNotFound" } });
    await expect(functions.invoke("unknown", {})).rejects.toThrow(/no function unknown; the functions are: f, short/);
  });

  it("what a function prints goes to the log alone, and not to the terminal of the cloud", async () => {
    const written = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, "write"));
    await returned("f", { print: "to the output" });
    await returned("f", { warn: "to the errors" });
    const messages = () => lines.map(({ message }) => message);
    await expect.poll(messages, { timeout: 15_000 }).toEqual(expect.arrayContaining(["to the output", "to the errors"]));
    const shown = written.flatMap((stream) => stream.mock.calls.map(([text]) => String(text)));
    vi.restoreAllMocks();
    expect(shown.filter((text) => /to the (?:output|errors)/.test(text))).toEqual([]);
  });

  it("a function's lines are in the log, parsed if they are JSON", async () => {
    await returned("f", { print: '{"level":"INFO"}' });
    await returned("f", { print: "plain" });
    await expect
      .poll(() => lines.filter((line) => line.function === "f"))
      .toEqual(
        expect.arrayContaining([expect.objectContaining({ printed: { level: "INFO" } }), expect.objectContaining({ message: "plain" })]),
      );
  });
});
