import type * as z from "zod";
import { AttemptView } from "../../../lib/api/views/attempts.ts";
import { DatasetDetailView, DatasetView } from "../../../lib/api/views/datasets.ts";
import { DecisionSummary, DecisionView } from "../../../lib/api/views/decisions.ts";
import { JobSummary, JobView } from "../../../lib/api/views/jobs.ts";
import { DeadQueueView } from "../../../lib/api/views/letters.ts";
import { LimitsView } from "../../../lib/api/views/limits.ts";
import { LogPage } from "../../../lib/api/views/logs.ts";
import { Me } from "../../../lib/api/views/me.ts";
import { NodeView } from "../../../lib/api/views/nodes.ts";
import { PoolView } from "../../../lib/api/views/pools.ts";
import { aSpec, monday } from "../../fakes/builders.ts";

/** Returns a time of the samples, in seconds after Monday. */
export const at = (seconds: number): string => new Date(monday + seconds * 1_000).toISOString();

/** Parses a sample with the schema, so that it contains only what the API could return. */
const sample =
  <T extends z.ZodType>(schema: T, usual: object) =>
  (over: object = {}): z.infer<T> =>
    schema.parse({ ...usual, ...over });

const jobFacts = {
  team: "research",
  job: "train-7",
  pool: "gpu",
  state: "running",
  attempt: 1,
  failures: 0,
  submittedAt: at(0),
  startedAt: at(62),
  node: "i-0123456789abcdef0",
};

export const aJobSummary = sample(JobSummary, jobFacts);
export const aJobView = sample(JobView, { ...jobFacts, spec: aSpec() });

export const anAttemptView = sample(AttemptView, {
  attempt: 1,
  pool: "gpu",
  nodes: ["i-0123456789abcdef0"],
  instanceType: "g5.xlarge",
  zone: "us-east-1a",
  market: "spot",
  usdPerHour: 0.5,
  costUsd: 0.25,
  placedAt: at(0),
  startedAt: at(62),
});

export const aLogPage = sample(LogPage, { attempt: 1, state: "running", latestAttempt: 1, members: 1, lines: [], more: false });
export const lines = (...texts: string[]) => texts.map((text, index) => ({ at: at(index), text }));

export const aNodeView = sample(NodeView, {
  node: "i-0123456789abcdef0",
  pool: "gpu",
  state: "ready",
  stateSince: at(60),
  team: "research",
  instanceType: "g5.xlarge",
  zone: "us-east-1a",
  market: "spot",
  usdPerHour: 0.526,
  vcpus: 4,
  memoryGiB: 16,
  gpus: 1,
  gpuModel: "A10G",
  launchedAt: at(0),
  readyAt: at(60),
  lastSeenAt: at(3_590),
  assignments: [{ team: "research", job: "train-7", attempt: 1, phase: "running", vcpus: 2, memoryGiB: 8, gpus: 1 }],
  samples: [
    { index: 0, model: "A10G", utilizationPercent: 87, memoryUsedMiB: 1024, memoryTotalMiB: 23_028, powerWatts: 150.4, temperatureC: 61 },
  ],
  datasets: [{ team: "research", dataset: "images", version: 1, shards: 3, bytes: 3_145_728 }],
});

export const aLimitsView = sample(LimitsView, {
  version: 1,
  deployment: { limits: { usdPerHour: 40 }, reserved: { usdPerHour: 1, gpus: 3 } },
  teams: [{ team: "research", limits: { gpus: 4 }, reserved: { usdPerHour: 0.5, gpus: 1 } }],
  settings: [],
  changes: [],
});

export const aPoolView = sample(PoolView, {
  pool: "gpu",
  families: ["g4dn", "g5"],
  markets: ["spot", "on-demand"],
  shared: false,
  containers: false,
  teams: [],
  idleSeconds: 120,
  bootSeconds: 600,
  maxLifetimeSeconds: 86_400,
  drainSeconds: 600,
  consolidateSeconds: 900,
  learned: [{ problems: "jobs 1e2, shapes 1e1, whole, empty", engine: "columns", tries: 12, reward: 7.5 }],
  limits: { usdPerHour: 10, gpus: 8 },
  reserved: { usdPerHour: 0.526, gpus: 1 },
  budgets: { usdPerDay: 50 },
  spent: { usdToday: 1.5, usdThisMonth: 20.256 },
  teamSpending: [
    { team: "audio", budgets: { usdPerDay: 5, whenSpent: "drain" } },
    { team: "research", budgets: { usdPerMonth: 30 }, spent: { usdToday: 1, usdThisMonth: 12 } },
  ],
  overrides: { version: 0, settings: [], nodes: [], changes: [] },
  queue: { length: 3, oldestSubmittedAt: at(3_540) },
  nodes: { launching: 1, ready: 2, draining: 0, terminating: 0, gone: 5 },
  openLaunches: [
    {
      launch: "l-1",
      team: "research",
      market: "spot",
      instanceTypes: ["g5.xlarge", "g5.2xlarge"],
      nodes: 1,
      reserved: { usdPerHour: 0.6, gpus: 1 },
      intendedAt: at(3_595),
    },
  ],
  refusals: [{ instanceType: "g4dn.xlarge", zone: "us-east-1b", market: "spot", code: "InsufficientInstanceCapacity", until: at(3_660) }],
  breakers: [{ instanceType: "g5.xlarge", zone: "us-east-1c", failures: 3, state: "open", restsUntil: at(4_500) }],
  busy: true,
  decisions: 42,
  pricesAt: at(0),
});

const decisionFacts = {
  decision: "20260601-000100.000Z-7",
  pool: "gpu",
  at: at(60),
  epoch: 7,
  causes: ["job", "tick"],
  queued: 1,
  nodes: 0,
  reserved: { usdPerHour: 0, gpus: 0 },
  steps: { launch: 1 },
};
export const aDecisionSummary = sample(DecisionSummary, decisionFacts);
export const aDecisionView = sample(DecisionView, {
  ...decisionFacts,
  taken: [
    {
      kind: "launch",
      team: "research",
      nodes: [],
      launch: { market: "spot", instanceTypes: ["g5.xlarge", "g6.xlarge"], nodes: 1, reserved: { usdPerHour: 0.526, gpus: 1 }, jobs: 2 },
      because: "train-7 waits and nothing has room",
      outcome: "launched i-0123456789abcdef0",
    },
  ],
  leftOut: 0,
});

const datasetFacts = {
  team: "research",
  dataset: "images",
  source: "s3://data/images/",
  state: "ready",
  addedAt: at(0),
  listing: { version: 2, shards: 12, bytes: 12_582_912 },
};
export const aDatasetView = sample(DatasetView, datasetFacts);
export const aDatasetDetail = sample(DatasetDetailView, {
  ...datasetFacts,
  map: { version: 3, listing: 2, madeAt: at(3_000), nodes: 2, moved: 4, movedBytes: 4_194_304 },
  holders: [
    { node: "i-0a", share: "part", shards: 6, bytes: 6_291_456, fetched: { version: 3, shards: 6, bytes: 6_291_456 } },
    { node: "i-0b", share: "whole", shards: 12, bytes: 12_582_912 },
  ],
});

export const aLetter = {
  letter: "message-1",
  subject: { kind: "attempt", name: "research/train-7, attempt 1" },
  sentAt: at(0),
  received: 6,
};
export const aDeadQueueView = sample(DeadQueueView, {
  queue: "seal",
  deadQueue: "fleetwright-dead-seal",
  function: "fleetwright-seal-artifact",
  count: 1,
  remedy: "redrive",
  because: "sealing twice is harmless",
  letters: [aLetter],
});

export const aMe = sample(Me, {
  caller: "arn:aws:iam::000000000000:user/admin",
  admin: true,
  team: null,
  name: "fleetwright",
  teams: ["research", "vision"],
  pools: ["gpu"],
  defaultPool: "gpu",
});
