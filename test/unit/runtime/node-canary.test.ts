import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { nodeCanary } from "../../../lib/runtime/node-canary.ts";

const close: (() => void)[] = [];
afterEach(() => {
  for (const each of close.splice(0)) each();
});

async function canaryOf(status: number, body: string) {
  const calls: unknown[] = [];
  const server = createServer((call, response) => {
    call.on("data", (text: Buffer) => calls.push(call.headers.authorization?.slice(0, 16), JSON.parse(text.toString())));
    call.on("end", () => response.writeHead(status).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  close.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const credentials = async () => ({ accessKeyId: "AKIA", secretAccessKey: "secret" });
  return { canary: nodeCanary({ url, region: "us-east-1", credentials }), calls };
}

test("a canary call is signed, and succeeds if the function itself responds", async () => {
  const { canary, calls } = await canaryOf(200, '{"kind":"canary"}');
  await canary.call();
  expect(calls).toEqual(["AWS4-HMAC-SHA256", { protocol: expect.anything(), kind: "canary" }]);
});

test.each([
  ["Lambda refuses it before the function runs", 403, '{"Message":"Forbidden"}'],
  ["the function fails", 502, "Internal Server Error"],
  ["something else responds", 200, "<html></html>"],
  ["the function responds as if to something else", 200, '{"kind":"wait","callAgainMs":1000}'],
])("a canary call fails if %s", async (_what, status, body) => {
  const { canary } = await canaryOf(status, body);
  await expect(canary.call()).rejects.toMatchObject({ code: "node-call", retry: true });
});
