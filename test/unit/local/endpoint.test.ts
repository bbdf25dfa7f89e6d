import { afterEach, expect, it } from "vitest";
import { createEndpoint, type Endpoint } from "../../../lib/local/endpoint.ts";
import type { HttpAnswer, HttpCall } from "../../../lib/local/requests/http.ts";

let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.close());

it("the endpoint routes /v1/ to the API and function URLs to functions, and to no AWS service", async () => {
  endpoint = await createEndpoint({ log: () => undefined, logFile: "cloud.log" });
  const called: string[] = [];
  const answers =
    (service: string) =>
    async (call: HttpCall): Promise<HttpAnswer> => {
      called.push(`${service} ${call.method} ${call.path}`);
      return { status: 200, headers: {}, body: service };
    };
  endpoint.open({
    ministackUrl: "http://127.0.0.1:1",
    motoUrl: "http://127.0.0.1:1",
    ec2: answers("ec2"),
    pricing: answers("pricing"),
    monitoring: () => undefined,
    controls: () => ({ status: 200, headers: {}, body: "controls" }),
    functionUrl: ({ path }, call) => answers(`url ${path}`)(call),
    hidden: () => undefined,
    sessions: () => undefined,
    api: answers("api"),
  });
  expect(await (await fetch(`${endpoint.url}/v1/openapi.json`)).text()).toBe("api");
  await fetch(`${endpoint.url}/_url/fleetwright-api/v1/me`);
  expect(called).toEqual(["api GET /v1/openapi.json", "url /v1/me GET /_url/fleetwright-api/v1/me"]);
});
