import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nodeClient, remembered } from "../../../lib/worker/attempt/node-client.ts";
import { aReport, fakeNodeFunction, orders, type Reply } from "./http-fakes.ts";

const report = aReport();
const credentials = async () => ({ accessKeyId: "AKIAINSTANCE", secretAccessKey: "secret", sessionToken: "token" });

let reply: () => Reply = () => orders();
let server: Awaited<ReturnType<typeof fakeNodeFunction>>;
beforeEach(async () => {
  server = await fakeNodeFunction(() => reply());
});
afterEach(() => server.close());

const client = (timeoutMs?: number) =>
  nodeClient({ url: `${server.url}/node`, region: "eu-west-1", credentials, ...(timeoutMs === undefined ? {} : { timeoutMs }) });

describe("a call", () => {
  test("a call is signed with the instance's credentials for Lambda, including its body", async () => {
    expect(await client()(report)).toEqual(orders());
    expect(server.calls).toEqual([report]);
    expect(server.headers[0]).toMatchObject({
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKIAINSTANCE\/\d{8}\/eu-west-1\/lambda\/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
      ),
      "x-amz-security-token": "token",
    });
  });

  test.each<[string, Reply, string]>([
    ["is refused", { status: 403, body: '{"Message":"Forbidden"}' }, "returned HTTP status 403"],
    ["is lost", "lost", "could not be reached"],
    ["gets a response that is not JSON", { status: 200, body: '<html "secretAccessKey"' }, "is not JSON"],
    [
      "gets a response that does not match the protocol",
      { status: 200, body: '{"kind":"orders","islandMs":"secretAccessKey"}' },
      "does not match the protocol: islandMs (invalid_type)",
    ],
  ])("a call that %s may be retried, and its error quotes no secrets", async (_name, response, why) => {
    reply = () => response;
    const error = await client()(report).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ retry: true, message: expect.stringContaining(why) });
    expect(String(error)).not.toContain("secretAccessKey");
  });

  test.each([400, 403, 404, 410, 429, 500, 502, 503])(
    "a verdict counts only in a reply of the function itself: with HTTP status %i it is no response",
    async (status) => {
      for (const verdict of [
        { kind: "shutdown", because: "given back" },
        orders({ done: [{ team: "vision", job: "train-1", attempt: 1 }] }),
        { kind: "no-session" },
      ]) {
        reply = () => ({ status, body: JSON.stringify(verdict) });
        await expect(client()(report)).rejects.toMatchObject({ retry: true, message: expect.stringContaining(`HTTP status ${status}`) });
      }
    },
  );

  test.each(["", "null", "{}", '{"kind":"released"}', '{"kind":"shutdown"}', '{"message":"shutdown"}', "<html>410 Gone</html>"])(
    "a reply that is no verdict of the protocol is no response: %j",
    async (body) => {
      reply = () => ({ status: 200, body });
      await expect(client()(report)).rejects.toMatchObject({ retry: true });
    },
  );

  test("the error of a refused call quotes the first 200 characters of the response", async () => {
    reply = () => ({ status: 500, body: `${"a".repeat(200)}b` });
    await expect(client()(report)).rejects.toMatchObject({ message: `The node function returned HTTP status 500: ${"a".repeat(200)}` });
  });

  test("a call has a timeout and can be aborted", async () => {
    const nobody = nodeClient({ url: server.url, region: "eu-west-1", credentials: () => credentials(), timeoutMs: 1 });
    await expect(nobody(report)).rejects.toMatchObject({ retry: true });
    await expect(client()(report, AbortSignal.abort())).rejects.toMatchObject({ retry: true });
  });
});

test("credentials are fetched again when they have less than five minutes left", async () => {
  let nowMs = 0;
  let fetches = 0;
  const get = remembered(
    async () => ({ ...(await credentials()), accessKeyId: `key-${++fetches}`, expiration: new Date(nowMs + 3_600_000) }),
    () => nowMs,
  );
  expect([(await get()).accessKeyId, (await get()).accessKeyId]).toEqual(["key-1", "key-1"]);
  nowMs = 3_600_000 - 300_000 + 1;
  expect((await get()).accessKeyId).toBe("key-2");
});
