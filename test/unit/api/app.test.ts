import { describe, expect, test } from "vitest";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { ApiWorld } from "./api-world.ts";

describe("unknown paths and methods", () => {
  test.each(["/", "/v1", "/v1/", "/v2/me", "/v1/me/", "/v1/ME", "/v1/teams", "/v1/teams/vision", "//v1/me", "/v1/teams//jobs"])(
    "a call of the unknown path %s returns 404",
    async (path) => {
      expect((await new ApiWorld().fetch(path)).body).toMatchObject({
        status: 404,
        code: "not-found",
        type: "about:blank",
        title: "Not Found",
      });
    },
  );

  test.each([
    ["PUT", "/v1/me", "GET, HEAD"],
    ["OPTIONS", "/v1/teams/vision/jobs", "POST, GET, HEAD"],
    ["GET", "/v1/teams/vision/jobs/runs/cancel", "POST"],
    ["PATCH", "/v1/teams/vision/datasets/cats", "GET, HEAD, PUT, DELETE"],
    ["DELETE", "/v1/openapi.json", "GET, HEAD"],
  ])("%s %s returns 405 with the allowed methods", async (method, path, allow) => {
    const world = new ApiWorld();
    const { status, headers } = await world.fetch(path, { method });
    expect(status).toBe(405);
    expect(headers.get("allow")).toBe(allow);
    const parts = path.replace("/v1", "").split("/").length;
    expect(world.log).toMatchObject([{ message: "called", method, status: 405 }]);
    expect(String((world.log[0] as { route?: unknown } | undefined)?.route).split("/")).toHaveLength(parts);
  });
});

test("a problem and the log contain the same request id", async () => {
  const world = new ApiWorld();
  const { body } = await world.fetch("/v1/pools/moon");
  const id = "00000000-0000-4000-8000-000000000001";
  expect(body).toEqual({
    type: "about:blank",
    title: "Not Found",
    status: 404,
    code: "not-found",
    detail: "There is no pool moon.",
    instance: `urn:uuid:${id}`,
  });
  expect(world.log).toEqual([
    {
      level: "info",
      message: "called",
      requestId: id,
      caller: "fleetwright-team-vision-eu-west-1/vera",
      method: "GET",
      route: "/pools/{pool}",
      status: 404,
      ms: 0,
    },
  ]);
});

test("responses may not be read by other sites and may not be cached", async () => {
  const { headers } = await new ApiWorld().fetch("/v1/me");
  expect(headers.get("access-control-allow-origin")).toBeNull();
  expect(headers.get("cache-control")).toBe("no-store");
});

test("the log does not contain the bodies of calls", async () => {
  const world = new ApiWorld();
  await world.fetch("/v1/teams/vision/jobs", { method: "POST", body: { command: ["x"], env: { TOKEN: "hunter2" } } });
  await world.fetch("/v1/teams/vision/jobs", { method: "POST", body: { command: ["x"], env: { TOKEN: 2 }, hunter2: 1 } });
  expect(world.log).toHaveLength(2);
  expect(JSON.stringify(world.log)).not.toContain("hunter2");
});

describe("an operation that throws", () => {
  test("the log contains the error of a failed call, and the response does not", async () => {
    const world = new ApiWorld({ poolNodes: { nodes: () => Promise.reject(new Error("at secret.ts:1")) } });
    const { status, headers, body } = await world.fetchRaw("/v1/teams/vision/datasets/cats");
    expect(status).toBe(500);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(body).toMatchObject({ code: "internal", instance: "urn:uuid:00000000-0000-4000-8000-000000000001" });
    expect(JSON.stringify(body)).not.toMatch(/secret\.ts|stack/);
    expect(world.log).toMatchObject([
      { level: "error", message: "call failed", requestId: "00000000-0000-4000-8000-000000000001", error: { message: "at secret.ts:1" } },
      { level: "info", status: 500 },
    ]);
  });

  test("a call that failed temporarily returns 503 with retry-after", async () => {
    const world = new ApiWorld({
      decisionReader: { get: () => Promise.reject(new FleetError("s3", "slow", { retry: true })), page: () => Promise.reject(new Error()) },
    });
    const { status, headers } = await world.fetchRaw("/v1/pools/gpu/decisions/20260601-000000.000Z-x");
    expect(status).toBe(503);
    expect(headers.get("retry-after")).toBe("1");
  });
});
