import { afterEach, describe, expect, test } from "vitest";
import { datasets, showDataset } from "../../../lib/cli/commands/datasets.ts";
import { decision, decisions } from "../../../lib/cli/commands/decisions.ts";
import { job } from "../../../lib/cli/commands/jobs/job.ts";
import { jobs } from "../../../lib/cli/commands/jobs/jobs.ts";
import { node, nodes } from "../../../lib/cli/commands/nodes.ts";
import { pool, pools } from "../../../lib/cli/commands/pools.ts";
import type { Context } from "../../../lib/cli/session/context.ts";
import {
  aDatasetDetail,
  aDatasetView,
  aDecisionSummary,
  aDecisionView,
  aJobSummary,
  aJobView,
  aMe,
  aNodeView,
  anAttemptView,
  aPoolView,
  at,
} from "./api-samples.ts";
import { aContext, type FakeApi, type Routes, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
afterEach(() => api.close());

const team = "research";
const id = "i-0123456789abcdef0";
const dataset = "/v1/teams/research/datasets";

/** Nodes: an idle one without GPUs or anything to say, and one about which everything is known. */
const bareNode = aNodeView({
  node: "i-0a",
  team: undefined,
  market: "on-demand",
  gpus: 0,
  gpuModel: undefined,
  vcpus: 8,
  readyAt: undefined,
  lastSeenAt: undefined,
  assignments: [],
  samples: undefined,
  datasets: [],
});
const richNode = aNodeView({
  node: "i-0b",
  state: "draining",
  gpus: 2,
  gpuModel: undefined,
  idleSince: at(3_000),
  notice: { kind: "interruption", at: at(3_500) },
  drain: { because: "EC2 takes it back", until: at(3_620) },
  assignments: [
    { team: "research", job: "train-7", attempt: 2, phase: "running", vcpus: 2, memoryGiB: 8, gpus: 1, rank: 0 },
    { team: "vision", phase: "placed", vcpus: 2, memoryGiB: 8, gpus: 2 },
    { team: "research", job: "train-8", phase: "uploading", vcpus: 2, memoryGiB: 8, gpus: 0, rank: 1 },
  ],
  samples: [
    { index: 0, utilizationPercent: 50, memoryUsedMiB: 10.4, memoryTotalMiB: 20.6, powerWatts: 99.5, temperatureC: 0, eccUncorrected: 2 },
    { index: 1, utilizationPercent: 51, memoryUsedMiB: 1, eccUncorrected: 0, throttled: ["heat", "power"] },
    { index: 2, throttled: [] },
  ],
  datasets: [
    { team: "research", dataset: "images", version: 1, shards: 1, bytes: 1 },
    { team: "research", dataset: "more", version: 2, shards: 2, bytes: 2_048 },
  ],
});
const rebalanced = aNodeView({ notice: { kind: "rebalance", at: at(10) } });

const barePool = aPoolView({
  pool: "cpu",
  shared: true,
  containers: true,
  teams: ["research", "vision"],
  maxLifetimeSeconds: undefined,
  consolidateSeconds: undefined,
  learned: [],
  budgets: undefined,
  queue: { length: 0 },
  nodes: { launching: 0, ready: 0, draining: 0, terminating: 0, gone: 1 },
  openLaunches: [],
  refusals: [],
  breakers: [],
  pricesAt: undefined,
});
const twice = { problems: "jobs 1e2, shapes 1e1, whole, empty", engine: "columns", tries: 0.6, reward: 1 };
const richPool = aPoolView({
  learned: [twice, { ...twice, engine: "greedy" }, { ...twice, problems: "other", tries: 1 }],
  budgets: { usdPerDay: 50, usdPerMonth: 500 },
  queue: { length: 1, oldestSubmittedAt: at(0) },
});

const gang = aJobView({
  state: "succeeded",
  attempt: 3,
  failures: 1,
  gang: ["i-0a", "i-0b"],
  endedAt: at(600),
  exitCode: 0,
  reason: "2 entries were left out",
  artifacts: { files: 2, bytes: 2_048, leftOut: 2, missing: ["x.txt"], lost: 1 },
});
const waiting = aJobView({ state: "queued", node: undefined, startedAt: undefined, reason: "no capacity" });
const failed = aJobView({ state: "failed", exitCode: 3, endedAt: at(100), spec: undefined, reason: "exit code 3\nTraceback" });
const rejected = aJobView({ state: "rejected", node: undefined, startedAt: undefined, endedAt: at(0), reason: "too large" });

const skipped = { objects: 3, examples: [{ key: "images//x", because: "it has an empty part" }] };
const bareSet = aDatasetView({ dataset: "new", state: "listing", listing: undefined });
const troubled = aDatasetView({
  dataset: "old",
  state: "failed",
  trouble: "access is denied",
  listing: { version: 1, shards: 1, bytes: 1, skipped },
});
const detail = (over: object) => aDatasetDetail(over);

type View = readonly [name: string, routes: Routes, show: (options: { json?: boolean }, on: Context) => Promise<number>];

const list = (path: string, items: readonly object[], more: object = {}): Routes => ({ [`GET ${path}`]: { body: { items, ...more } } });
const jobRoutes = (view: object, attempts: readonly object[] = []): Routes => ({
  "GET /v1/teams/research/jobs/train-7": { body: view },
  "GET /v1/teams/research/jobs/train-7/attempts": { body: { items: attempts } },
});
const limits = { reserved: { usdPerHour: 1, gpus: 1 }, limits: { usdPerHour: 40, gpus: 4 } };

const views: readonly View[] = [
  ["nodes", list("/v1/nodes", [bareNode, richNode, rebalanced], { cursor: "c" }), (o, on) => nodes({ limit: 3, ...o }, on)],
  ["no nodes", list("/v1/nodes", []), (o, on) => nodes({ limit: 3, ...o }, on)],
  ["no nodes in a pool", list("/v1/nodes", []), (o, on) => nodes({ pool: "gpu", limit: 3, ...o }, on)],
  ["a node without GPUs", { [`GET /v1/nodes/${id}`]: { body: bareNode } }, (o, on) => node(id, o, on)],
  ["a node that is drained", { [`GET /v1/nodes/${id}`]: { body: richNode } }, (o, on) => node(id, o, on)],
  ["a node with a recommendation", { [`GET /v1/nodes/${id}`]: { body: rebalanced } }, (o, on) => node(id, o, on)],
  ["pools", list("/v1/pools", [aPoolView(), barePool, richPool]), (o, on) => pools(o, on)],
  ["no pools", list("/v1/pools", []), (o, on) => pools(o, on)],
  [
    "pools with limits beyond them",
    list("/v1/pools", [barePool], {
      deployment: limits,
      teams: [
        { team: "research", ...limits, limits: { usdPerHour: 2 } },
        { team: "vision", reserved: { usdPerHour: 0, gpus: 2 }, limits: { gpus: 8 } },
        { team: "free", reserved: { usdPerHour: 0, gpus: 2 }, limits: {} },
      ],
    }),
    (o, on) => pools(o, on),
  ],
  ["a pool", { "GET /v1/pools/gpu": { body: aPoolView() } }, (o, on) => pool("gpu", o, on)],
  ["a pool with little to say", { "GET /v1/pools/gpu": { body: barePool } }, (o, on) => pool("gpu", o, on)],
  ["a pool with budgets", { "GET /v1/pools/gpu": { body: richPool } }, (o, on) => pool("gpu", o, on)],
  [
    "jobs",
    list("/v1/teams/research/jobs", [
      aJobSummary(),
      aJobSummary({ state: "failed", attempt: 4, endedAt: at(90), exitCode: 1, reason: "exit code 1\nmore" }),
      aJobSummary({ state: "queued", node: undefined, startedAt: undefined }),
    ]),
    (o, on) => jobs({ team, limit: 3, ...o }, on),
  ],
  ["a job that runs", jobRoutes(aJobView(), [anAttemptView()]), (o, on) => job("train-7", { team, ...o }, on)],
  [
    "a gang that has succeeded",
    jobRoutes(gang, [
      anAttemptView({ attempt: 3, nodes: ["i-0a", "i-0b"], endedAt: at(600), exitCode: 0 }),
      anAttemptView({ attempt: 2, market: "on-demand", endedAt: at(300), reason: "lost i-0a: it ended" }),
      anAttemptView({ startedAt: undefined, endedAt: at(100), costUsd: 0 }),
    ]),
    (o, on) => job("train-7", { team, ...o }, on),
  ],
  ["a job that waits", jobRoutes(waiting), (o, on) => job("train-7", { team, ...o }, on)],
  [
    "a job that has failed",
    jobRoutes(failed, [anAttemptView({ endedAt: at(100), exitCode: 3, reason: "exit code 3\nTraceback" })]),
    (o, on) => job("train-7", { team, ...o }, on),
  ],
  ["a job that was rejected", jobRoutes(rejected), (o, on) => job("train-7", { team, ...o }, on)],
  [
    "decisions of a pool",
    list("/v1/pools/gpu/decisions", [aDecisionSummary(), aDecisionSummary({ decision: "20260601-000000.000Z-6", steps: {}, causes: [] })], {
      cursor: "c",
    }),
    (o, on) => decisions({ pool: "gpu", limit: 2, ...o }, on),
  ],
  [
    "decisions of all pools",
    { "GET /v1/me": { body: aMe() }, ...list("/v1/pools/gpu/decisions", [aDecisionSummary(), aDecisionSummary()]) },
    (o, on) => decisions({ limit: 1, ...o }, on),
  ],
  ["no decisions", list("/v1/pools/gpu/decisions", []), (o, on) => decisions({ pool: "gpu", limit: 2, ...o }, on)],
  [
    "a decision",
    { "GET /v1/pools/gpu/decisions/20260601-000100.000Z-7": { body: aDecisionView({ leftOut: 2 }) } },
    (o, on) => decision("20260601-000100.000Z-7", { pool: "gpu", ...o }, on),
  ],
  ["datasets", list(dataset, [aDatasetView(), bareSet, troubled]), (o, on) => datasets({ team, ...o }, on)],
  ["no datasets", list(dataset, []), (o, on) => datasets({ team, ...o }, on)],
  ["a dataset", { [`GET ${dataset}/images`]: { body: aDatasetDetail() } }, (o, on) => showDataset("images", { team, ...o }, on)],
  [
    "a dataset that is not listed",
    { [`GET ${dataset}/images`]: { body: detail({ state: "listing", listing: undefined, map: undefined, holders: [] }) } },
    (o, on) => showDataset("images", { team, ...o }, on),
  ],
  [
    "a dataset with objects that are skipped",
    { [`GET ${dataset}/images`]: { body: detail({ trouble: "access is denied", listing: { version: 1, shards: 1, bytes: 1, skipped } }) } },
    (o, on) => showDataset("images", { team, ...o }, on),
  ],
];

describe("what fleet shows", () => {
  test.each(views)("fleet shows the same as before: %s", async (_name, routes, show) => {
    api = await startFakeApi(routes);
    const { on, printed } = aContext(api);
    const codes = [await show({}, on)];
    const people = [...printed.out];
    const notes = [...printed.note];
    codes.push(await show({ json: true }, on));
    const programs = printed.out.slice(people.length).map((line): unknown => JSON.parse(line));
    expect({ codes, people, notes, programs, calls: api.calls.map(({ method, path, query }) => [method, path, query]) }).toMatchSnapshot();
  });
});
