import { afterEach, describe, expect, it } from "vitest";
import { callApi, describeApi } from "../../../lib/cli/commands/api.ts";
import { aPoolView } from "./api-samples.ts";
import { aContext, aDeployment, type FakeApi, problem, type Routes, startFakeApi } from "./fake-api.ts";

let api: FakeApi | undefined;
afterEach(() => api?.close());
const start = async (routes: Routes, over = {}) => {
  api = await startFakeApi(routes);
  return aContext(api, over);
};

describe("fleet api", () => {
  const deployment = aDeployment({ apiUrl: "https://abc123.lambda-url.eu-central-1.on.aws/" });

  it("fleet api prints the API's address, how to sign calls, and where the document is", async () => {
    const { on, printed } = await start({}, { deployment });
    expect(await describeApi({}, on)).toBe(0);
    const url = "https://abc123.lambda-url.eu-central-1.on.aws";
    expect(printed.out).toEqual([
      `API        ${url}`,
      `document   ${url}/v1/openapi.json (OpenAPI 3.1)`,
      "signed     AWS Signature Version 4, service lambda, region eu-central-1",
      `with curl  curl --aws-sigv4 aws:amz:eu-central-1:lambda --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-security-token: $AWS_SESSION_TOKEN" ${url}/v1/openapi.json`,
      "with fleet fleet api GET /v1/pools",
    ]);
    await describeApi({ json: true }, on);
    expect(JSON.parse(printed.out.at(-1) ?? "")).toEqual({
      url,
      document: `${url}/v1/openapi.json`,
      region: "eu-central-1",
      service: "lambda",
    });
  });

  it("fleet api prints the local cloud's own address", async () => {
    const { on, printed } = await start({}, { deployment, endpoint: "http://127.0.0.1:4566" });
    await describeApi({}, on);
    expect(printed.out[3]).toBe(
      "with curl  curl --aws-sigv4 aws:amz:us-east-1:lambda --user local:local http://127.0.0.1:4566/v1/openapi.json",
    );
  });
});

describe("fleet api METHOD PATH", () => {
  it("fleet api GET makes the call and prints the response as JSON", async () => {
    const { on, printed } = await start({ "GET /v1/pools": { body: { items: [aPoolView()] } } });
    expect(await callApi({ method: "get", path: "/v1/pools?limit=3" }, on)).toBe(0);
    expect(JSON.parse(printed.out.join("\n"))).toMatchObject({ items: [{ pool: "gpu" }] });
    expect(api?.calls[0]?.query).toEqual({ limit: "3" });
  });

  it("fleet api PUT sends a body, and prints nothing if the response is empty", async () => {
    const { on, printed } = await start({ "PUT /v1/teams/research/datasets/x": { status: 204 } });
    expect(await callApi({ method: "PUT", path: "/v1/teams/research/datasets/x", body: '{"source":"s3://b/"}' }, on)).toBe(0);
    expect(api?.calls[0]?.body).toEqual({ source: "s3://b/" });
    expect(printed.out).toEqual([]);
  });

  it("fleet api reports wrong usage, and errors of the API", async () => {
    const { on } = await start({ "GET /v1/me": problem(403, "denied", "Not you.") });
    await expect(callApi({ method: "FETCH", path: "/v1/me" }, on)).rejects.toThrow(
      "FETCH is not a method of the API; use one of: GET, POST, PUT, DELETE",
    );
    await expect(callApi({ method: "GET", path: "https://evil.example/v1/me" }, on)).rejects.toThrow(
      /is not a path of the API; paths begin with \/v1\//,
    );
    await expect(callApi({ method: "POST", path: "/v1/me", body: "{" }, on)).rejects.toThrow("the body is not JSON");
    await expect(callApi({ method: "GET", path: "/v1/me" }, on)).rejects.toThrow("Not you.");
  });
});
