import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { connectMoto, type Moto } from "../../../lib/local/ec2/moto/moto.ts";
import { textAt } from "../../../lib/local/ec2/moto/xml-document.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const slow = { timeout: 15_000, interval: 5 };

/** Returns the client of a moto that responds like this. */
async function motoThat(responds: RequestListener, timeoutMs?: number): Promise<Moto> {
  const made = createServer(responds);
  server = made;
  await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve));
  return connectMoto(`http://127.0.0.1:${(made.address() as AddressInfo).port}`, timeoutMs);
}

test("a call of our own names the region and is a form, and its response is parsed", async () => {
  const seen: unknown[] = [];
  const moto = await motoThat((call, response) => {
    const form = text(call).then((body) => Object.fromEntries(new URLSearchParams(body)));
    seen.push(call.method, call.headers.authorization, form);
    response.end("<DescribeVpcsResponse><requestId>r-1</requestId></DescribeVpcsResponse>");
  });
  expect(textAt(await moto.call("eu-west-1", { Action: "DescribeVpcs" }), "requestId")).toBe("r-1");
  expect(await Promise.all(seen)).toEqual([
    "POST",
    expect.stringContaining("/eu-west-1/ec2/"),
    { Version: "2016-11-15", Action: "DescribeVpcs" },
  ]);
});

test("moto gets at most 16 calls at once, and no connection stays open", async () => {
  const waiting: (() => void)[] = [];
  const moto = await motoThat((_, response) => void waiting.push(() => response.end("<r></r>")));
  const calls = Promise.all(Array.from({ length: 20 }, () => moto.call("eu-west-1", { Action: "DescribeVpcs" })));
  await expect.poll(() => waiting.length, slow).toBe(16);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(waiting.length).toBe(16);
  for (const respond of waiting.splice(0)) respond();
  await expect.poll(() => waiting.length, slow).toBe(4);
  for (const respond of waiting) respond();
  await calls;
  const open = () => new Promise<number>((resolve) => server?.getConnections((_, count) => resolve(count)));
  await expect.poll(open, { timeout: 4_000, interval: 5 }).toBe(0);
});

test("a call that moto refuses throws moto's error, and one at which moto fails an internal error", async () => {
  const refused = "<Response><Errors><Error><Code>InvalidVpc</Code><Message>No such VPC</Message></Error></Errors></Response>";
  const responses: [number, string][] = [
    [400, refused],
    [400, "<Response></Response>"],
    [500, "<html>traceback</html>"],
  ];
  const moto = await motoThat((_, response) => {
    const [status, body] = responses.shift() ?? [200, ""];
    response.writeHead(status).end(body);
  });
  const call = () => moto.call("eu-west-1", { Action: "DescribeVpcs" });
  await expect(call()).rejects.toMatchObject({ code: "InvalidVpc", message: "No such VPC", status: 400 });
  await expect(call()).rejects.toMatchObject({ code: "InternalError", message: "moto refused the call", status: 400 });
  await expect(call()).rejects.toMatchObject({ code: "InternalError", status: 500 });
});

test("a call ends with an error if moto does not respond, or breaks off", async () => {
  const silent = await motoThat(() => undefined, 100);
  await expect(silent.call("eu-west-1", { Action: "DescribeVpcs" })).rejects.toThrow("moto did not respond within 100 ms");
  server?.closeAllConnections();
  server?.close();
  const broken = await motoThat((_, response) => {
    response.writeHead(200, { "content-length": "100" }).write("<half");
    setImmediate(() => response.destroy());
  });
  await expect(broken.call("eu-west-1", { Action: "DescribeVpcs" })).rejects.toMatchObject({ code: "ECONNRESET" });
});
