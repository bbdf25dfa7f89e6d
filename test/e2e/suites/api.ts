import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { allOperations } from "../../../lib/api/operations.ts";
import { DecisionPage, DecisionView } from "../../../lib/api/views/decisions.ts";
import { JobPage } from "../../../lib/api/views/jobs.ts";
import { LogPage } from "../../../lib/api/views/logs.ts";
import { NodePage } from "../../../lib/api/views/nodes.ts";
import { functionUrlSigner } from "../../../lib/aws/access/request-signer.ts";
import { holdAgainstDocument, type Received } from "../../unit/api/api-world.ts";
import { type Stage, shell } from "../stage.ts";

const account = "123456789012";
const sessions = {
  research: "fleetwright-team-research-us-east-1/rosa",
  vision: "fleetwright-team-vision-us-east-1/vera",
  admin: "Admin/ada",
} as const;
type Who = keyof typeof sessions;
const Payload = z.object({ statusCode: z.int(), headers: z.record(z.string(), z.string()), body: z.string() });

/** Tests of the deployed API, for teams, admins and unknown callers. */
export function apiTests(on: () => Stage): void {
  let stage: Stage;
  beforeAll(() => {
    stage = on();
  });

  /** Calls the deployed function as its URL does, for a caller who signed with that role. */
  async function call(as: Who, path: string, options: { method?: string; body?: unknown } = {}): Promise<Received> {
    const url = new URL(path, "https://api");
    const method = options.method ?? "GET";
    const outcome = await stage.cloud.invoke("api", {
      version: "2.0",
      rawPath: url.pathname,
      rawQueryString: url.search.slice(1),
      headers: { "content-type": "application/json" },
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
      isBase64Encoded: false,
      requestContext: {
        accountId: account,
        requestId: randomUUID(),
        http: { method },
        authorizer: { iam: { userArn: `arn:aws:sts::${account}:assumed-role/${sessions[as]}`, accountId: account } },
      },
    });
    if (outcome.kind !== "returned") throw new Error(`${path}: ${JSON.stringify(outcome)}`);
    const { statusCode, headers, body } = Payload.parse(outcome.payload);
    const received = { status: statusCode, headers: new Headers(headers), body: body === "" ? undefined : JSON.parse(body) };
    holdAgainstDocument(path, method, received);
    return received;
  }

  const jobs = "/v1/teams/research/jobs";

  test("a job that is submitted through the API can be followed to its end, and appears in every list", async () => {
    const spec = shell("for n in 1 2 3; do echo line $n; sleep 0.2; done; echo secret > kept", { id: "followed", artifacts: ["kept"] });
    expect((await call("research", jobs, { method: "POST", body: spec })).status).toBe(201);
    expect((await call("research", jobs, { method: "POST", body: spec })).status).toBe(200);
    expect((await call("research", jobs, { method: "POST", body: { ...spec, vcpus: 1 } })).status).toBe(409);

    const lines: string[] = [];
    let cursor: string | undefined;
    for (let state = "queued"; state !== "succeeded" || lines.length < 3; await pause(200)) {
      const query = cursor === undefined ? "" : `?cursor=${encodeURIComponent(cursor)}`;
      const page = LogPage.parse((await call("research", `${jobs}/followed/logs${query}`)).body);
      lines.push(...page.lines.map(({ text }) => text));
      ({ cursor, state } = page);
      expect(["failed", "rejected", "cancelled"]).not.toContain(state);
    }
    expect(lines).toEqual(["line 1", "line 2", "line 3"]);
    expect((await call("research", `${jobs}/followed`)).body).toMatchObject({
      state: "succeeded",
      exitCode: 0,
      artifacts: { files: 1 },
    });
    expect((await call("research", `${jobs}/followed/logs?cursor=f%2Fnonsense`)).status).toBe(400);
    const list = JobPage.parse((await call("research", `${jobs}?state=succeeded`)).body);
    expect(list.items.map(({ job }) => job)).toContain("followed");
  });

  test("a running job is on a node because of a decision, and another team sees the node but not the job", async () => {
    await call("research", jobs, { method: "POST", body: shell("sleep 50", { id: "covert" }) });
    await stage.until("covert", (job) => job.state === "running");
    const nodes = NodePage.parse((await call("research", "/v1/nodes?pool=gpu")).body).items;
    const node = nodes.find(({ assignments }) => assignments.some(({ job }) => job === "covert"));
    expect(node).toMatchObject({ state: "ready", team: "research" });

    const page = DecisionPage.parse((await call("admin", "/v1/pools/gpu/decisions?limit=50")).body);
    const bound = page.items.find(({ steps }) => (steps["bind"] ?? 0) + (steps["launch"] ?? 0) > 0);
    const decision = DecisionView.parse((await call("admin", `/v1/pools/gpu/decisions/${bound?.decision}`)).body);
    expect(decision.taken.length).toBeGreaterThan(0);

    for (const path of [`/v1/nodes/${node?.node}`, "/v1/nodes", "/v1/pools", "/v1/pools/gpu/decisions?limit=50"]) {
      const seen = await call("vision", path);
      expect(seen.status).toBe(200);
      expect(JSON.stringify(seen.body)).not.toMatch(/covert|followed/);
    }
    for (const { decision: id } of page.items.slice(0, 10)) {
      expect(JSON.stringify((await call("vision", `/v1/pools/gpu/decisions/${id}`)).body)).not.toMatch(/covert|followed/);
    }
    for (const path of [jobs, `${jobs}/covert`, `${jobs}/covert/logs`, "/v1/teams/research/datasets", "/v1/dead-letters"])
      expect((await call("vision", path)).status).toBe(403);
    expect((await call("vision", `${jobs}/covert/cancel`, { method: "POST" })).status).toBe(403);
    expect((await call("admin", `${jobs}/covert/cancel`, { method: "POST", body: { reason: "seen enough" } })).body).toMatchObject({
      state: "cancelled",
      reason: "seen enough",
    });
    expect((await call("research", `${jobs}/followed/cancel`, { method: "POST" })).status).toBe(409);
  });

  test("a dataset can be added, read and removed through the API", async () => {
    const source = `s3://${stage.connection.deployment.datasetsBucket}/vision/cats/`;
    const at = "/v1/teams/vision/datasets/cats";
    expect((await call("vision", at, { method: "PUT", body: { source } })).status).toBe(201);
    expect((await call("vision", at)).body).toMatchObject({ dataset: "cats", source, holders: [] });
    expect((await call("vision", "/v1/teams/vision/datasets")).body).toMatchObject({ items: [{ dataset: "cats" }] });
    expect((await call("vision", at, { method: "DELETE" })).status).toBe(204);
    expect((await call("vision", at, { method: "DELETE" })).status).toBe(404);
  });

  describe("the API at its URL", () => {
    const signed = async (path: string, options: { method?: string; body?: string; type?: string } = {}): Promise<Response> => {
      const url = new URL(path.slice(1), stage.connection.deployment.apiUrl);
      const sign = functionUrlSigner({ region: async () => "us-east-1", credentials: async () => stage.cloud.credentials });
      const headers = { "content-type": options.type ?? "application/json" };
      const request = { method: options.method ?? "GET", url, headers, body: options.body };
      return fetch(url, {
        method: request.method,
        headers: await sign(request),
        ...(options.body !== undefined && { body: options.body }),
      });
    };

    test("the API treats an administrator as an admin, and its document names every operation", async () => {
      expect(await (await signed("/v1/me")).json()).toMatchObject({ admin: true, team: null, teams: ["research", "vision"] });
      const document = JSON.stringify(await (await signed("/v1/openapi.json")).json());
      expect(document).toContain(`"servers":[{"url":"${stage.cloud.endpoint}"}]`);
      for (const { id } of allOperations) expect(document).toContain(`"operationId":"${id}"`);
    });

    test("the API returns errors as problem documents", async () => {
      const wrongs = [
        await signed("/v1/nothing"),
        await signed("/v1/me", { method: "DELETE" }),
        await signed("/v1/nodes?limit=1000"),
        await signed(jobs, { method: "POST", body: "{" }),
        await signed(jobs, { method: "POST", body: "x", type: "text/plain" }),
        await signed(jobs, { method: "POST", body: JSON.stringify({ command: ["x"], env: { A: "x".repeat(40_000) } }) }),
      ];
      expect(wrongs.map(({ status }) => status)).toEqual([404, 405, 400, 400, 415, 413]);
      for (const { headers } of wrongs) expect(headers.get("content-type")).toBe("application/problem+json");
      expect(wrongs[1]?.headers.get("allow")).toBe("GET, HEAD");
    });

    test("the API refuses a call without a signature", async () => {
      expect((await fetch(new URL("v1/me", stage.connection.deployment.apiUrl))).status).toBe(403);
    });
  });
}
