import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  aDatasetDetail,
  aDatasetView,
  aDeadQueueView,
  aDecisionView,
  aJobSummary,
  aJobView,
  aLimitsView,
  aNodeView,
  anAttemptView,
  aPoolView,
} from "./api-samples.ts";
import type { Called } from "./fake-api.ts";
import { type FakeCloud, fakeTeam, startFakeCloud } from "./fake-cloud.ts";
import { atHome, fleet } from "./fleet-program.ts";

/** Tests that each option of the program reaches the API. */
const decision = "20260601-000100.000Z-12dda104-096e-4f08-b854-60fa3064d9a7";
const node = "i-0123456789abcdef0";
const noOrders = { version: 1, settings: [], nodes: [], changes: [] };
let cloud: FakeCloud;
beforeAll(async () => {
  const cancelled = { body: { items: [{ job: "train-7", outcome: "cancelled" }] } };
  const queued = { state: "queued", node: undefined, startedAt: undefined };
  cloud = await startFakeCloud({
    [`GET /api${fakeTeam}/jobs`]: ({ query }) => ({ body: { items: [aJobSummary(query["state"] === "queued" ? queued : {})] } }),
    [`GET /api${fakeTeam}/jobs/done/attempts`]: { body: { items: [anAttemptView()] } },
    [`POST /api${fakeTeam}/jobs/cancel`]: cancelled,
    [`POST /api${fakeTeam}/jobs/a/cancel`]: { body: aJobView({ job: "a", state: "cancelled" }) },
    [`POST /api${fakeTeam}/jobs/done/requeue`]: { body: aJobView({ job: "done" }) },
    [`POST /api${fakeTeam}/jobs/b/cancel`]: { body: aJobView({ job: "b", state: "cancelled" }) },
    "GET /api/v1/nodes": { body: { items: [aNodeView()] } },
    [`GET /api/v1/nodes/${node}`]: { body: aNodeView() },
    "POST /api/v1/pools/gpu/pause": { body: noOrders },
    "POST /api/v1/pools/gpu/drain": { body: noOrders },
    "POST /api/v1/pools/gpu/resume": { body: noOrders },
    "POST /api/v1/pools/gpu/set": { body: noOrders },
    "POST /api/v1/pools/gpu/unset": { body: noOrders },
    "GET /api/v1/limits": { body: aLimitsView() },
    "POST /api/v1/limits/set": { body: aLimitsView() },
    "POST /api/v1/limits/unset": { body: aLimitsView() },
    [`POST /api/v1/nodes/${node}/cordon`]: { body: noOrders },
    [`POST /api/v1/nodes/${node}/uncordon`]: { body: noOrders },
    [`POST /api/v1/nodes/${node}/drain`]: { body: noOrders },
    "GET /api/v1/pools": { body: { items: [] } },
    "GET /api/v1/pools/gpu": { body: aPoolView() },
    "GET /api/v1/pools/gpu/decisions": { body: { items: [] } },
    [`GET /api/v1/pools/gpu/decisions/${decision}`]: { body: aDecisionView({ decision }) },
    [`GET /api${fakeTeam}/datasets`]: { body: { items: [aDatasetView()] } },
    [`GET /api${fakeTeam}/datasets/images`]: { body: aDatasetDetail() },
    [`PUT /api${fakeTeam}/datasets/images`]: { status: 201, body: aDatasetView() },
    [`DELETE /api${fakeTeam}/datasets/images`]: { status: 204 },
    "GET /api/v1/dead-letters": { body: { items: [aDeadQueueView(), aDeadQueueView({ queue: "lane", remedy: "delete" })] } },
    "POST /api/v1/dead-letters/seal/redrive": { body: { queue: "seal", done: 1, failures: [], more: false } },
    "POST /api/v1/dead-letters/lane/delete": { body: { queue: "lane", done: 1, failures: [], more: false } },
  });
});
afterAll(() => cloud.close());
beforeEach(() => atHome(cloud.home));
afterEach(() => vi.unstubAllEnvs());

const inWords = ({ method, path, query, body }: Called): string => {
  const search = new URLSearchParams(Object.entries(query).sort()).toString();
  const sent = body === undefined || body === "" ? "" : ` ${JSON.stringify(body)}`;
  return `${method} ${path.replace("/api/v1", "")}${search === "" ? "" : `?${search}`}${sent}`;
};
/** Runs the program, and returns the calls of the API that it made, in words. */
async function callsOf(...args: string[]) {
  const before = cloud.api.calls.length;
  const ended = await fleet(...args);
  const calls = cloud.api.calls.slice(before).filter(({ path }) => path.startsWith("/api/"));
  return { ...ended, calls: calls.map(inWords) };
}
const team = ["--team", "research"];
const times = ["--since", "2026-06-01T00:00Z", "--before", "2026-06-02T00:00Z"];
const since = "since=2026-06-01T00%3A00%3A00.000Z";
const before = "before=2026-06-02T00%3A00%3A00.000Z";
const jobs = "/teams/research/jobs";
const onNodes = ["placed", "running", "sealing"];

describe("the calls of a command", () => {
  it.each<[string[], string[]]>([
    [["jobs"], [`GET ${jobs}?limit=100`]],
    [["jobs", "--limit", "1", "--cursor", "c"], [`GET ${jobs}?cursor=c&limit=1`]],
    [
      ["jobs", "--state", "queued,failed", "--name", "a*", "--pool", "gpu", ...times],
      [`GET ${jobs}?${before}&limit=100&name=a*&pool=gpu&${since}&state=queued%2Cfailed`],
    ],
    [
      ["job", "done"],
      [`GET ${jobs}/done`, `GET ${jobs}/done/attempts?limit=20`],
    ],
    [["logs", "done", "--attempt", "1", "--rank", "2", "--tail", "3"], [`GET ${jobs}/done/logs?attempt=1&limit=10000&rank=2&tail=3`]],
    [
      ["requeue", "done", "--reason", "it hangs"],
      [`GET ${jobs}/done`, `POST ${jobs}/done/requeue {"attempt":1,"reason":"it hangs"}`],
    ],
    [
      ["cancel", "a", "b", "--reason", "wrong data"],
      [`POST ${jobs}/a/cancel {"reason":"wrong data"}`, `POST ${jobs}/b/cancel {"reason":"wrong data"}`],
    ],
    [
      ["cancel", "--state", "running", "--name", "a*", "--pool", "gpu", ...times, "--reason", "old", "--yes"],
      [
        `GET ${jobs}?${before}&limit=1000&name=a*&pool=gpu&${since}&state=${onNodes.join("%2C")}`,
        `POST ${jobs}/cancel ${JSON.stringify({ jobs: ["train-7"], reason: "old", states: onNodes })}`,
      ],
    ],
    [["cancel", "--state", "all", "--dry-run"], [`GET ${jobs}?limit=1000&state=${["queued", ...onNodes].join("%2C")}`]],
    [
      ["purge", "--pool", "gpu", "--name", "a*", ...times, "--yes"],
      [
        `GET ${jobs}?${before}&limit=1000&name=a*&pool=gpu&${since}&state=queued`,
        `POST ${jobs}/cancel ${JSON.stringify({ jobs: ["train-7"], reason: "purged", states: ["queued"] })}`,
      ],
    ],
    [
      ["purge", "--reason", "flood", "-y"],
      [
        `GET ${jobs}?limit=1000&state=queued`,
        `POST ${jobs}/cancel ${JSON.stringify({ jobs: ["train-7"], reason: "flood", states: ["queued"] })}`,
      ],
    ],
    [["datasets"], ["GET /teams/research/datasets"]],
    [["dataset", "show", "images"], ["GET /teams/research/datasets/images"]],
    [
      ["dataset", "add", "images", "s3://bucket/images/"],
      [`PUT /teams/research/datasets/images {"source":"s3://bucket/images/","replace":false}`],
    ],
    [
      ["dataset", "add", "images", "s3://bucket/images/", "--replace"],
      [`PUT /teams/research/datasets/images {"source":"s3://bucket/images/","replace":true}`],
    ],
    [["dataset", "rm", "images"], ["DELETE /teams/research/datasets/images"]],
  ])("fleet %j --team research makes exactly these calls", async (args, expected) => {
    const { calls, code, err } = await callsOf(...args, ...team);
    expect(calls, err).toEqual(expected);
    expect(code, err).toBe(0);
  });

  it.each<[string[], string[]]>([
    [["nodes"], ["GET /nodes?limit=20"]],
    [["nodes", "--pool", "gpu", "--limit", "100", "--cursor", "c"], ["GET /nodes?cursor=c&limit=100&pool=gpu"]],
    [["node", node], [`GET /nodes/${node}`]],
    [["pool", "pause", "gpu"], ["POST /pools/gpu/pause {}"]],
    [["pool", "pause", "gpu", "--reason", "new image", "--if-version", "3"], ['POST /pools/gpu/pause {"reason":"new image","version":3}']],
    [
      ["pool", "drain", "gpu", "--deadline", "30m", "--reason", "new image"],
      ['POST /pools/gpu/drain {"reason":"new image","deadlineSeconds":1800}'],
    ],
    [
      ["pool", "set", "gpu", "--limit-usd-per-hour", "40", "--limit-gpus", "16", "--for", "4h", "--reason", "a paper", "--if-version", "3"],
      ['POST /pools/gpu/set {"reason":"a paper","version":3,"limits":{"usdPerHour":40,"gpus":16},"budgets":{},"forSeconds":14400}'],
    ],
    [
      [
        "pool",
        "set",
        "gpu",
        "--budget-daily-usd",
        "0.5",
        "--budget-monthly-usd",
        "9",
        "--when-spent",
        "drain",
        "--until",
        "2026-06-01T12:00Z",
      ],
      [
        'POST /pools/gpu/set {"limits":{},"budgets":{"usdPerDay":0.5,"usdPerMonth":9,"whenSpent":"drain"},"until":"2026-06-01T12:00:00.000Z"}',
      ],
    ],
    [
      ["pool", "set", "gpu", "--team", "vision", "--budget-daily-usd", "5"],
      ['POST /pools/gpu/set {"team":"vision","limits":{},"budgets":{"usdPerDay":5}}'],
    ],
    [
      ["pool", "set", "gpu", "--min-nodes", "2", "--for", "8h"],
      ['POST /pools/gpu/set {"limits":{},"budgets":{},"minNodes":2,"forSeconds":28800}'],
    ],
    [
      ["pool", "unset", "gpu"],
      ["GET /pools/gpu", "POST /pools/gpu/unset {}"],
    ],
    [
      ["pool", "unset", "gpu", "min-nodes"],
      ["GET /pools/gpu", 'POST /pools/gpu/unset {"settings":["minNodes"]}'],
    ],
    [
      ["pool", "unset", "gpu", "--team", "vision"],
      ["GET /pools/gpu", 'POST /pools/gpu/unset {"team":"vision"}'],
    ],
    [
      ["pool", "unset", "gpu", "limit-gpus", "budgets.usdPerDay", "--reason", "over"],
      ["GET /pools/gpu", 'POST /pools/gpu/unset {"reason":"over","settings":["limits.gpus","budgets.usdPerDay"]}'],
    ],
    [["limits", "--json"], ["GET /limits"]],
    [
      ["limits", "set", "--usd-per-hour", "40", "--for", "8h", "--reason", "a paper", "--if-version", "3"],
      ['POST /limits/set {"reason":"a paper","version":3,"limits":{"usdPerHour":40},"forSeconds":28800}'],
    ],
    [
      ["limits", "set", "--team", "vision", "--gpus", "16", "--until", "2026-06-02T00:00Z"],
      ['POST /limits/set {"team":"vision","limits":{"gpus":16},"until":"2026-06-02T00:00:00.000Z"}', "GET /pools"],
    ],
    [["limits", "unset", "--json"], ["POST /limits/unset {}"]],
    [
      ["limits", "unset"],
      ["GET /limits", "POST /limits/unset {}"],
    ],
    [
      ["limits", "unset", "--team", "vision", "gpus"],
      ["GET /limits", 'POST /limits/unset {"team":"vision","settings":["limits.gpus"]}'],
    ],
    [["pool", "resume", "gpu", "--if-version", "0"], ['POST /pools/gpu/resume {"version":0}']],
    [["node", "cordon", node, "--reason", "slow"], [`POST /nodes/${node}/cordon {"reason":"slow"}`]],
    [["node", "uncordon", node], [`POST /nodes/${node}/uncordon {}`]],
    [["node", "drain", node, "--deadline", "30m", "--if-version", "3"], [`POST /nodes/${node}/drain {"version":3,"deadlineSeconds":1800}`]],
    [["node", "drain", node], [`POST /nodes/${node}/drain {}`]],
    [["pools"], ["GET /pools"]],
    [["pool", "gpu"], ["GET /pools/gpu"]],
    [["redrive"], ["GET /dead-letters", "POST /dead-letters/seal/redrive"]],
    [
      ["redrive", "seal"],
      ["GET /dead-letters", "POST /dead-letters/seal/redrive"],
    ],
    [["redrive", "--dry-run"], ["GET /dead-letters"]],
    [
      ["redrive", "--delete", "--yes"],
      ["GET /dead-letters", "POST /dead-letters/lane/delete"],
    ],
    [
      ["redrive", "lane", "--delete", "-y"],
      ["GET /dead-letters", "POST /dead-letters/lane/delete"],
    ],
    [["decisions", "--pool", "gpu"], ["GET /pools/gpu/decisions?limit=20"]],
    [["decisions", "--pool", "gpu", "--limit", "5", "--cursor", "c"], ["GET /pools/gpu/decisions?cursor=c&limit=5"]],
    [["decision", decision, "--pool", "gpu"], [`GET /pools/gpu/decisions/${decision}`]],
    [["api", "/v1/pools"], ["GET /pools"]],
    [["api", "PUT", `/v1/teams/research/datasets/images`, "--body", '{"a":1}'], ['PUT /teams/research/datasets/images {"a":1}']],
    [["api"], []],
  ])("fleet %j makes exactly these calls", async (args, expected) => {
    const { calls, code, err } = await callsOf(...args);
    expect(calls, err).toEqual(expected);
    expect(code, err).toBe(0);
  });

  it.each<[string[], string]>([
    [["cancel", "--state", "queued", "--wait"], "--wait works only with jobs that you name"],
    [["cancel", "--state", "queued", "--name", "a/b"], "--name a/b: a pattern may contain"],
    [["cancel", "--state", "ended"], "--state ended: expected queued"],
    [["cancel", "a", "--state", "queued"], "name the jobs or select them with --state, not both"],
    [["cancel", "a", "--name", "b"], "name the jobs or select them with --state, not both"],
    [["cancel", "a", "--pool", "gpu"], "name the jobs or select them with --state, not both"],
    [["cancel", "a", "--since", "2h"], "name the jobs or select them with --state, not both"],
    [["cancel", "a", "--before", "2h"], "name the jobs or select them with --state, not both"],
    [["cancel", "a", "--dry-run"], "name the jobs or select them with --state, not both"],
    [["cancel", "a", "--yes"], "name the jobs or select them with --state, not both"],
    [["node", "drain", node, "--deadline", "soon"], "expected a duration such as 90s, 45m"],
    [
      ["pool", "set", "gpu"],
      "name what to set: --limit-usd-per-hour, --limit-gpus, --budget-daily-usd, --budget-monthly-usd, --when-spent, --min-nodes",
    ],
    [["pool", "set", "gpu", "--limit-gpus", "1.5"], "expected a whole number from 0"],
    [["pool", "set", "gpu", "--limit-usd-per-hour", "-1"], "expected 0 to 1000000 dollars"],
    [
      ["pool", "set", "gpu", "--limit-gpus", "1", "--until", "noon"],
      "--until noon: expected a time, for example 2026-06-01T12:00Z; or use --for",
    ],
    [["pool", "set", "gpu", "--limit-gpus", "1", "--until", "2026-06-01", "--for", "4h"], "cannot be used with option '--for"],
    [["pool", "set", "gpu", "--limit-usd-per-hour", "1000001"], "expected 0 to 1000000 dollars"],
    [["pool", "set", "gpu", "--budget-daily-usd", "100000001"], "expected 0 to 100000000 dollars"],
    [["pool", "set", "gpu", "--limit-gpus", "1000001"], "expected a whole number from 0 to 1000000"],
    [["pool", "set", "gpu", "--min-nodes", "1001"], "expected a whole number from 0 to 1000"],
    [["pool", "set", "gpu", "--limit-gpus", "1", "--for", "30s"], "expected a duration from 1 min to 366 d"],
    [["limits", "set", "--gpus", "1", "--for", "367d"], "expected a duration from 1 min to 366 d"],
    [["pool", "drain", "gpu", "--deadline", "8d"], "expected a duration from 0 ms to 7 d"],
    [["pool", "pause", "gpu", "--reason", ""], "expected 1 to 200 characters"],
    [["pool", "pause", "gpu", "--reason", "x".repeat(201)], "expected 1 to 200 characters"],
    [
      ["pool", "set", "gpu", "--team", "vision", "--limit-gpus", "8", "--limit-usd-per-hour", "2"],
      "a team has budgets in a pool, and no limits; its limits apply in all pools together: fleet limits set --team vision --usd-per-hour 2 --gpus 8",
    ],
    [["pool", "unset", "gpu", "nodes"], "nodes: expected one of limit-usd-per-hour, limit-gpus, budget-daily-usd"],
    [["pool", "pause", "gpu", "--if-version", "-1"], "expected a whole number from 0"],
    [["jobs", "--limit", "0"], "expected a whole number from 1 to 100000"],
    [["jobs", "--limit", "100001"], "expected a whole number from 1 to 100000"],
    [["nodes", "--limit", "101"], "expected a whole number from 1 to 100"],
    [["logs", "done", "--attempt", "0"], "expected a whole number from 1 to 999999999999999"],
    [["logs", "done", "--attempt", "1000000000000000"], "expected a whole number from 1 to 999999999999999"],
    [["logs", "done", "--rank", "-1"], "expected a whole number from 0 to 10000"],
    [["logs", "done", "--rank", "10001"], "expected a whole number from 0 to 10000"],
    [["logs", "done", "--tail", "10001"], "expected a whole number from 1 to 10000"],
    [["artifacts", "list", "done", "--attempt", "1000000000000000"], "expected a whole number from 1 to 999999999999999"],
    [["artifacts", "get", "done", "--attempt", "0"], "expected a whole number from 1 to 999999999999999"],
    [["capacity", "--compute", "1e13"], "expected a number from 0 to 1e12"],
    [["capacity", "--compute", " "], "expected a number"],
    [["capacity", "--compute", "1", "--headroom", "100"], "expected a whole number from 0 to 99"],
    [["capacity", "--compute", "1", "--budget", "0"], "expected a whole number from 1 to 3600000"],
    [["capacity", "--compute", "1", "--unit-prices", "compute=1=2"], "expected prices as compute=100"],
    [["plan", "--max-gpus", "1000001"], "expected a whole number from 0 to 1000000"],
    [["plan", "--seed", "2147483648"], "expected a whole number from 0 to 2147483647"],
    [["local", "--port", "65536"], "expected a whole number from 1 to 65535"],
    [["chaos", "--runs", "10000001"], "expected a whole number from 1 to 10000000"],
    [["chaos", "--threads", "65"], "expected a whole number from 1 to 64"],
    [["submit", "--env", "=1", "--", "true"], "expected a variable as NAME=VALUE"],
    [["submit", "--dataset", "a:whole:b", "--", "true"], "expected a dataset as NAME or NAME:part"],
    [["submit", "--dataset", "a:all", "--", "true"], "expected a dataset as NAME or NAME:part"],
  ])("fleet %j is refused before any call", async (args, message) => {
    const { calls, code, err } = await callsOf(...args);
    expect({ code, calls }).toEqual({ code: 2, calls: [] });
    expect(err).toContain(message);
  });

  it.each<[string[], string]>([
    [["cancel", "--state", "running"], "1 job, 1 of them on nodes, would be cancelled, and running work would be lost; add --yes"],
    [["purge"], "1 waiting job would be cancelled; add --yes"],
  ])("fleet %j cancels nothing without --yes if there is no terminal to ask on", async (args, message) => {
    const { calls, code, err } = await callsOf(...args, ...team);
    expect(code).toBe(2);
    expect(calls).toEqual([expect.stringMatching(/^GET /)]);
    expect(err).toContain(message);
  });

  it("fleet submit sends every option of a command line as a field of the job", async () => {
    const options = [
      "--id=a",
      "--gpus=2",
      "--gpu-model=T4",
      "--gpu-model=A10G",
      "--gpu-memory=20",
      "--vcpus=4",
      "--memory=16",
      "--nodes=3",
    ];
    const more = [
      "--pool=gpu",
      "--priority=5",
      "--max-runtime=1h30m",
      "--retries=2",
      "--no-spot",
      "--zone=us-east-1a",
      "--zone=us-east-1b",
    ];
    const lists = [
      "--env=A=1",
      "--env=B=x=y",
      "--artifact=a.pt",
      "--artifact=b",
      "--dataset=images:part",
      "--dataset=words",
      "--image=i:1",
    ];
    const { code, err } = await callsOf("submit", ...team, ...options, ...more, ...lists, "--", "python", "--", "-x");
    expect(code, err).toBe(0);
    expect(JSON.parse(cloud.messages.at(-1) ?? "")).toEqual({
      id: "a",
      command: ["python", "--", "-x"],
      image: "i:1",
      gpus: { count: 2, models: ["T4", "A10G"], memoryGiB: 20 },
      vcpus: 4,
      memoryGiB: 16,
      nodes: 3,
      pool: "gpu",
      priority: 5,
      maxRuntimeSeconds: 5_400,
      retries: 2,
      spot: false,
      zones: ["us-east-1a", "us-east-1b"],
      env: { A: "1", B: "x=y" },
      artifacts: ["a.pt", "b"],
      datasets: [
        { name: "images", share: "part" },
        { name: "words", share: "whole" },
      ],
    });
  });
});
