import type { QueueEntry } from "../model/job.ts";
import { lifeOf, type Node } from "../model/node.ts";
import { costByDay } from "../model/values/period.ts";
import type { Bug } from "./bug.ts";
import { nodeKey } from "./memory/table.ts";

/** Teams whose jobs differ only in their priority, and more of them than fit. */
const crowded = {
  pools: [{ name: "gpu", limits: { usdPerHour: 3, gpus: 3 }, shared: true }],
  deployment: {},
  teamLimits: {},
  jobs: { count: { from: 10, to: 14 }, gpus: { from: 1, to: 1 }, seconds: { from: 20, to: 90 }, gangs: 0, reading: 0, impossible: 0 },
};

/** Spot nodes that are interrupted, and whose workers can often not report what they have stopped. */
const interrupted = {
  pools: [{ name: "gpu", limits: { usdPerHour: 12, gpus: 8 }, markets: ["spot"] }],
  deployment: {},
  teamLimits: {},
  orders: { from: 0, to: 0 },
  jobs: { seconds: { from: 200, to: 400 }, cancelled: 0, failing: 0 },
  faults: { "spot.interruption": 0.9, "worker.lost-call": 0.6 },
};

/** A job that needs all that the limit allows, of which EC2 has nothing, in a pool with a minimum. */
const dryForLarge = {
  minutes: 120,
  minimum: { pool: "gpu", nodes: 2, minutes: 120 },
  poolRemoved: 0,
  pools: [{ name: "gpu", limits: { usdPerHour: 20, gpus: 8 }, markets: ["on-demand"], idleSeconds: 30, shared: true }],
  deployment: {},
  teamLimits: {},
  orders: { from: 0, to: 0 },
  types: [
    { name: "g5.xlarge", vcpus: 4, memoryGiB: 16, gpus: 1 },
    { name: "g5.48xlarge", vcpus: 192, memoryGiB: 768, gpus: 8 },
  ],
  offers: [
    { instanceType: "g5.xlarge", zone: "us-east-1a", market: "on-demand", usdPerHour: 1 },
    { instanceType: "g5.48xlarge", zone: "us-east-1a", market: "on-demand", usdPerHour: 16, capacity: 0 },
  ],
  jobs: {
    count: { from: 1, to: 1 },
    gpus: { from: 8, to: 8 },
    seconds: { from: 20, to: 90 },
    cancelled: 0,
    gangs: 0,
    reading: 0,
    impossible: 0,
    wrong: 0,
  },
};

/** Returns a node as it seems if gangs are not known by their ranks. */
const withoutRanks = (node: Node): Node => ({
  ...node,
  assignments: node.assignments.map(({ rank: _, ...held }) => held),
});

const inverted = (entry: QueueEntry): QueueEntry => ({ ...entry, priority: -entry.priority });

/** Bugs about what must happen once, at once or in turn. */
export const bugsOfDuty: readonly Bug[] = [
  {
    name: "launches-for-the-launched",
    breaks: 16,
    says: "jobs for which a launch is open count as jobs without one, and get another",
    plant: ({ decisions }) => ({
      decisions: {
        ...decisions,
        load: async (pool, nowMs) => {
          const loaded = await decisions.load(pool, nowMs);
          return { ...loaded, openLaunches: loaded.openLaunches.map((launch) => ({ ...launch, jobs: [] })) };
        },
      },
    }),
  },
  {
    name: "keeps-more-than-its-minimum",
    breaks: 16,
    says: "nodes that boot do not count towards a pool's minimum, and others are launched in their place",
    scenario: { minimum: { pool: "mixed", nodes: 2, minutes: 8 }, poolRemoved: 0 },
    plant: ({ decisions }) => ({
      decisions: {
        ...decisions,
        load: async (pool, nowMs) => {
          const loaded = await decisions.load(pool, nowMs);
          return { ...loaded, nodes: loaded.nodes.filter(({ state }) => state !== "launching") };
        },
      },
    }),
  },
  {
    name: "forgets-who-waits",
    breaks: 16,
    says: "every other quarter of an hour, decisions see no job, and a minimum takes the room of one that waits for EC2",
    scenario: dryForLarge,
    plant: ({ decisions }) => ({
      decisions: {
        ...decisions,
        waiting: async (pool, nowMs) => {
          const read = await decisions.waiting(pool, nowMs);
          return Math.floor(nowMs / 900_000) % 2 === 0 ? read : { ...read, queue: [] };
        },
      },
    }),
  },
  {
    name: "counts-interruptions",
    breaks: 15,
    says: "a loss counts against a job although EC2 took the node back with notice",
    scenario: interrupted,
    plant: ({ placements }) => ({
      placements: {
        ...placements,
        takeBack: (fence, back) => placements.takeBack(fence, back.assignment.phase === "running" ? { ...back, maxLosses: 4 } : back),
      },
    }),
  },
  {
    name: "overlaps-gang-attempts",
    breaks: 2,
    says: "a gang's next attempt starts although nodes still hold members of its last one",
    scenario: { jobs: { gangs: 1, failing: 0.9, impossible: 0, count: { from: 8, to: 12 } } },
    plant: ({ decisions }) => ({
      decisions: {
        ...decisions,
        load: async (pool, nowMs) => {
          const loaded = await decisions.load(pool, nowMs);
          return { ...loaded, nodes: loaded.nodes.map(withoutRanks) };
        },
      },
    }),
  },
  {
    name: "never-wakes",
    breaks: 18,
    says: "a pool that must decide at a later time sends itself no message",
    plant: ({ lane }) => ({ lane: { send: (pool) => lane.send(pool), sendLater: async () => undefined } }),
  },
  {
    name: "loses-rings",
    breaks: 18,
    says: "a decision ends as if nothing had rung since it began",
    plant: ({ decisions }) => ({
      decisions: {
        ...decisions,
        finish: async (fence, end) => {
          const finished = await decisions.finish(fence, end);
          return finished === "rang" ? "quiet" : finished;
        },
      },
    }),
  },
  {
    name: "lets-cancelled-jobs-run",
    breaks: 17,
    says: "workers do not learn that a job was cancelled",
    plant: ({ nodeLedger }) => ({
      nodeLedger: {
        ...nodeLedger,
        job: async (ref) => {
          const job = await nodeLedger.job(ref);
          return job?.state === "cancelled" ? { ...job, state: "running" } : job;
        },
      },
    }),
  },
  {
    name: "drops-notices",
    breaks: 17,
    says: "a notice that EC2 takes an instance back is not recorded",
    plant: ({ nodeLedger }, { ledger: { table } }) => ({
      nodeLedger: {
        ...nodeLedger,
        noticed: async (id) => {
          const pool = table.instances.get(id);
          return pool === undefined ? { kind: "unknown" } : { kind: "noted", pool };
        },
      },
    }),
  },
  {
    name: "charges-twice",
    breaks: 19,
    says: "what a node has cost is recorded when EC2 accepts its end, and again when the node leaves the ledger",
    plant: ({ placements }, { ledger: { table } }) => ({
      placements: {
        ...placements,
        removeNode: async (fence, id, atMs) => {
          const row = table.nodes.get(nodeKey(fence.pool, id));
          const written = await placements.removeNode(fence, id, atMs);
          const { spent } = table.pool(fence.pool);
          if (row?.released && written === "done")
            for (const [day, microUsd] of costByDay(lifeOf(row.node, atMs))) spent.set(day, (spent.get(day) ?? 0) + microUsd);
          return written;
        },
      },
    }),
  },
  {
    name: "turns-priorities-round",
    breaks: 20,
    says: "jobs of lower priority go first",
    scenario: crowded,
    plant: ({ decisions }) => ({
      decisions: {
        ...decisions,
        waiting: async (pool, nowMs) => {
          const read = await decisions.waiting(pool, nowMs);
          return { ...read, queue: read.queue.map(inverted) };
        },
      },
    }),
  },
];
