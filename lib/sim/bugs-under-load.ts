import type { Node } from "../model/node.ts";
import type { Bug } from "./bug.ts";

/** A flood that is large enough to hide other jobs, and small enough for many runs. */
const smallFlood = {
  minutes: 3,
  teamLimits: { flooder: { gpus: 1 } },
  pools: [{ name: "gpu", limits: { usdPerHour: 300, gpus: 120 }, idleSeconds: 15 }],
  deployment: {},
  bootSeconds: { from: 5, to: 9 },
  jobs: { seconds: { from: 5, to: 20 }, gangs: 0, reading: 0, impossible: 0, wrong: 0 },
  flood: { team: "flooder", pool: "gpu", jobs: 3000, atSecond: 8, seconds: 5 },
  promptSeconds: 40,
  poolRemoved: 0,
  intensity: 0,
};

/** Bugs that only show under many jobs. */
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
];
