import type { Attempt } from "../../lib/model/history/attempt.ts";
import { type JobRecord, type JobSpec, type QueueEntry, waiting } from "../../lib/model/job.ts";
import type { Launch } from "../../lib/model/launch.ts";
import type { Assignment, Node } from "../../lib/model/node.ts";
import type { Catalogue, InstanceType, Offer } from "../../lib/model/offer.ts";
import type { Snapshot } from "../../lib/model/plan.ts";
import type { Pool } from "../../lib/model/pool.ts";
import type { Refusal } from "../../lib/model/refusal.ts";
import { type Wants, wantsOfMessage } from "../../lib/model/wants.ts";
import type { DecisionRecord } from "../../lib/ports/journal.ts";

/** Monday 2026-06-01 00:00 UTC: the moment around which the builders' defaults stand. */
export const monday = 1_780_272_000_000;

export const aSpec = (over: Partial<JobSpec> = {}): JobSpec => ({
  command: ["python", "train.py"],
  gpus: { count: 1, memoryGiB: 0, models: [] },
  vcpus: 2,
  memoryGiB: 8,
  priority: 0,
  maxRuntimeSeconds: 3600,
  retries: 0,
  env: {},
  artifacts: [],
  spot: true,
  nodes: 1,
  datasets: [],
  zones: [],
  ...over,
});

/** What `aSpec` wants. */
export const someWants = (over: Partial<Wants> = {}): Wants => ({ ...wantsOfMessage(aSpec()), ...over });

/** A queued first attempt of a one-GPU job. */
export const aJob = (over: Partial<JobRecord> = {}): JobRecord => ({
  team: "vision",
  job: "train-1",
  pool: "gpu",
  state: "queued",
  spec: aSpec(),
  bodyHash: "0".repeat(64),
  attempt: 1,
  failures: 0,
  submittedAtMs: monday,
  ...over,
});

/** Returns the record of an attempt that runs. */
export const anAttempt = (over: Partial<Attempt> = {}): Attempt => ({
  attempt: 1,
  pool: "gpu",
  nodes: ["i-0123456789abcdef0"],
  instanceType: "g5.xlarge",
  zone: "us-east-1a",
  market: "spot",
  usdPerHour: 0.5,
  placedAtMs: monday,
  startedAtMs: monday + 2_000,
  ...over,
});

/** The queue entry of `aJob` with the same changes. */
export const anEntry = (over: Partial<QueueEntry> = {}): QueueEntry => ({
  ...waiting({ ...aJob(), spec: aSpec() }),
  ...over,
});

export const aType = (over: Partial<InstanceType> = {}): InstanceType => ({
  name: "g5.xlarge",
  resources: { vcpus: 4, memoryGiB: 16, gpus: 1 },
  gpu: { model: "A10G", memoryGiB: 24 },
  ...over,
});

export const anOffer = (over: Partial<Offer> = {}): Offer => ({
  instanceType: "g5.xlarge",
  zone: "us-east-1a",
  market: "spot",
  usdPerHour: 0.5,
  ...over,
});

/** The assignment of `aJob` on a node. */
export const anAssignment = (over: Partial<Assignment> = {}): Assignment => ({
  team: "vision",
  job: "train-1",
  attempt: 1,
  ...someWants(),
  phase: "placed",
  waitsSinceMs: monday,
  ...over,
});

/** A ready, empty node with one GPU that serves `aJob`'s team. */
export const aNode = (over: Partial<Node> = {}): Node => ({
  id: "i-0000000000000001",
  pool: "gpu",
  launch: "launch-1",
  team: "vision",
  offer: anOffer(),
  type: aType(),
  state: "ready",
  launchedAtMs: monday,
  readyAtMs: monday + 60_000,
  lastSeenMs: monday + 60_000,
  lastBusyMs: monday,
  stateSinceMs: monday + 60_000,
  assignments: [],
  ...over,
});

/** `anOffer` was refused at `monday` for want of capacity, and rests for two minutes. */
export const aRefusal = (over: Partial<Extract<Refusal, { why: "capacity" }>> = {}): Refusal => {
  const { instanceType, zone, market } = anOffer();
  const known = { code: "InsufficientInstanceCapacity", least: 1, evidence: 1, atMs: monday, sinceMs: monday, untilMs: monday + 120_000 };
  return { why: "capacity", instanceType, zone, market, ...known, launch: "launch-0", ...over };
};

/** An intent for one `aNode`, for `aJob`. */
export const aLaunch = (over: Partial<Launch> = {}): Launch => ({
  id: "launch-1",
  pool: "gpu",
  team: "vision",
  market: "spot",
  types: [aType()],
  offers: [anOffer()],
  jobs: [{ team: "vision", job: "train-1" }],
  count: 1,
  whole: false,
  clientToken: "launch-1",
  reserved: { usdPerHour: 0.5, gpus: 1 },
  intendedAtMs: monday,
  because: "train-1 waits and nothing has room",
  ...over,
});

export const aCatalogue = (over: Partial<Catalogue> = {}): Catalogue => ({
  types: [aType()],
  offers: [anOffer()],
  refreshedAtMs: monday,
  ...over,
});

export const aPool = (over: Partial<Pool> = {}): Pool => ({
  name: "gpu",
  families: ["g5"],
  markets: ["spot", "on-demand"],
  limits: { usdPerHour: 10, gpus: 8 },
  idleSeconds: 120,
  bootSeconds: 600,
  silentSeconds: 1_800,
  islandHours: 24,
  drainSeconds: 600,
  disruption: { share: 0.1 },
  maxLosses: 3,
  shared: false,
  teams: [],
  containers: true,
  fallbackSeconds: 300,
  maxQueuedJobs: 50_000,
  ...over,
});

/** What a decision sees of `aPool` at `monday`, if workers were heard for an hour, and if no job waits, no node runs and prices are known. */
export const aSnapshot = ({ nowMs = monday, ...over }: Partial<Snapshot> = {}): Snapshot => ({
  nowMs,
  hearing: { atMs: nowMs, sinceMs: nowMs - 3_600_000 },
  pool: aPool(),
  reserved: { usdPerHour: 0, gpus: 0 },
  spent: { dayUsd: 0, monthUsd: 0 },
  queue: [],
  nodes: [],
  openLaunches: [],
  catalogue: aCatalogue(),
  refusals: [],
  ...over,
});

/** A decision that gave one of two jobs that waited to a node. */
export const aDecision = (over: Partial<DecisionRecord> = {}): DecisionRecord => ({
  id: "decision-1",
  pool: "gpu",
  epoch: 7,
  atMs: monday,
  causes: ["job", "tick"],
  snapshot: aSnapshot({
    reserved: { usdPerHour: 0.5, gpus: 1 },
    spent: { dayUsd: 1.25, monthUsd: 20 },
    queue: [anEntry(), anEntry({ job: "train-2" })],
    nodes: [aNode()],
  }),
  plan: { steps: [{ kind: "bind", entry: anEntry(), node: aNode().id, because: "it has room" }], wakeAtMs: monday + 120_000 },
  outcomes: ["done"],
  ...over,
});
