import { describe, expect, test } from "vitest";
import { type LoggedError, loggedError, withLoggedError } from "../../../lib/model/errors/logged-error.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";

const thrownBy = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

/** Returns all messages, from the error down its causes. */
const chain = (logged: LoggedError | undefined): string[] => (logged === undefined ? [] : [logged.message, ...chain(logged.cause)]);
const countOf = (logged: LoggedError): number =>
  1 + [logged.cause, ...(logged.errors ?? [])].reduce((sum, each) => sum + (each ? countOf(each) : 0), 0);

/** An error as the SDK throws it, with the fields that the SDK attaches. */
const anSdkError = (over: object = {}): Error =>
  Object.assign(new Error("Rate exceeded"), {
    name: "ThrottlingException",
    $fault: "client",
    $metadata: { httpStatusCode: 400, requestId: "a-request", cfId: "cf", attempts: 3 },
    $response: { headers: { authorization: "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE" } },
    ...over,
  });

test("an error is logged with its name, message, stack and the line that threw it", () => {
  const logged = loggedError(thrownBy(() => (undefined as unknown as { y: { z: number } }).y.z));
  expect(logged).toMatchObject({ name: "TypeError", message: "Cannot read properties of undefined (reading 'y')" });
  expect(logged.stack).toMatch(/^TypeError: Cannot read .*\n {4}at .*logged-error\.test\.ts:\d+:\d+/);
});

test("the causes of an error are logged, each with its own stack", () => {
  const inner = new RangeError("the innermost");
  const logged = loggedError(new FleetError("table", "the table said no", { cause: new Error("between", { cause: inner }) }));
  expect(logged).toMatchObject({ name: "FleetError", code: "table", cause: { name: "Error", cause: { name: "RangeError" } } });
  expect(chain(logged)).toEqual(["the table said no", "between", "the innermost"]);
  expect(logged.cause?.cause?.stack).toBe(inner.stack);
});

test("an error of AWS is logged with its request id and its HTTP status", () => {
  const { stack, ...logged } = loggedError(anSdkError());
  expect(logged).toEqual({ name: "ThrottlingException", message: "Rate exceeded", requestId: "a-request", status: 400 });
  expect(stack).toContain("logged-error.test.ts");
});

test("an error of the operating system is logged with its code", () => {
  expect(loggedError(Object.assign(new Error("open failed"), { code: "ENOENT", syscall: "open" }))).toMatchObject({ code: "ENOENT" });
  expect(loggedError(new DOMException("aborted", "AbortError"))).toMatchObject({ name: "AbortError", message: "aborted" });
});

test("an AggregateError is logged with its first three parts", () => {
  const parts = ["a", "b", "c", "d"].map((message) => new Error(message, { cause: new Error(`because of ${message}`) }));
  const logged = loggedError(new AggregateError(parts, "all failed"));
  expect(logged.errors?.map(chain)).toEqual([
    ["a", "because of a"],
    ["b", "because of b"],
    ["c", "because of c"],
  ]);
});

describe("the limits of a logged error", () => {
  test("a logged error has at most five causes", () => {
    let error = new Error("0");
    for (let n = 1; n < 20; n += 1) error = new Error(`${n}`, { cause: error });
    expect(chain(loggedError(error))).toEqual(["19", "18", "17", "16", "15", "14"]);
  });

  test("a logged error that branches has at most twelve errors in all", () => {
    const branching = (depth: number): Error =>
      new AggregateError(depth === 0 ? [] : [1, 2, 3].map(() => branching(depth - 1)), "many", { cause: new Error("why") });
    expect(countOf(loggedError(branching(5)))).toBe(12);
  });

  test("the texts of a logged error are cut, and a long message leaves room for the frames", () => {
    const logged = loggedError(new Error("m".repeat(100_000)));
    expect(logged.message).toMatch(/^m{2000} … \(98000 more characters\)$/);
    expect(logged.stack).toContain("logged-error.test.ts");
    const frameless = Object.assign(new Error("no frames"), { stack: "Error: no frames" });
    expect(loggedError(frameless)).toEqual({ name: "Error", message: "no frames" });
    const deep = Object.assign(new Error("deep"), { stack: `Error: deep${"\n    at somewhere (file.ts:1:1)".repeat(1_000)}` });
    expect(loggedError(deep).stack?.length).toBeLessThan(5_000);
    expect(
      JSON.stringify(loggedError(Object.assign(new Error("x"), { name: "n".repeat(9_999), code: "c".repeat(9_999) }))).length,
    ).toBeLessThan(10_000);
  });
});

describe("errors that are hostile to the logger", () => {
  const hostile = (key: string): Error =>
    Object.defineProperty(new Error("hostile"), key, {
      get: () => {
        throw new Error(`${key} throws`);
      },
    });

  test.each(["name", "message", "stack", "cause", "code", "errors", "$metadata"])("an error whose %s throws is logged", (key) => {
    const logged = loggedError(hostile(key));
    expect(logged).toMatchObject({ name: "Error", message: key === "message" ? "" : "hostile" });
    expect(logged).not.toHaveProperty(key === "name" || key === "message" ? "cause" : key);
  });

  test("an error that is its own cause, or its cause's cause, is logged once", () => {
    const alone = new Error("alone");
    alone.cause = alone;
    expect(chain(loggedError(alone))).toEqual(["alone"]);
    const first = new Error("first");
    first.cause = new AggregateError([first, new Error("third", { cause: first })], "second");
    expect(chain(loggedError(first))).toEqual(["first", "second"]);
    expect(JSON.stringify(loggedError(first))).toContain("third");
  });

  test("a proxy that was revoked, or whose every trap throws, is logged", () => {
    const throwing = new Proxy({}, { get: () => thrown(), has: () => thrown(), getPrototypeOf: () => thrown(), ownKeys: () => thrown() });
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const error of [throwing, proxy]) expect(loggedError(error)).toMatchObject({ name: "object" });
    expect(loggedError(new Error("outer", { cause: throwing }))).toMatchObject({ message: "outer", cause: { name: "object" } });
  });

  const thrown = (): never => {
    throw new Error("a trap");
  };

  test.each([
    ["a text", "string", "a text"],
    [undefined, "undefined", "undefined"],
    [null, "null", "null"],
    [7, "number", "7"],
    [7n, "bigint", "7"],
    [Symbol("s"), "symbol", "Symbol(s)"],
    [Object.create(null), "object", "this was thrown, which is not an error"],
    [{ secret: "s3cr3t" }, "object", "this was thrown, which is not an error"],
    [() => "s3cr3t", "function", "this was thrown, which is not an error"],
  ])("a thrown value that is not an error is logged: %o", (value, name, message) => {
    expect(loggedError(value)).toEqual({ name, message });
    expect(loggedError(new Error("outer", { cause: value })).cause).toEqual(value === undefined ? undefined : { name, message });
  });

  test("an error of another realm, which is not an instance of Error here, is logged as an error", () => {
    expect(loggedError({ name: "TypeError", message: "from afar", stack: "TypeError: from afar\n    at there" })).toEqual({
      name: "TypeError",
      message: "from afar",
      stack: "TypeError: from afar\n    at there",
    });
  });
});

describe("secrets in errors", () => {
  test("secrets in the fields of an error, of its causes or of its parts are not logged", () => {
    const error = Object.assign(anSdkError({ url: "https://b.s3.amazonaws.com/k?X-Amz-Signature=5ec7e7" }), {
      credentials: { secretAccessKey: "5ec7e7", sessionToken: "5ec7e7" },
      cause: Object.assign(new Error("inner"), { headers: { authorization: "5ec7e7" }, input: "5ec7e7" }),
      errors: [Object.assign(new Error("part"), { body: "5ec7e7" })],
    });
    const text = JSON.stringify(loggedError(error));
    expect(text).not.toMatch(/5ec7e7|AKIAEXAMPLE/);
    expect(text).toContain("part");
  });

  test.each([
    "Failed to parse URL from https://b.s3.amazonaws.com/k?X-Amz-Credential=5ec7e7%2F2026&X-Amz-Security-Token=5ec7e7&X-Amz-Signature=5ec7e7",
    "GET https://b.s3.amazonaws.com/k?AWSAccessKeyId=5ec7e7&Signature=5ec7e7&Expires=1 failed",
    "The Canonical String should have been 'POST\n/\n\nx-amz-security-token:5ec7e7\n\nhost'",
    'headers { "X-Amz-Security-Token": "5ec7e7" }',
    "authorization: AWS4-HMAC-SHA256 Credential=5ec7e7/2026/us-east-1, SignedHeaders=host, Signature=5ec7e7",
    'Unexpected token "}" in {"secretAccessKey":"5ec7e7","sessionToken": "5ec7e7"}',
    '{\\"SecretAccessKey\\":\\"5ec7e7\\"}',
  ])("a secret that an error's message or stack quotes is hidden: %s", (message) => {
    const logged = loggedError(new Error(message, { cause: new Error(message) }));
    expect(JSON.stringify(logged)).not.toContain("5ec7e7");
    expect(logged.message).toContain("(hidden)");
  });
});

test("only the error of a log line is formatted, and a line without an error stays as it is", () => {
  const line = { level: "error", message: "a step failed", pool: "gpu" };
  expect(withLoggedError(line)).toBe(line);
  expect(withLoggedError({ ...line, error: undefined })).toEqual(line);
  expect(withLoggedError({ ...line, error: new FleetError("x", "y") })).toMatchObject({
    ...line,
    error: { name: "FleetError", code: "x", message: "y" },
  });
});
