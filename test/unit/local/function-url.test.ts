import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, it } from "vitest";
import { createFunctionUrls } from "../../../lib/local/lambda/function-url.ts";
import { arn } from "../../../lib/local/provision/world.ts";
import { createIdentities, roleId, wellKnown } from "../../../lib/local/requests/identities.ts";
import { guardOf } from "../../fakes/guards.ts";
import { expectLine } from "../../fakes/log-lines.ts";

const functionArn = arn("lambda", "function:fleet-node");
const both = [
  {
    Effect: "Allow",
    Action: "lambda:InvokeFunctionUrl",
    Resource: functionArn,
    Condition: { StringEquals: { "lambda:FunctionUrlAuthType": "AWS_IAM" } },
  },
  {
    Effect: "Allow",
    Action: "lambda:InvokeFunction",
    Resource: functionArn,
    Condition: { Bool: { "lambda:InvokedViaFunctionUrl": "true" } },
  },
];

function setUp(statements: readonly object[], payload: unknown = { statusCode: 201, headers: { "X-One": "1" }, body: "done" }) {
  const identities = createIdentities();
  const events: unknown[] = [];
  const handle = createFunctionUrls({
    urls: [{ functionArn }],
    identities,
    guard: guardOf({ instance: statements }),
    log: expectLine,
    functions: {
      invoke: async (_name, event) => {
        events.push(event);
        return { kind: "returned", payload, requestId: "r", durationMs: 1 };
      },
      kill: async () => undefined,
      close: async () => undefined,
    },
  });
  const credentials = identities.issue({ role: "instance", session: "i-0abc" });
  const fetchUrl = async (method: string, of: { path: string; query?: Record<string, string>; signer?: typeof credentials }) => {
    const { path, query = {}, signer = credentials } = of;
    const request = await new SignatureV4({ service: "lambda", region: "us-east-1", credentials: signer, sha256: Sha256 }).sign({
      method,
      protocol: "http:",
      hostname: "127.0.0.1",
      path: `/_url/fleet-node${path}`,
      query,
      headers: { host: "127.0.0.1:1", cookie: "a=1; b=2" },
    });
    const raw = Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
    const full = `${path}${raw.length > 0 ? `?${raw.join("&")}` : ""}`;
    return handle(
      { name: "fleet-node", path: full },
      { method, path: `/_url/fleet-node${full}`, headers: request.headers, body: Buffer.alloc(0) },
    );
  };
  const call = async (name = "fleet-node", body = '{"a":1}') => {
    const path = `/_url/${name}/orders?x=1`;
    const request = await new SignatureV4({ service: "lambda", region: "us-east-1", credentials, sha256: Sha256 }).sign({
      method: "POST",
      protocol: "http:",
      hostname: "127.0.0.1",
      path: `/_url/${name}/orders`,
      query: { x: "1" },
      headers: { host: "127.0.0.1:1", "content-type": "application/json" },
      body,
    });
    return handle({ name, path: "/orders?x=1" }, { method: "POST", path, headers: request.headers, body: Buffer.from(body) });
  };
  return { call, fetchUrl, events, credentials };
}

describe("a function URL", () => {
  it("a function URL passes the caller's identity to the function and returns its response", async () => {
    const { call, events, credentials } = setUp(both);
    expect(await call()).toEqual({ status: 201, headers: { "content-type": "application/json", "x-one": "1" }, body: "done" });
    const userId = `${roleId("instance")}:i-0abc`;
    expect(userId).toMatch(/^AROA[A-Z2-7]{17}:i-0abc$/);
    expect(events).toEqual([
      {
        version: "2.0",
        routeKey: "$default",
        rawPath: "/orders",
        rawQueryString: "x=1",
        queryStringParameters: { x: "1" },
        body: '{"a":1}',
        isBase64Encoded: false,
        // On AWS this is https. The API builds its own address from it.
        headers: expect.objectContaining({ "x-forwarded-proto": "http", host: "127.0.0.1:1" }),
        requestContext: {
          accountId: "000000000000",
          apiId: "fleet-node",
          authorizer: {
            iam: {
              accessKey: credentials.accessKeyId,
              accountId: "000000000000",
              callerId: userId,
              cognitoIdentity: null,
              principalOrgId: null,
              userArn: "arn:aws:sts::000000000000:assumed-role/instance/i-0abc",
              userId,
            },
          },
          domainName: "127.0.0.1:1",
          domainPrefix: "fleet-node",
          http: { method: "POST", path: "/orders", protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "" },
          requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          routeKey: "$default",
          stage: "$default",
          time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
          timeEpoch: expect.closeTo(Date.now(), -5),
        },
      },
    ]);
  });

  it.each(["GET", "DELETE", "PUT", "PATCH"])(
    "a function URL passes a %s to the function with its path, its unchanged query and no body",
    async (method) => {
      const problem = { statusCode: 404, headers: { "content-type": "application/problem+json" }, body: '{"title":"no such job"}' };
      const { fetchUrl, events } = setUp(both, problem);
      expect(await fetchUrl(method, { path: "/v1/jobs/research/a%20b%3A1", query: { cursor: "x y/+=", state: "queued" } })).toEqual({
        status: 404,
        headers: { "content-type": "application/problem+json" },
        body: '{"title":"no such job"}',
      });
      expect(events).toEqual([
        expect.objectContaining({
          rawPath: "/v1/jobs/research/a%20b%3A1",
          rawQueryString: "cursor=x%20y%2F%2B%3D&state=queued",
          queryStringParameters: { cursor: "x y/+=", state: "queued" },
          headers: expect.not.objectContaining({ cookie: expect.anything() }),
          cookies: ["a=1", "b=2"],
          isBase64Encoded: false,
          requestContext: expect.objectContaining({ http: expect.objectContaining({ method, path: "/v1/jobs/research/a%20b%3A1" }) }),
        }),
      ]);
      expect(events[0]).not.toHaveProperty("body");
    },
  );

  it("a function URL accepts the administrator's well-known credentials and refuses another secret", async () => {
    const { fetchUrl, events } = setUp([]);
    expect(await fetchUrl("GET", { path: "/v1/jobs", signer: wellKnown })).toMatchObject({ status: 201 });
    const userArn = "arn:aws:sts::000000000000:assumed-role/administrator/local";
    expect(events).toMatchObject([{ requestContext: { authorizer: { iam: { accessKey: "local", userArn } } } }]);
    expect(await fetchUrl("GET", { path: "/v1/jobs", signer: { ...wellKnown, secretAccessKey: "other" } })).toMatchObject({ status: 403 });
    expect(await fetchUrl("GET", { path: "/v1/jobs" })).toMatchObject({ status: 403 });
  });

  it.each([
    ["no permissions", []],
    ["only the permission for the URL", both.slice(0, 1)],
    ["only the permission for the function", both.slice(1)],
    ["permissions for another function", both.map((each) => ({ ...each, Resource: `${functionArn}-2` }))],
    ["a denial in addition to both permissions", [...both, { Effect: "Deny", Action: "lambda:*", Resource: "*" }]],
  ])("a function URL refuses a role with %s", async (_name, statements) => {
    const { call, events } = setUp(statements);
    expect(await call()).toMatchObject({ status: 403, body: '{"Message":"Forbidden"}' });
    expect(events).toEqual([]);
  });

  it("a call returns 404 for a function without a URL, and 502 for a result that Lambda would refuse", async () => {
    expect(await setUp(both).call("fleet-place")).toMatchObject({ status: 404 });
    expect(await setUp(both, { statusCode: "ok" }).call()).toMatchObject({ status: 502 });
    for (const statusCode of [99, 600]) expect(await setUp(both, { statusCode }).call()).toMatchObject({ status: 502 });
    for (const statusCode of [100, 599]) expect(await setUp(both, { statusCode }).call()).toMatchObject({ status: statusCode });
    expect(await setUp(both, { plain: true }).call()).toMatchObject({ status: 200, body: '{"plain":true}' });
  });
});
