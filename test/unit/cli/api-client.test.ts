import { createServer } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import type { UnsignedRequest } from "../../../lib/aws/access/request-signer.ts";
import { apiClient } from "../../../lib/cli/session/api-client.ts";
import { type FakeApi, problem, type Routes, startFakeApi } from "./fake-api.ts";

let api: FakeApi | undefined;
afterEach(async () => {
  await api?.close();
  api = undefined;
});
const ResponseBody = z.object({ n: z.number() });

async function client(routes: Routes, over: { timeoutMs?: number } = {}) {
  api = await startFakeApi(routes);
  const signed: UnsignedRequest[] = [];
  const call = apiClient({
    url: api.url,
    waitMs: () => 1,
    sign: async (request) => {
      signed.push(request);
      return { ...request.headers, authorization: "me" };
    },
    ...over,
  });
  return { call, signed, fake: api };
}

describe("a call of the API", () => {
  it("a call of the API is signed as it is sent, and its response is parsed with the schema", async () => {
    const { call, signed, fake } = await client({ "PUT /v1/x": { body: { n: 1, more: true } } });
    expect(await call(ResponseBody, { method: "PUT", path: "/v1/x", query: { a: "b#c", none: undefined, n: 2 }, body: { x: 1 } })).toEqual({
      n: 1,
    });
    expect(fake.calls).toEqual([{ method: "PUT", path: "/v1/x", query: { a: "b#c", n: "2" }, body: { x: 1 } }]);
    expect(signed).toMatchObject([{ method: "PUT", body: '{"x":1}', headers: { "content-type": "application/json" } }]);
    expect(signed[0]?.url.search).toBe("?a=b%23c&n=2");
  });

  it("a call of the API keeps the path of the API's address", async () => {
    api = await startFakeApi({ "GET /deep/v1/x": { body: { n: 1 } } });
    for (const url of [`${api.url}/deep`, `${api.url}/deep/`])
      expect(await apiClient({ url, sign: async ({ headers }) => headers })(ResponseBody, { method: "GET", path: "/v1/x" })).toEqual({
        n: 1,
      });
  });

  it("a call of the API is retried a limited number of times if it may succeed, and signed again", async () => {
    const busy = problem(503, "busy", "Later.");
    const { call, signed } = await client({ "GET /a": [busy, { status: 502, body: "" }, { body: { n: 3 } }], "GET /b": busy });
    expect(await call(ResponseBody, { method: "GET", path: "/a" })).toEqual({ n: 3 });
    expect(signed).toHaveLength(3);
    await expect(call(ResponseBody, { method: "GET", path: "/b" })).rejects.toMatchObject({ code: "busy", message: "Later." });
    expect(signed).toHaveLength(7);
  });
});

describe("the faults of a call of the API", () => {
  it.each([
    ["404", problem(404, "not-found", "No job x."), { code: "not-found", message: "No job x." }],
    ["409", problem(409, "conflict", "It has ended."), { code: "conflict", message: "It has ended." }],
    [
      "AWS's own 403",
      { status: 403, body: { Message: "Forbidden" } },
      { code: "denied", message: expect.stringMatching(/denied access: .*Forbidden[\s\S]*AWS_PROFILE/) },
    ],
    [
      "a response of another shape",
      { body: { n: "one" } },
      { code: "api-answer", message: expect.stringMatching(/cannot read the API's response .*n: /) },
    ],
    [
      "a response that is not JSON",
      { body: "<html>" },
      { code: "api-answer", message: expect.stringContaining("cannot read the API's response") },
    ],
    [
      "a response with many mistakes, of which three are named",
      { body: { n: "one", a: 1, b: 1, c: 1, d: 1 } },
      { message: expect.stringMatching(/response \(n: [^;]*\); use the command of the release/) },
    ],
    ["an empty 418", { status: 418, body: "" }, { code: "api-answer", message: "the API returned 418: nothing", retry: false }],
    [
      "a long response of AWS, which is cut after 200 characters",
      { status: 400, body: `a  \n b${"x".repeat(300)}` },
      { message: `the API returned 400: a b${"x".repeat(197)}` },
    ],
    ["a 400 that is not from the API", { status: 400, body: "what?" }, { code: "api-answer", message: "the API returned 400: what?" }],
  ])("a call of the API throws a FleetError for %s", async (_what, response, fault) => {
    const { call, fake } = await client({ "GET /x": response });
    await expect(call(ResponseBody, { method: "GET", path: "/x" })).rejects.toMatchObject(fault);
    expect(fake.calls).toHaveLength(1);
  });

  it("a call of the API that is throttled is retried, and an internal error names its request in the API's log", async () => {
    const { call, fake } = await client({
      "GET /x": [{ status: 429, body: "" }, { body: { n: 1 } }],
      "GET /y": problem(500, "internal", "An internal error occurred."),
    });
    expect(await call(ResponseBody, { method: "GET", path: "/x" })).toEqual({ n: 1 });
    await expect(call(ResponseBody, { method: "GET", path: "/y" })).rejects.toMatchObject({
      code: "internal",
      message: "An internal error occurred. (urn:uuid:1 in the API's log)",
    });
    expect(fake.calls).toHaveLength(2 + 4);
  });

  it("the waits between the tries of a call are random below a ceiling that doubles", async () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(0);
    api = await startFakeApi({ "GET /x": [{ status: 503, body: "" }, { status: 503, body: "" }, { body: { n: 1 } }] });
    const startedMs = performance.now();
    expect(await apiClient({ url: api.url, sign: async ({ headers }) => headers })(ResponseBody, { method: "GET", path: "/x" })).toEqual({
      n: 1,
    });
    // Two waits of 0.1 s each, because the random part is 0.
    expect(performance.now() - startedMs).toBeGreaterThan(195);
    random.mockRestore();
  });

  it("the FleetError of a call of the API names the fields that are wrong", async () => {
    const { body } = problem(400, "invalid", "The query is wrong.");
    const { call } = await client({
      "GET /x": { status: 400, body: { ...Object(body), errors: [{ field: "limit", message: "too big" }] } },
    });
    await expect(call(ResponseBody, { method: "GET", path: "/x" })).rejects.toThrow("The query is wrong.\n  limit: too big");
  });

  it("a call of the API throws a FleetError if no process listens", async () => {
    const { call, fake } = await client({});
    await fake.close();
    api = undefined;
    await expect(call(ResponseBody, { method: "GET", path: "/x" })).rejects.toMatchObject({
      code: "api-unreachable",
      message: expect.stringMatching(/127\.0\.0\.1:\d+ does not respond \(.*ECONNREFUSED/),
    });
  });

  it("a call of the API throws a FleetError if there is no response in time", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
    try {
      const call = apiClient({ url, sign: async ({ headers }) => headers, timeoutMs: 50, maxTries: 2, waitMs: () => 1 });
      await expect(call(ResponseBody, { method: "GET", path: "/x" })).rejects.toMatchObject({
        code: "api-unreachable",
        message: expect.stringMatching(/time/),
      });
    } finally {
      silent.close();
    }
  });
});
