import { describe, expect, test } from "vitest";
import { readApiCall, urlResponse } from "../../../lib/runtime/api-call.ts";

const arn = "arn:aws:sts::123456789012:assumed-role/fleetwright-team-vision/vera";
const anEvent = (over: object = {}, method = "GET") => ({
  version: "2.0",
  rawPath: "/v1/me",
  rawQueryString: "",
  headers: { host: "abc.lambda-url.us-east-1.on.aws", "content-type": "application/json" },
  isBase64Encoded: false,
  requestContext: {
    accountId: "123456789012",
    requestId: "00000000-0000-4000-8000-000000000001",
    http: { method, path: "/v1/me" },
    authorizer: { iam: { userArn: arn, accountId: "999999999999", accessKey: "ASIA", userId: "AROA:vera" } },
  },
  ...over,
});

describe("a call of the URL", () => {
  test("a call of the URL names its signer, the signer's account and the function's account", () => {
    expect(readApiCall(anEvent())).toMatchObject({
      caller: { arn, account: "999999999999", owner: "123456789012" },
      requestId: "00000000-0000-4000-8000-000000000001",
    });
  });

  test("a call of the URL becomes a request with the same method, path, query and body", async () => {
    const { request } = readApiCall(anEvent({ rawPath: "/v1/teams/vision/jobs", rawQueryString: "a=1&b=%2F", body: '{"a":"ä"}' }, "POST"));
    expect(request.method).toBe("POST");
    expect(request.url).toBe("https://api/v1/teams/vision/jobs?a=1&b=%2F");
    expect(request.headers.get("content-type")).toBe("application/json");
    expect(await request.json()).toEqual({ a: "ä" });
  });

  test("a base64 body of a call is decoded", async () => {
    const body = Buffer.from('{"a":"ä"}').toString("base64");
    expect(await readApiCall(anEvent({ body, isBase64Encoded: true }, "PUT")).request.json()).toEqual({ a: "ä" });
  });

  test.each(["GET", "HEAD"])("a %s call becomes a request without a body, even if it has one", (method) => {
    expect(readApiCall(anEvent({ body: "x" }, method)).request).toMatchObject({ method, body: null });
  });

  test.each(["TRACE", "CONNECT", "PROPFIND", "get", ""])("a call with the unknown method %j becomes an OPTIONS request", (method) => {
    expect(readApiCall(anEvent({}, method)).request.method).toBe("OPTIONS");
  });

  test.each(["", "//evil.example/v1", "/a?b#c", "/%", "/\u0000", "/v1/../me"])("a call with the path %j stays on this host", (rawPath) => {
    expect(new URL(readApiCall(anEvent({ rawPath })).request.url)).toMatchObject({ host: "api", search: "", hash: "" });
  });

  test.each([
    ["abc.lambda-url.us-east-1.on.aws", {}, "https://abc.lambda-url.us-east-1.on.aws"],
    ["127.0.0.1:4566", { "x-forwarded-proto": "http" }, "http://127.0.0.1:4566"],
    ["evil/x", {}, undefined],
    [undefined, { host: "evil.example" }, undefined],
  ])("a call that arrived at the host %s with the headers %j has the origin %s", (domainName, headers, origin) => {
    const event = anEvent({ headers });
    expect(readApiCall({ ...event, requestContext: { ...event.requestContext, domainName } }).origin).toBe(origin);
  });

  test("reading an unsigned call throws", () => {
    expect(() => readApiCall(anEvent({ requestContext: {} }))).toThrow();
  });
});

test("a response is returned with its status, headers and body", async () => {
  const response = new Response('{"a":"ä"}', { status: 409, headers: { "content-type": "application/problem+json", allow: "GET" } });
  expect(await urlResponse(response)).toEqual({
    statusCode: 409,
    headers: { "content-type": "application/problem+json", allow: "GET" },
    body: '{"a":"ä"}',
  });
});
