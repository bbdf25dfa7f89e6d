import { FleetError } from "../model/fleet-error.ts";
import type { Node } from "../model/node.ts";
import type { Resources } from "../model/values/resources.ts";
import type { Bug } from "./bug.ts";

/** A flood that is large enough to hide other jobs, and small enough for many runs. */
const smallFlood = {
  minutes: 2,
  teamLimits: { flooder: { gpus: 1 } },
  pools: [{ name: "gpu", limits: { usdPerHour: 300, gpus: 120 }, idleSeconds: 15 }],
  deployment: {},
  bootSeconds: { from: 5, to: 9 },
  jobs: { seconds: { from: 5, to: 20 }, gangs: 0, reading: 0, impossible: 0, wrong: 0 },
  flood: { team: "flooder", pool: "gpu", jobs: 1500, atSecond: 8, seconds: 5 },
  decisionMsPerEntry: 1.5,
  promptSeconds: 40,
  poolRemoved: 0,
  intensity: 0,
};

const poisoned = {
  calmMinutes: 240,
  pools: [{ name: "gpu", limits: { usdPerHour: 60, gpus: 40 } }],
  deployment: {},
  teamLimits: {},
  faults: { "table.unreadable": 1 },
};

/** The snapshot does not name what cannot be read. */
const withoutUnreadable: Bug["plant"] = ({ decisions }) => ({
  decisions: {
    ...decisions,
    load: async (pool, nowMs) => ({ ...(await decisions.load(pool, nowMs)), unreadable: undefined }),
    waiting: async (pool, nowMs) => ({ ...(await decisions.waiting(pool, nowMs)), unreadable: undefined }),
  },
});

/** A pool whose budget is nearly used up, and renews at midnight. */
const spending = (whenSpent: "stop-growth" | "drain") => ({
  startsAt: "2026-06-30T21:00:00Z",
  minutes: 170,
  calmMinutes: 600,
  pools: [{ name: "gpu", limits: { usdPerHour: 3, gpus: 3 }, budgets: { usdPerDay: 8, whenSpent }, spentBefore: { usd: 7.2 } }],
  deployment: {},
  teamLimits: {},
  offers: [
    { instanceType: "g5.xlarge", zone: "us-east-1a", market: "spot", usdPerHour: 0.4 },
    { instanceType: "g5.xlarge", zone: "us-east-1a", market: "on-demand", usdPerHour: 0.6 },
  ],
  jobs: { count: { from: 8, to: 10 }, seconds: { from: 1200, to: 3300 }, gpus: { from: 1, to: 1 }, gangs: 0, reading: 0 },
  intensity: 0.2,
});

/** Bugs that only show under many jobs, if an item cannot be read, or if a budget is used up. */
export const bugsUnderLoad: readonly Bug[] = [
  {
    name: "reads-in-order",
    breaks: 10,
    says: "a decision reads the first thousand jobs of the queue, which may all be one team's",
    scenario: smallFlood,
    plant: ({ decisions }, { ledger: { table } }) => ({
      decisions: {
        ...decisions,
        waiting: async (pool) => {
          const { queue, queued } = table.queue.whole(pool);
          return { queue: queue.slice(0, 1000), queued };
        },
      },
    }),
  },
  {
    name: "forgets-idle-nodes",
    breaks: 10,
    says: "nodes that have become idle are not looked at while the queue is long",
    scenario: smallFlood,
    plant: ({ decisions }, { ledger: { table } }) => ({
      decisions: {
        ...decisions,
        load: async (pool, nowMs) => {
          const loaded = await decisions.load(pool, nowMs);
          const isLooked = ({ assignments, lastBusyMs, launchedAtMs }: Node): boolean =>
            assignments.length > 0 || lastBusyMs === launchedAtMs || !table.queue.isLong(pool);
          return { ...loaded, nodes: loaded.nodes.filter(isLooked) };
        },
      },
    }),
  },
  {
    name: "hides-unreadable-items",
    breaks: 11,
    says: "an item that cannot be read is left out, and no problem names it",
    scenario: poisoned,
    plant: withoutUnreadable,
  },
  {
    name: "launches-again-for-the-unreadable",
    breaks: 1,
    says: "a launch that only the next release can read counts as none, and its jobs get another one",
    scenario: { minutes: 10, rollout: { fromMinute: 1, untilMinute: 8, unknown: 0.3 } },
    plant: withoutUnreadable,
  },
  {
    name: "stops-at-unreadable-items",
    breaks: 11,
    says: "one item of a pool that cannot be read stops all decisions about the pool",
    scenario: poisoned,
    plant: ({ decisions }) => ({
      decisions: {
        ...decisions,
        load: async (pool, nowMs) => {
          const loaded = await decisions.load(pool, nowMs);
          const [item] = loaded.unreadable ?? [];
          if (item) throw new FleetError("broken-item", `the item ${item.key} is broken`);
          return loaded;
        },
      },
    }),
  },
  {
    name: "forgets-what-was-spent",
    breaks: 12,
    says: "what nodes have cost is forgotten when they end, so that a budget only counts the nodes that run",
    scenario: spending("stop-growth"),
    plant: ({ decisions }) => ({
      decisions: {
        ...decisions,
        load: async (pool, nowMs) => ({ ...(await decisions.load(pool, nowMs)), spent: { dayUsd: 0, monthUsd: 0 } }),
      },
    }),
  },
  {
    name: "drains-nothing",
    breaks: 12,
    says: "work goes on although the budget that pays for it is used up and should drain its nodes",
    scenario: spending("drain"),
    plant: ({ placements }) => ({ placements: { ...placements, drain: async () => "done" } }),
  },
  {
    name: "waits-without-a-reason",
    breaks: 24,
    says: "no reason is written to jobs that wait",
    scenario: spending("stop-growth"),
    plant: ({ placements }) => ({ placements: { ...placements, hold: async () => "done" } }),
  },
  {
    name: "counts-room-twice",
    breaks: 13,
    says: "nodes seem to have twice the room that they have",
    plant: ({ decisions }) => ({
      decisions: {
        ...decisions,
        load: async (pool, nowMs) => {
          const loaded = await decisions.load(pool, nowMs);
          const twice = ({ vcpus, memoryGiB, gpus }: Resources): Resources => ({
            vcpus: 2 * vcpus,
            memoryGiB: 2 * memoryGiB,
            gpus: 2 * gpus,
          });
          return {
            ...loaded,
            nodes: loaded.nodes.map((node) => ({ ...node, type: { ...node.type, resources: twice(node.type.resources) } })),
          };
        },
      },
    }),
  },
  {
    name: "ends-unreadable-nodes",
    breaks: 11,
    says: "an instance whose node cannot be read counts as one without an owner, and is ended",
    scenario: { ...poisoned, unreadable: "node" },
    plant: ({ decisions, fleet }, { spoiled, clock }) => {
      let sinceMs: number | undefined;
      return {
        decisions: {
          ...decisions,
          load: async (pool, nowMs) => {
            if (spoiled.item) sinceMs ??= clock.nowMs;
            // As orphaned instances, it is ended only when it has been seen twice.
            if (spoiled.item && clock.nowMs > (sinceMs ?? 0) + 90_000) await fleet.terminate([spoiled.item.name]);
            return decisions.load(pool, nowMs);
          },
        },
      };
    },
  },
];
