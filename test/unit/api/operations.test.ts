import { describe, expect, test } from "vitest";
import * as z from "zod";
import { allOperations } from "../../../lib/api/operations.ts";
import { ApiWorld, type CallOptions, decisionId, nodeId, operationAt } from "./api-world.ts";

type Case = readonly [path: string, status: number, options?: CallOptions];
const post = (body?: unknown, more: CallOptions = {}): CallOptions => ({ method: "POST", body, ...more });
const put = (body?: unknown, more: CallOptions = {}): CallOptions => ({ method: "PUT", body, ...more });
const remove: CallOptions = { method: "DELETE" };
const vision = "/v1/teams/vision";

/** The cases of an operation with which admins change a pool's overrides. */
const ordering = (path: string): readonly Case[] => [
  [path, 200, post(undefined, { as: "admin" })],
  [path, 200, post({ reason: "new image", version: 0 }, { as: "admin" })],
  [path, 403, post({})],
  [path, 409, post({ version: 7 }, { as: "admin" })],
  ...[{ reason: "" }, { reason: "x".repeat(201) }, { version: -1 }, { because: "x" }].map(
    (body): Case => [path, 400, post(body, { as: "admin" })],
  ),
  [path, 413, post({ reason: "x".repeat(4_100) }, { as: "admin" })],
  [path, 415, post({}, { as: "admin", type: "text/plain" })],
];

/** Every operation with good input and with input that it must refuse. */
const cases: Readonly<Record<string, readonly Case[]>> = {
  describeApi: [
    ["/v1/openapi.json", 200],
    ["/v1/openapi.json", 200, { method: "HEAD" }],
    ["/v1/openapi.json?x=1", 400],
    ["/v1/openapi.json", 403, { as: "former" }],
    ["/v1/openapi.json", 403, { as: "stranger" }],
  ],
  whoAmI: [
    ["/v1/me", 200],
    ["/v1/me", 200, { as: "admin" }],
    ["/v1/me", 403, { as: "former" }],
    ["/v1/me?team=vision", 400],
  ],
  submitJob: [
    [`${vision}/jobs`, 201, post({ command: ["x"] })],
    [`${vision}/jobs`, 201, post({ id: "mine", command: ["x"] }, { as: "admin", type: "application/json; charset=utf-8" })],
    [`${vision}/jobs`, 400, post("{")],
    [`${vision}/jobs`, 400, post("null")],
    [`${vision}/jobs`, 400, post("")],
    [`${vision}/jobs`, 400, post({ command: ["x"], gpu: 1 })],
    [`${vision}/jobs`, 400, post({ command: [] })],
    [`${vision}/jobs?x=1`, 400, post({ command: ["x"] })],
    ["/v1/teams/research/jobs", 403, post({ command: ["x"] })],
    ["/v1/teams/nobody/jobs", 403, post({ command: ["x"] })],
    ["/v1/teams/nobody/jobs", 404, post({ command: ["x"] }, { as: "admin" })],
    ["/v1/teams/Vision/jobs", 400, post({ command: ["x"] })],
    [`${vision}/jobs`, 409, post({ id: "waits", command: ["y"] })],
    [`${vision}/jobs`, 413, post({ command: ["x"], env: { A: "x".repeat(33_000) } })],
    [`${vision}/jobs`, 415, post("command=x", { type: "application/x-www-form-urlencoded" })],
    [`${vision}/jobs`, 415, post({ command: ["x"] }, { type: "" })],
    [`${vision}/jobs`, 422, post({ command: ["x"], pool: "moon" })],
    [`${vision}/jobs`, 422, post({ command: ["x"], gpus: 9 })],
    [`${vision}/jobs`, 422, post({ command: ["x"], datasets: ["nothing"] })],
  ],
  listJobs: [
    [`${vision}/jobs?limit=1`, 200],
    [`${vision}/jobs`, 200],
    [`${vision}/jobs?state=queued&limit=1`, 200],
    [`${vision}/jobs?limit=100`, 200, { as: "admin" }],
    [`${vision}/jobs?state=queued,running&name=r*n?&pool=gpu&since=2026-01-01T00:00:00Z&before=2027-01-01T00:00:00%2B02:00`, 200],
    ...["state=queued,sleeping", "state=", "name=a/b", "name=", "pool=GPU", "since=2h", "before=2026-01-01"].map(
      (query): Case => [`${vision}/jobs?${query}`, 400],
    ),
    ...["limit=0", "limit=1001", "limit=x", "limit=1.5", "limit=-1", "limit=", "limit=1&limit=2", "state=sleeping", "stat=queued"].map(
      (query): Case => [`${vision}/jobs?${query}`, 400],
    ),
    ...["x", "%00", "../x", "000000000000000", "9".repeat(400)].map((cursor): Case => [`${vision}/jobs?cursor=${cursor}`, 400]),
    [`${vision}/jobs?cursor=`, 400],
    ["/v1/teams/research/jobs", 403],
    ["/v1/teams/sales/jobs", 403, { as: "former" }],
    ["/v1/teams/sales/jobs", 404, { as: "admin" }],
  ],
  checkJobs: [
    [`${vision}/jobs/check`, 200, post({ jobs: [{ command: ["x"] }, { command: [] }, null, 7] })],
    [`${vision}/jobs/check`, 400, post({ jobs: [] })],
    [`${vision}/jobs/check`, 400, post({ jobs: Array.from({ length: 101 }, () => ({ command: ["x"] })) })],
    [`${vision}/jobs/check`, 400, post([{ command: ["x"] }])],
    [`${vision}/jobs/check`, 413, post({ jobs: [{ command: ["x".repeat(2_000_000)] }] })],
    [`${vision}/jobs/check`, 415, post({ jobs: [{ command: ["x"] }] }, { type: "text/plain" })],
    ["/v1/teams/research/jobs/check", 403, post({ jobs: [{ command: ["x"] }] })],
    ["/v1/teams/sales/jobs/check", 404, post({ jobs: [{ command: ["x"] }] }, { as: "admin" })],
  ],
  cancelJobs: [
    [`${vision}/jobs/cancel`, 200, post({ jobs: ["waits", "runs", "done", "nobody"], reason: "wrong data", states: ["queued"] })],
    [`${vision}/jobs/cancel`, 400, post({ jobs: [] })],
    [`${vision}/jobs/cancel`, 400, post({ jobs: Array.from({ length: 101 }, (_, n) => `j-${n}`) })],
    [`${vision}/jobs/cancel`, 400, post({ jobs: ["../x"] })],
    [`${vision}/jobs/cancel`, 400, post({ jobs: ["waits"], states: ["asleep"] })],
    [`${vision}/jobs/cancel`, 413, post({ jobs: ["waits"], reason: "x".repeat(40_000) })],
    [`${vision}/jobs/cancel`, 415, post({ jobs: ["waits"] }, { type: "" })],
    ["/v1/teams/research/jobs/cancel", 403, post({ jobs: ["secret"] })],
    ["/v1/teams/sales/jobs/cancel", 404, post({ jobs: ["secret"] }, { as: "admin" })],
  ],
  getJob: [
    [`${vision}/jobs/runs`, 200],
    [`${vision}/jobs/refused`, 200],
    [`${vision}/jobs/secret`, 404],
    [`${vision}/jobs/${"x".repeat(101)}`, 400],
    [`${vision}/jobs/%2e%2e`, 404],
    [`${vision}/jobs/a%2Fb`, 400],
    [`${vision}/jobs/%E0%A4%A`, 400],
    ["/v1/teams/research/jobs/secret", 403],
  ],
  listAttempts: [
    [`${vision}/jobs/runs/attempts`, 200],
    [`${vision}/jobs/waits/attempts?limit=1`, 200],
    [`${vision}/jobs/runs/attempts?limit=1`, 200],
    [`${vision}/jobs/runs/attempts?cursor=2`, 200],
    [`${vision}/jobs/runs/attempts?cursor=0`, 400],
    [`${vision}/jobs/runs/attempts?cursor=x`, 400],
    [`${vision}/jobs/runs/attempts?limit=101`, 400],
    [`${vision}/jobs/secret/attempts`, 404],
    ["/v1/teams/research/jobs/secret/attempts", 403],
  ],
  cancelJob: [
    [`${vision}/jobs/waits/cancel`, 200, post({ reason: "too dear" })],
    [`${vision}/jobs/runs/cancel`, 200, post()],
    [`${vision}/jobs/runs/cancel`, 200, post(undefined, { type: "" })],
    [`${vision}/jobs/runs/cancel`, 200, post({})],
    [`${vision}/jobs/runs/cancel`, 400, post({ reason: "" })],
    [`${vision}/jobs/runs/cancel`, 400, post({ reason: "x".repeat(501) })],
    [`${vision}/jobs/runs/cancel`, 400, post("[")],
    [`${vision}/jobs/runs/cancel`, 400, post([])],
    ["/v1/teams/research/jobs/secret/cancel", 403, post()],
    [`${vision}/jobs/secret/cancel`, 404, post()],
    [`${vision}/jobs/done/cancel`, 409, post()],
    [`${vision}/jobs/runs/cancel`, 413, post({ reason: "x".repeat(5000) })],
    [`${vision}/jobs/runs/cancel`, 415, post("why", { type: "text/plain" })],
  ],
  requeueJob: [
    [`${vision}/jobs/runs/requeue`, 200, post({ reason: "its node is slow" })],
    [`${vision}/jobs/runs/requeue`, 200, post()],
    [`${vision}/jobs/runs/requeue`, 200, post({ attempt: 2 })],
    [`${vision}/jobs/runs/requeue`, 409, post({ attempt: 1 })],
    [`${vision}/jobs/runs/requeue`, 400, post({ attempt: 0 })],
    [`${vision}/jobs/runs/requeue`, 400, post({ reason: "" })],
    ["/v1/teams/research/jobs/secret/requeue", 403, post()],
    [`${vision}/jobs/secret/requeue`, 404, post()],
    [`${vision}/jobs/waits/requeue`, 409, post()],
    [`${vision}/jobs/done/requeue`, 409, post()],
    [`${vision}/jobs/runs/requeue`, 413, post({ reason: "x".repeat(5000) })],
    [`${vision}/jobs/runs/requeue`, 415, post("why", { type: "text/plain" })],
  ],
  readLogs: [
    [`${vision}/jobs/runs/logs`, 200],
    [`${vision}/jobs/runs/logs?attempt=1`, 200],
    [`${vision}/jobs/runs/logs?limit=1&cursor=f/1`, 200],
    [`${vision}/jobs/waits/logs`, 200],
    [`${vision}/jobs/runs/logs?tail=1&since=2026-06-01T00:00:00.000Z&rank=0`, 200],
    ...["attempt=0", "attempt=x", "attempt=9999999999999999", "limit=10001", "cursor=f/9", "cursor=b/1", "follow=1"].map(
      (query): Case => [`${vision}/jobs/runs/logs?${query}`, 400],
    ),
    ...["tail=0", "tail=10001", "rank=-1", "rank=all", "since=yesterday"].map((query): Case => [`${vision}/jobs/runs/logs?${query}`, 400]),
    [`${vision}/jobs/runs/logs?rank=1`, 404],
    ["/v1/teams/research/jobs/secret/logs", 403],
    [`${vision}/jobs/secret/logs`, 404],
    [`${vision}/jobs/runs/logs?attempt=3`, 404],
  ],
  listPools: [
    ["/v1/pools", 200],
    ["/v1/pools?limit=1", 400],
    ["/v1/pools", 403, { as: "stranger" }],
  ],
  getPool: [
    ["/v1/pools/gpu", 200],
    ["/v1/pools/lab", 200],
    ["/v1/pools/Gpu", 400],
    ["/v1/pools/moon", 404],
  ],
  forgetLearned: [
    ["/v1/pools/gpu/learned", 204, { ...remove, as: "admin" }],
    ["/v1/pools/gpu/learned", 403, remove],
    ["/v1/pools/Gpu/learned", 400, { ...remove, as: "admin" }],
    ["/v1/pools/moon/learned", 404, { ...remove, as: "admin" }],
  ],
  pausePool: [
    ...ordering("/v1/pools/gpu/pause"),
    ["/v1/pools/moon/pause", 404, post({}, { as: "admin" })],
    ["/v1/pools/Gpu/pause", 400, post({}, { as: "admin" })],
    ["/v1/pools/gpu/pause", 400, post({ deadlineSeconds: 5 }, { as: "admin" })],
  ],
  drainPool: [
    ...ordering("/v1/pools/gpu/drain"),
    ["/v1/pools/gpu/drain", 200, post({ deadlineSeconds: 604_800 }, { as: "admin" })],
    ["/v1/pools/gpu/drain", 400, post({ deadlineSeconds: 604_801 }, { as: "admin" })],
    ["/v1/pools/moon/drain", 404, post({}, { as: "admin" })],
  ],
  resumePool: [...ordering("/v1/pools/gpu/resume"), ["/v1/pools/moon/resume", 404, post({}, { as: "admin" })]],
  setPoolLimits: [
    ["/v1/pools/gpu/set", 200, post({ limits: { usdPerHour: 1_000_000, gpus: 0 } }, { as: "admin" })],
    ["/v1/pools/gpu/set", 200, post({ budgets: { usdPerDay: 100_000_000, whenSpent: "drain" }, forSeconds: 31_622_400 }, { as: "admin" })],
    ["/v1/pools/lab/set", 200, post({ minNodes: 1_000 }, { as: "admin" })],
    ["/v1/pools/gpu/set", 200, post({ minNodes: 0 }, { as: "admin" })],
    ["/v1/pools/lab/set", 400, post({ minNodes: 1_001 }, { as: "admin" })],
    ["/v1/pools/lab/set", 400, post({ minNodes: 1.5 }, { as: "admin" })],
    ["/v1/pools/gpu/set", 400, post({ minNodes: 1 }, { as: "admin" })],
    ["/v1/pools/gpu/set", 403, post({ limits: { gpus: 1 } })],
    ["/v1/pools/gpu/set", 409, post({ limits: { gpus: 1 }, version: 7 }, { as: "admin" })],
    ["/v1/pools/gpu/set", 415, post({ limits: { gpus: 1 } }, { as: "admin", type: "text/plain" })],
    ["/v1/pools/gpu/set", 413, post({ reason: "x".repeat(5_000) }, { as: "admin" })],
    ["/v1/pools/moon/set", 404, post({ limits: { gpus: 1 } }, { as: "admin" })],
    ...[
      {},
      { limits: { gpus: -1 } },
      { limits: { gpus: 1.5 } },
      { limits: { gpus: 1_000_001 } },
      { limits: { usdPerHour: 1_000_001 } },
      { limits: { nodes: 1 } },
      { budgets: { usdPerDay: 100_000_001 } },
      { budgets: { usdPerMonth: "many" } },
      { budgets: { whenSpent: "stop" } },
      { limits: { gpus: 1 }, forSeconds: 59 },
      { limits: { gpus: 1 }, forSeconds: 31_622_401 },
      { limits: { gpus: 1 }, until: "tomorrow" },
    ].map((body): Case => ["/v1/pools/gpu/set", 400, post(body, { as: "admin" })]),
  ],
  unsetPoolLimits: [
    ...ordering("/v1/pools/gpu/unset"),
    ["/v1/pools/gpu/unset", 200, post({ settings: ["limits.gpus", "budgets.whenSpent"] }, { as: "admin" })],
    ["/v1/pools/gpu/unset", 400, post({ settings: ["limits.nodes"] }, { as: "admin" })],
    ["/v1/pools/moon/unset", 404, post({}, { as: "admin" })],
  ],
  getLimits: [
    ["/v1/limits", 200],
    ["/v1/limits", 200, { as: "admin" }],
    ["/v1/limits?team=vision", 400],
    ["/v1/limits", 403, { as: "stranger" }],
  ],
  setLimits: [
    ["/v1/limits/set", 200, post({ limits: { usdPerHour: 40, gpus: 16 }, forSeconds: 60, reason: "x".repeat(200) }, { as: "admin" })],
    ["/v1/limits/set", 200, post({ limits: { gpus: 0 }, team: "research", version: 0 }, { as: "admin" })],
    ["/v1/limits/set", 403, post({ limits: { gpus: 1 } })],
    ["/v1/limits/set", 409, post({ limits: { gpus: 1 }, version: 7 }, { as: "admin" })],
    ["/v1/limits/set", 415, post({ limits: { gpus: 1 } }, { as: "admin", type: "text/plain" })],
    ["/v1/limits/set", 413, post({ reason: "x".repeat(5_000) }, { as: "admin" })],
    ...[
      {},
      { limits: {} },
      { limits: { gpus: 1.5 } },
      { limits: { usdPerHour: 1_000_001 } },
      { limits: { gpus: 1 }, budgets: { usdPerDay: 1 } },
      { limits: { gpus: 1 }, team: "moon" },
      { limits: { gpus: 1 }, forSeconds: 59 },
    ].map((body): Case => ["/v1/limits/set", 400, post(body, { as: "admin" })]),
  ],
  unsetLimits: [
    ...ordering("/v1/limits/unset"),
    ["/v1/limits/unset", 200, post({ settings: ["limits.gpus"], team: "vision" }, { as: "admin" })],
    ["/v1/limits/unset", 400, post({ settings: ["budgets.usdPerDay"] }, { as: "admin" })],
  ],
  cordonNode: [
    ...ordering(`/v1/nodes/${nodeId(1)}/cordon`),
    [`/v1/nodes/${nodeId(8)}/cordon`, 404, post({}, { as: "admin" })],
    [`/v1/nodes/${nodeId(9)}/cordon`, 404, post({}, { as: "admin" })],
    ["/v1/nodes/i-1/cordon", 400, post({}, { as: "admin" })],
  ],
  uncordonNode: [
    ...ordering(`/v1/nodes/${nodeId(1)}/uncordon`),
    [`/v1/nodes/${nodeId(8)}/uncordon`, 404, post({}, { as: "admin" })],
    [`/v1/nodes/${nodeId(1)}/uncordon`, 400, post({ deadlineSeconds: 1 }, { as: "admin" })],
  ],
  drainNode: [
    ...ordering(`/v1/nodes/${nodeId(1)}/drain`),
    [`/v1/nodes/${nodeId(3)}/drain`, 200, post({ deadlineSeconds: 604_800 }, { as: "admin" })],
    [`/v1/nodes/${nodeId(8)}/drain`, 404, post({}, { as: "admin" })],
    ...[{ deadlineSeconds: -1 }, { deadlineSeconds: 604_801 }, { deadlineSeconds: "30m" }].map(
      (body): Case => [`/v1/nodes/${nodeId(1)}/drain`, 400, post(body, { as: "admin" })],
    ),
  ],
  declareNodeDead: [
    [`/v1/nodes/${nodeId(3)}/declare-dead`, 200, post({ reason: "the host is lost" }, { as: "admin" })],
    [`/v1/nodes/${nodeId(2)}/declare-dead`, 409, post({ reason: "the host is lost" }, { as: "admin" })],
    [`/v1/nodes/${nodeId(8)}/declare-dead`, 404, post({ reason: "the host is lost" }, { as: "admin" })],
    [`/v1/nodes/${nodeId(1)}/declare-dead`, 403, post({ reason: "the host is lost" })],
    [`/v1/nodes/${nodeId(1)}/declare-dead`, 415, post({ reason: "lost" }, { as: "admin", type: "text/plain" })],
    [`/v1/nodes/${nodeId(1)}/declare-dead`, 413, post({ reason: "x".repeat(5_000) }, { as: "admin" })],
    ...[{}, { reason: "" }, { reason: " " }, { reason: "x".repeat(201) }, { reason: "lost", node: nodeId(1) }].map(
      (body): Case => [`/v1/nodes/${nodeId(1)}/declare-dead`, 400, post(body, { as: "admin" })],
    ),
  ],
  listNodes: [
    ["/v1/nodes?limit=1", 200],
    ["/v1/nodes", 200],
    ["/v1/nodes?pool=gpu&limit=1", 200],
    [`/v1/nodes?cursor=gpu/${nodeId(1)}`, 200],
    ...["limit=0", "limit=101", "pool=", "cursor=x", "cursor=gpu", `cursor=${nodeId(1)}`, "state=ready"].map(
      (query): Case => [`/v1/nodes?${query}`, 400],
    ),
    ["/v1/nodes", 403, { as: "former" }],
    ["/v1/nodes?pool=moon", 404],
  ],
  getNode: [
    [`/v1/nodes/${nodeId(1)}`, 200],
    [`/v1/nodes/${nodeId(9)}`, 200],
    ["/v1/nodes/i-1", 400],
    [`/v1/nodes/${nodeId(8)}`, 404],
  ],
  listDecisions: [
    ["/v1/pools/gpu/decisions", 200],
    ["/v1/pools/gpu/decisions?limit=1", 200],
    ["/v1/pools/lab/decisions", 200],
    [`/v1/pools/gpu/decisions?limit=1&cursor=${decisionId(1)}`, 200],
    ["/v1/pools/gpu/decisions?cursor=20260601-00", 200],
    ...["limit=51", "limit=no", "cursor=yesterday", "cursor=2026/06/01", "cursor=202606011", "since=1"].map(
      (query): Case => [`/v1/pools/gpu/decisions?${query}`, 400],
    ),
    ["/v1/pools/gpu/decisions", 403, { as: "stranger" }],
    ["/v1/pools/moon/decisions", 404],
  ],
  getDecision: [
    [`/v1/pools/gpu/decisions/${decisionId(1)}`, 200],
    ["/v1/pools/gpu/decisions/decision-1", 400],
    [`/v1/pools/lab/decisions/${decisionId(1)}`, 404],
    [`/v1/pools/moon/decisions/${decisionId(1)}`, 404],
  ],
  listDatasets: [
    [`${vision}/datasets`, 200],
    [`${vision}/datasets?limit=1`, 400],
    ["/v1/teams/research/datasets", 403],
    ["/v1/teams/sales/datasets", 404, { as: "admin" }],
  ],
  getDataset: [
    [`${vision}/datasets/cats`, 200],
    [`${vision}/datasets/Cats`, 400],
    ["/v1/teams/research/datasets/dogs", 403],
    [`${vision}/datasets/dogs`, 404],
  ],
  putDataset: [
    [`${vision}/datasets/birds`, 201, put({ source: "s3://fleet-data/vision/birds" })],
    [`${vision}/datasets/open`, 201, put({ source: "s3://open-data" })],
    [`${vision}/datasets/cats`, 200, put({ source: "s3://fleet-data/vision/cats/" })],
    [`${vision}/datasets/cats`, 200, put({ source: "s3://open-data/cats", replace: true })],
    [`${vision}/datasets/birds`, 400, put({})],
    [`${vision}/datasets/birds`, 400, put({ source: "" })],
    [`${vision}/datasets/birds`, 400, put({ source: "s3://open-data", more: 1 })],
    [`${vision}/datasets/_birds`, 400, put({ source: "s3://open-data" })],
    ["/v1/teams/sales/datasets/birds", 404, put({ source: "s3://open-data" }, { as: "admin" })],
    ["/v1/teams/research/datasets/birds", 403, put({ source: "s3://open-data" })],
    [`${vision}/datasets/cats`, 409, put({ source: "s3://open-data/cats" })],
    [`${vision}/datasets/birds`, 413, put({ source: "x".repeat(9000) })],
    [`${vision}/datasets/birds`, 415, put("s3://open-data", { type: "text/plain" })],
    [`${vision}/datasets/birds`, 422, put({ source: "s3://fleet-data/research/secret/" })],
    [`${vision}/datasets/birds`, 422, put({ source: "https://example.com" })],
  ],
  removeDataset: [
    [`${vision}/datasets/cats`, 204, remove],
    [`${vision}/datasets/a_b`, 400, remove],
    ["/v1/teams/research/datasets/dogs", 403, remove],
    [`${vision}/datasets/dogs`, 404, remove],
  ],
  listDeadLetters: [
    ["/v1/dead-letters", 200, { as: "admin" }],
    ["/v1/dead-letters?limit=1", 400, { as: "admin" }],
    ["/v1/dead-letters", 403],
    ["/v1/dead-letters", 403, { as: "stranger" }],
  ],
  redriveDeadLetters: [
    ["/v1/dead-letters/seal/redrive", 200, post(undefined, { as: "admin" })],
    ["/v1/dead-letters/jobs-vision/redrive", 200, post(undefined, { as: "admin" })],
    ["/v1/dead-letters/Seal/redrive", 400, post(undefined, { as: "admin" })],
    ["/v1/dead-letters/jobs-vision/redrive", 403, post()],
    ["/v1/dead-letters/jobs-sales/redrive", 404, post(undefined, { as: "admin" })],
    ["/v1/dead-letters/lane/redrive", 409, post(undefined, { as: "admin" })],
  ],
  deleteDeadLetters: [
    ["/v1/dead-letters/lane/delete", 200, post(undefined, { as: "admin" })],
    ["/v1/dead-letters/lane.fifo/delete", 400, post(undefined, { as: "admin" })],
    ["/v1/dead-letters/lane/delete", 403, post()],
    ["/v1/dead-letters/moon/delete", 404, post(undefined, { as: "admin" })],
    ["/v1/dead-letters/seal/delete", 409, post(undefined, { as: "admin" })],
  ],
};

describe("every operation", () => {
  const all = Object.entries(cases).flatMap(([id, its]) =>
    its.map(([path, status, options]) => ({ id, path, status, options: options ?? {} })),
  );
  test.each(all)("the operation $id returns $status for $path $options.method", async ({ id, path, status, options }) => {
    const response = await new ApiWorld().fetch(path, options);
    expect(`${response.status} ${JSON.stringify(response.body)?.slice(0, 300)}`).toMatch(new RegExp(`^${status} `));
    const at = operationAt(new URL(path, "https://api").pathname, options.method === "HEAD" ? "GET" : (options.method ?? "GET"));
    // A path that is not the operation's own must match no other operation.
    expect([id, undefined]).toContain(at?.id);
  });

  test("a dataset beyond the team's limit is refused with the reason", async () => {
    const world = new ApiWorld();
    world.datasetLimits = { ...world.datasetLimits, perTeam: 1 };
    expect(await new ApiWorld(world.apiDeps).fetch(`${vision}/datasets/birds`, put({ source: "s3://open-data" }))).toMatchObject({
      status: 409,
      body: { code: "conflict", detail: "team vision has 1 datasets, the most that it may have; remove one first" },
    });
  });

  test.each<[string, string, string, number]>([
    ["submitJob", "POST", `${vision}/jobs`, 32 * 1024],
    ["checkJobs", "POST", `${vision}/jobs/check`, 2_000_000],
    ["cancelJobs", "POST", `${vision}/jobs/cancel`, 32 * 1024],
    ["cancelJob", "POST", `${vision}/jobs/runs/cancel`, 4 * 1024],
    ["requeueJob", "POST", `${vision}/jobs/runs/requeue`, 4 * 1024],
    ["putDataset", "PUT", `${vision}/datasets/cats`, 8 * 1024],
    ["pausePool", "POST", "/v1/pools/gpu/pause", 4 * 1024],
  ])("the operation %s (%s %s) accepts a body of %i bytes, and no more", async (_id, method, path, bytes) => {
    const world = new ApiWorld();
    const send = (length: number) => world.fetch(path, { method, body: `"${"x".repeat(length - 2)}"` });
    expect((await send(bytes)).body).toMatchObject({ status: 400, code: "invalid" });
    expect((await send(bytes + 1)).body).toMatchObject({
      status: 413,
      detail: `The body has ${bytes + 1} bytes, but only ${bytes} are allowed.`,
    });
  });

  test("an operation without a body reads none", async () => {
    const sent = { method: "DELETE", body: "a body", type: "text/plain" };
    expect((await new ApiWorld().fetch(`${vision}/datasets/cats`, sent)).status).toBe(204);
  });

  test("a response names at most twenty mistakes, each with its field and at most 500 characters", async () => {
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`A${n} ${"x".repeat(600)}`, "x"]));
    const { body } = await new ApiWorld().fetch(`${vision}/jobs`, post({ command: ["x"], env: many, gpus: "many" }));
    const { errors, detail } = z
      .object({ detail: z.string(), errors: z.array(z.object({ field: z.string(), message: z.string() })) })
      .parse(body);
    expect(detail).toMatch(/^There are \d\d mistakes in the body\.$/);
    expect(errors).toHaveLength(20);
    expect(Math.max(...errors.map(({ message }) => message.length))).toBeLessThanOrEqual(500);
    const { body: one } = await new ApiWorld().fetch(`${vision}/jobs?limit=1001`);
    expect(one).toMatchObject({ detail: "There is a mistake in the query.", errors: [{ field: "limit" }] });
  });

  test("every operation of the document has cases with good and with bad input", async () => {
    const { body } = await new ApiWorld().fetch("/v1/openapi.json");
    const { paths } = z.object({ paths: z.record(z.string(), z.record(z.string(), z.object({ operationId: z.string() }))) }).parse(body);
    expect(body).toMatchObject({ servers: [{ url: "https://api" }] });
    const documented = Object.values(paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
    expect(Object.keys(cases).toSorted()).toEqual(documented.toSorted());
    expect(documented.toSorted()).toEqual(allOperations.map(({ id }) => id).toSorted());
    for (const id of documented) {
      const statuses = (cases[id] ?? []).map(([, status]) => status);
      expect(
        statuses.some((status) => status < 300),
        id,
      ).toBe(true);
      expect(
        statuses.some((status) => status >= 400),
        id,
      ).toBe(true);
    }
  });

  test("every operation has a case for each problem that it documents, except for server errors", () => {
    for (const { id, problems } of allOperations) {
      const tried = new Set((cases[id] ?? []).map(([, status]) => status));
      for (const code of problems) expect([...tried], `${id} ${code}`).toContain(code === "cursor" ? 400 : statusOf(code));
    }
  });
});

const statusOf = (code: string): number =>
  ({ "not-found": 404, conflict: 409, "too-large": 413, "media-type": 415, rejected: 422 })[code] ?? Number.NaN;
