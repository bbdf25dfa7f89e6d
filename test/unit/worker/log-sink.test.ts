import { createServer } from "node:http";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { cloudWatchSink } from "../../../lib/worker/logs/log-sink.ts";
import { AttemptCredentials } from "../../../lib/worker/runtime/s3.ts";
import { someCredentials } from "./http-fakes.ts";

/** The operations that were called, in order, and how each is responded to. */
let calls: string[];
let respond: (operation: string) => { readonly status?: number; readonly body: object };
const server = createServer((request, response) => {
  const operation = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
  request.resume().on("end", () => {
    calls.push(operation);
    const { status = 200, body } = respond(operation);
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
  });
});

beforeEach(async () => {
  calls = [];
  respond = () => ({ body: {} });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  vi.stubEnv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

const event = (message: string) => ({ timestamp: 1, message });
function sink() {
  const credentials = new AttemptCredentials(someCredentials());
  return cloudWatchSink({ group: "g", stream: "s" }, { region: "us-east-1", credentials });
}

test("a log stream is created once, before its first batch", async () => {
  const logs = sink();
  for (const line of ["a", "b", "c"]) expect(await logs.put([event(line)])).toBe(0);
  logs.close();
  expect(calls).toEqual(["CreateLogStream", "PutLogEvents", "PutLogEvents", "PutLogEvents"]);
});

test("a log stream that exists already is used, and is not created again", async () => {
  respond = (operation) =>
    operation === "CreateLogStream" ? { status: 400, body: { __type: "ResourceAlreadyExistsException", message: "there" } } : { body: {} };
  const logs = sink();
  await logs.put([event("a")]);
  await logs.put([event("b")]);
  logs.close();
  expect(calls).toEqual(["CreateLogStream", "PutLogEvents", "PutLogEvents"]);
});

test("a log stream that could not be created is created with the next batch", async () => {
  let denied = true;
  respond = (operation) =>
    operation === "CreateLogStream" && denied ? { status: 400, body: { __type: "AccessDeniedException", message: "no" } } : { body: {} };
  const logs = sink();
  await expect(logs.put([event("a")])).rejects.toThrow("no");
  denied = false;
  await logs.put([event("b")]);
  logs.close();
  expect(calls).toEqual(["CreateLogStream", "CreateLogStream", "PutLogEvents"]);
});

test("a batch is sent four times to a CloudWatch that fails, and is then given up", async () => {
  respond = (operation) => (operation === "PutLogEvents" ? { status: 500, body: { message: "no" } } : { body: {} });
  const logs = sink();
  await expect(logs.put([event("a")])).rejects.toThrow();
  logs.close();
  expect(calls).toEqual(["CreateLogStream", ...Array.from({ length: 4 }, () => "PutLogEvents")]);
});

test.each([
  ["too old", { tooOldLogEventEndIndex: 2 }, 2],
  ["expired", { expiredLogEventEndIndex: 1 }, 1],
  ["too far ahead", { tooNewLogEventStartIndex: 3 }, 1],
  ["too old and too far ahead", { tooOldLogEventEndIndex: 1, expiredLogEventEndIndex: 2, tooNewLogEventStartIndex: 3 }, 3],
])("events that CloudWatch refuses because they are %s are counted", async (_why, rejectedLogEventsInfo, refused) => {
  respond = (operation) => ({ body: operation === "PutLogEvents" ? { rejectedLogEventsInfo } : {} });
  const logs = sink();
  expect(await logs.put(["a", "b", "c", "d"].map(event))).toBe(refused);
  logs.close();
});
