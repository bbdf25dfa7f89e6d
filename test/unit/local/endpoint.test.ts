import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, it } from "vitest";
import type { Guard } from "../../../lib/local/access/guard.ts";
import { createEndpoint, type Endpoint, type Routes } from "../../../lib/local/endpoint.ts";
import type { HttpCall, HttpResponse } from "../../../lib/local/requests/http.ts";
import { openGuard } from "../../fakes/guards.ts";
import { expectLine, type Logged } from "../../fakes/log-lines.ts";

let endpoint: Endpoint | undefined;
let emulator: Server | undefined;
afterEach(async () => {
  await endpoint?.close();
  emulator?.close();
});

/** Opens an endpoint. Returns the calls that reached what stands behind it. */
async function opened(
  instead: Partial<Routes> = {},
): Promise<{ readonly url: string; readonly reached: readonly string[]; readonly logged: readonly Logged[] }> {
  const reached: string[] = [];
  const logged: Logged[] = [];
  const respondAs =
    (service: string) =>
    async (call: HttpCall): Promise<HttpResponse> => {
      reached.push(`${service} ${call.method} ${call.path}`);
      return { status: 200, headers: {}, body: service };
    };
  emulator = createServer((incoming, response) => {
    reached.push(`emulator ${incoming.method} ${incoming.url} origin=${incoming.headers.origin}`);
    response.writeHead(200, { "access-control-allow-origin": "*", etag: "1" }).end("emulator");
  });
  await new Promise<void>((resolve) => emulator?.listen(0, "127.0.0.1", resolve));
  const emulatorUrl = `http://127.0.0.1:${(emulator.address() as AddressInfo).port}`;
  endpoint = await createEndpoint({
    log: (line) => {
      expectLine(line);
      logged.push(line);
    },
    logFile: "cloud.log",
  });
  endpoint.open({
    ministackUrl: emulatorUrl,
    motoUrl: emulatorUrl,
    ec2: respondAs("ec2"),
    pricing: respondAs("pricing"),
    monitoring: () => undefined,
    controls: ({ method, path }) => {
      reached.push(`controls ${method} ${path}`);
      return { status: 200, headers: {}, body: "controls" };
    },
    functionUrl: ({ path }, call) => respondAs(`url ${path}`)(call),
    guard: openGuard,
    sessions: () => undefined,
    api: respondAs("api"),
    ...instead,
  });
  return { url: endpoint.url, reached, logged };
}

/** Sends a call with any headers, which `fetch` would not. */
function send(url: string, method: string, headers: Readonly<Record<string, string>> = {}) {
  return new Promise<{ status: number | undefined; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const call = request(url, { method, headers }, (response) => {
      const { statusCode: status, headers: theirs } = response;
      text(response).then((body) => resolve({ status, headers: theirs, body }), reject);
    });
    call.once("error", reject).end();
  });
}

const signedFor = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=${"0".repeat(64)}`,
});

it("the endpoint routes /v1/ to the API and function URLs to functions, and to no AWS service", async () => {
  const { url, reached } = await opened();
  expect(await (await fetch(`${url}/v1/openapi.json`)).text()).toBe("api");
  await fetch(`${url}/_url/fleetwright-api/v1/me`);
  expect(reached).toEqual(["api GET /v1/openapi.json", "url /v1/me GET /_url/fleetwright-api/v1/me"]);
});

it.each([
  ["a foreign origin", { origin: "https://evil.example" }],
  ["a page without an origin of its own", { origin: "null" }],
  ["another server of this machine", { origin: "http://localhost:3000" }],
  ["another site", { "sec-fetch-site": "cross-site" }],
  ["another port of the same site", { "sec-fetch-site": "same-site" }],
  ["a name that was made to lead to this machine", { host: "evil.example" }],
  ["such a name with the port", { host: "127.0.0.1.evil.example:4566" }],
])("no route takes a call from a web page of %s, signed or not", async (_, headers) => {
  const { url, reached } = await opened();
  const paths = ["/?Action=SendMessage", "/_local/interrupt", "/v1/jobs", "/_url/fleetwright-api/v1/me"];
  const calls = paths.flatMap((path) =>
    ["GET", "POST", "OPTIONS"].flatMap((method) => [
      send(url + path, method, headers),
      send(url + path, method, { ...signedFor("sqs"), ...headers }),
    ]),
  );
  for (const { status, headers: theirs } of await Promise.all(calls)) {
    expect(status).toBe(403);
    expect(theirs["access-control-allow-origin"]).toBeUndefined();
  }
  expect(reached).toEqual([]);
});

it("no AWS service takes a call without a signature, and the refusal says how to call instead", async () => {
  const { url, reached } = await opened();
  const { status, body } = await send(`${url}/?Action=SendMessage`, "POST");
  expect([status, JSON.parse(body)]).toEqual([403, expect.objectContaining({ message: expect.stringContaining("fleet command") })]);
  expect(reached).toEqual([]);
});

it("a signed call of a program is relayed, and its response lets no web page read it", async () => {
  const { url, reached } = await opened();
  for (const service of ["sqs", "s3", "sts", "ssm", "monitoring"]) {
    const { status, headers } = await send(url, "POST", signedFor(service));
    expect([status, headers["access-control-allow-origin"], headers["etag"]]).toEqual([200, undefined, "1"]);
  }
  expect(reached).toHaveLength(5);
});

it("a call of up to 6 MiB is handled, and a larger one is refused", async () => {
  const sizes: number[] = [];
  const { url } = await opened({
    api: async ({ body }) => {
      sizes.push(body.length);
      return { status: 200, headers: {}, body: "" };
    },
  });
  const post = async (bytes: number) => (await fetch(`${url}/v1/jobs`, { method: "POST", body: Buffer.alloc(bytes) })).status;
  const limit = 6 * 1024 * 1024;
  expect([await post(limit), await post(limit + 1), sizes]).toEqual([200, 413, [limit]]);
});

/** Opens an endpoint before an emulator with this response. Returns what the routes were told of it. */
async function openedBefore(status: number, body: string, { guard = {}, headers = {} }: { guard?: Partial<Guard>; headers?: object } = {}) {
  const told: unknown[] = [];
  const { url } = await opened({
    monitoring: (call) => void told.push([call.method, call.path, String(call.body)]),
    sessions: (call, response) => void told.push([String(call.body), response]),
    guard: { ...openGuard, ...guard },
  });
  emulator?.removeAllListeners("request");
  emulator?.on("request", (incoming, response) => {
    told.push("reached");
    incoming.resume().on("end", () => response.writeHead(status, { "x-upstream": "1", ...headers }).end(body));
  });
  const call = async (service: string, method: string, path = "/", sent = "") => {
    const given = { method, headers: signedFor(service), ...(sent === "" ? {} : { body: sent }) };
    const response = await fetch(url + path, given);
    return [response.status, await response.text()];
  };
  return { told, call };
}

it("a call of a service that is silent gets no response, and reaches nothing, until its caller gives up", async () => {
  const silent = (service: string): boolean => service === "dynamodb";
  const { url, reached } = await opened({ silent });
  const call = (service: string) => fetch(url, { method: "POST", headers: signedFor(service), signal: AbortSignal.timeout(300) });
  expect(await (await call("sqs")).text()).toBe("emulator");
  await expect(call("dynamodb")).rejects.toThrow(/timeout/);
  expect(reached).toHaveLength(1);
});

it("an object that S3 would not reveal is denied instead of not found, and all others are returned as they are", async () => {
  const body = "<Error><Code>NoSuchKey</Code></Error>";
  const asked: unknown[] = [];
  const mayNotList = { may: (_: unknown, request: object) => asked.push(request) < 0 };
  const absent = await openedBefore(404, body, { guard: mayNotList });
  expect(await absent.call("s3", "GET", "/bucket/key")).toEqual([403, expect.stringContaining("<Code>AccessDenied</Code>")]);
  expect(asked).toEqual([{ action: "s3:ListBucket", resource: "arn:aws:s3:::bucket", context: {} }]);
  expect(await absent.call("s3", "HEAD", "/bucket/key")).toEqual([403, ""]);
  expect(await absent.call("s3", "PUT", "/bucket/key")).toEqual([404, body]);
  await endpoint?.close();
  const open = await openedBefore(404, body);
  expect(await open.call("s3", "GET", "/bucket/key")).toEqual([404, body]);
  await endpoint?.close();
  const there = await openedBefore(200, "there", { guard: mayNotList });
  expect(await there.call("s3", "GET", "/bucket/key")).toEqual([200, "there"]);
});

it.each(["sqs", "s3", "ec2", "sts", "monitoring"])("a call of %s that the policies refuse reaches nothing", async (service) => {
  const refusal = { status: 403, headers: {}, body: "refused" };
  const before = await openedBefore(200, "reply", { guard: { refuse: () => refusal } });
  expect(await before.call(service, "POST", "/b/k", "body")).toEqual([403, "refused"]);
  await endpoint?.close();
  const unknown = await openedBefore(200, "reply", { guard: { identify: () => ({ response: refusal }) } });
  expect(await unknown.call(service, "POST", "/b/k", "body")).toEqual([403, "refused"]);
  expect([before.told, unknown.told]).toEqual([[], []]);
});

it("an object whose key the caller may not use is denied, though the object exists", async () => {
  const keys: string[] = [];
  const guard: Partial<Guard> = {
    refuseDecryption: (_call, _principal, key) => {
      keys.push(key);
      return { status: 403, headers: {}, body: "no key" };
    },
  };
  const headers = { "x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:us-east-1:0:key/k" };
  const encrypted = await openedBefore(200, "secret", { guard, headers });
  expect(await encrypted.call("s3", "GET", "/bucket/key")).toEqual([403, "no key"]);
  expect(keys).toEqual(["arn:aws:kms:us-east-1:0:key/k"]);
});

it.each([
  ["monitoring", [["POST", "/metrics", "Action=PutMetricData"]]],
  ["sts", [["Action=PutMetricData", "reply"]]],
])("only calls that succeed are noted: %s", async (service, told) => {
  const good = await openedBefore(200, "reply");
  expect(await good.call(service, "POST", "/metrics", "Action=PutMetricData")).toEqual([200, "reply"]);
  expect(good.told).toEqual(["reached", ...told]);
  await endpoint?.close();
  const bad = await openedBefore(400, "refused");
  expect(await bad.call(service, "POST", "/metrics", "Action=PutMetricData")).toEqual([400, "refused"]);
  expect(bad.told).toEqual(["reached"]);
});

it("a call whose caller is gone ends behind the endpoint, too", async () => {
  const { url } = await opened();
  const ended = new Promise<string>((resolve) => {
    emulator?.removeAllListeners("request");
    emulator?.on("request", (_, response) => {
      response.once("close", () => resolve("closed"));
      stop.abort();
    });
  });
  const stop = new AbortController();
  await expect(fetch(url, { method: "POST", headers: signedFor("sqs"), signal: stop.signal })).rejects.toThrow();
  expect(await ended).toBe("closed");
});

it("a page of the endpoint's own address may call, and what stands behind does not see its origin", async () => {
  const { url, reached } = await opened();
  const headers = { ...signedFor("s3"), origin: url, "sec-fetch-site": "same-origin" };
  expect((await send(`${url}/bucket/key`, "PUT", headers)).status).toBe(200);
  expect(reached).toEqual(["emulator PUT /bucket/key origin=undefined"]);
});

it("a call that fails is logged without its query, which may hold a signature", async () => {
  const { url, logged } = await opened({
    ec2: async () => {
      throw new Error("it broke");
    },
  });
  const { status, body } = await send(`${url}/?Action=DescribeVpcs&X-Amz-Signature=secret`, "POST", signedFor("ec2"));
  expect([status, body]).toEqual([502, expect.stringContaining("cloud.log")]);
  expect(logged).toEqual([expect.objectContaining({ message: "endpoint call failed", method: "POST", path: "/" })]);
});
