import type { Node } from "../model/node.ts";
import type { Bug } from "./bug.ts";

/** Nodes that are not heard for long, with work that takes longer. */
const longSilence = {
  minutes: 40,
  calmMinutes: 300,
  arriveMinutes: 8,
  pools: [{ name: "gpu", limits: { usdPerHour: 20, gpus: 8 }, markets: ["on-demand"], silentSeconds: 180 }],
  deployment: {},
  teamLimits: {},
  jobs: { seconds: { from: 1_500, to: 2_400 }, cancelled: 0, impossible: 0, failing: 0 },
};

const deafness = {
  ...longSilence,
  minutes: 90,
  pools: [{ name: "gpu", limits: { usdPerHour: 20, gpus: 8 }, markets: ["on-demand"] }],
  outages: [
    { of: "functions", fromMinute: 12, untilMinute: 70 },
    { of: "network", fromMinute: 12, untilMinute: 70 },
  ],
  jobs: { ...longSilence.jobs, seconds: { from: 4_500, to: 9_000 } },
  intensity: 0,
};

/** An hour in which nothing can be sealed. */
const keysOut = {
  minutes: 80,
  calmMinutes: 300,
  arriveMinutes: 2,
  outages: [{ of: "keys", fromMinute: 2, untilMinute: 62 }],
  jobs: { seconds: { from: 60, to: 120 }, artifacts: { from: 1, to: 1 }, cancelled: 0, impossible: 0, failing: 0 },
  faults: { "sqs.drop": 0, "sqs.lapse": 0, "lambda.kill": 0 },
};

/** A zone in which all nodes fall silent, and of which EC2 reports some. */
const zoneGone = {
  minutes: 120,
  calmMinutes: 300,
  zones: [{ zone: "us-east-1a", atMinute: 15 }],
  elsewhereMinutes: 10,
  arriveMinutes: 12,
  poolRemoved: 0,
  pools: [{ name: "gpu", limits: { usdPerHour: 60, gpus: 40 }, silentSeconds: 900 }],
  deployment: {},
  teamLimits: {},
  jobs: { count: { from: 8, to: 12 }, seconds: { from: 3_600, to: 5_400 }, cancelled: 0, failing: 0, impossible: 0 },
  intensity: 0,
};

/** A node that gets no response, and that EC2 refuses to end. */
const refusing = {
  ...zoneGone,
  minutes: 300,
  zones: [],
  cutOffs: [{ atMinute: 15, hours: 4, refused: true }],
  recoverMinutes: 60,
  pools: [{ name: "gpu", limits: { usdPerHour: 20, gpus: 8 }, markets: ["on-demand"], islandUsd: 1 }],
  jobs: { ...zoneGone.jobs, seconds: { from: 14_000, to: 16_000 } },
};

/** Bugs about nodes that are silent. */
export const bugsOfSilence: readonly Bug[] = [
  {
    name: "takes-silence-for-proof",
    breaks: 2,
    says: "the work of a silent node is started elsewhere although EC2 has not said that the instance has ended",
    scenario: { ...longSilence, faults: { "worker.partition": 0.6 } },
    plant: ({ decisions }, { ledger }) => ({
      decisions: {
        ...decisions,
        load: async (pool, nowMs) => {
          const loaded = await decisions.load(pool, nowMs);
          const isSilent = ({ state, lastSeenMs }: Node): boolean => state !== "gone" && nowMs - (lastSeenMs ?? nowMs) > 150_000;
          for (const { id } of loaded.nodes.filter(isSilent)) ledger.table.changeNode(pool, id, { state: "gone", stateSinceMs: nowMs });
          return decisions.load(pool, nowMs);
        },
      },
    }),
  },
  {
    name: "judges-while-deaf",
    breaks: 3,
    says: "workers are judged by their silence although they could not be heard",
    scenario: deafness,
    plant: ({ decisions }) => ({
      decisions: {
        ...decisions,
        load: async (pool, nowMs) => ({ ...(await decisions.load(pool, nowMs)), hearing: { atMs: nowMs, sinceMs: 0 } }),
      },
    }),
  },
  {
    name: "takes-shutting-down-for-over",
    breaks: 2,
    says: "an instance that shuts down is taken for one that has ended, although its programs still run",
    scenario: { ...longSilence, faults: { "ec2.slow-end": 1, "worker.partition": 0.9 } },
    plant: ({ fleet, decisions }) => ({
      fleet: {
        ...fleet,
        look: async (ids) => new Map([...(await fleet.look(ids))].map(([id, seen]) => [id, seen === "ending" ? "terminated" : seen])),
      },
      decisions: {
        ...decisions,
        // Without the wait for outboxes, which would hide it.
        load: async (pool, nowMs) => {
          const loaded = await decisions.load(pool, nowMs);
          return {
            ...loaded,
            nodes: loaded.nodes.map((node) => (node.state === "gone" ? { ...node, lastSeenMs: node.stateSinceMs } : node)),
          };
        },
      },
    }),
  },
  {
    name: "takes-absence-for-proof",
    breaks: 2,
    says: "an instance that one read leaves out is taken for one that has ended",
    scenario: { ...longSilence, faults: { "ec2.absent-look": 1, "worker.partition": 0.9 } },
    plant: ({ fleet }) => ({
      fleet: {
        ...fleet,
        look: async (ids) => new Map([...(await fleet.look(ids))].map(([id, seen]) => [id, seen === "absent" ? "terminated" : seen])),
      },
    }),
  },
  {
    name: "believes-old-stops",
    breaks: 2,
    says: "a late event that an instance has stopped counts although somebody has started it again and its worker has got work",
    scenario: { ...longSilence, faults: { "ec2.stopped-by-hand": 1, "ec2.event-late": 1 } },
    plant: ({ nodeLedger }) => ({ nodeLedger: { ...nodeLedger, gone: (id, atMs) => nodeLedger.gone(id, atMs) } }),
  },
  {
    name: "forgets-the-dead",
    breaks: 14,
    says: "no worker is ever judged by silence, so a machine that hangs keeps its job for ever",
    scenario: { ...longSilence, calmMinutes: 120, recoverMinutes: 60, hangs: [{ atMinute: 12 }], intensity: 0 },
    plant: ({ decisions }) => ({
      decisions: {
        ...decisions,
        load: async (pool, nowMs) => {
          const { hearing: _, ...loaded } = await decisions.load(pool, nowMs);
          return loaded;
        },
      },
    }),
  },
  {
    name: "ends-without-a-brake",
    breaks: 22,
    says: "ends of silent nodes are not counted, so that a whole zone may be ended at once",
    scenario: zoneGone,
    plant: ({ placements }) => ({ placements: { ...placements, endedSilent: async () => "done" } }),
  },
  {
    name: "hears-no-ends",
    breaks: 21,
    says: "EC2's word that an instance has ended is taken for nothing, so that its jobs are not started elsewhere",
    scenario: zoneGone,
    plant: ({ fleet, nodeLedger }, { ledger: { table } }) => ({
      fleet: { ...fleet, look: async (ids) => new Map([...(await fleet.look(ids))].map(([id]) => [id, "live"])) },
      nodeLedger: {
        ...nodeLedger,
        gone: async (id) => {
          const pool = table.instances.get(id);
          return pool === undefined ? { kind: "unknown" } : { kind: "noted", pool };
        },
      },
    }),
  },
  {
    name: "spends-on-islands",
    breaks: 14,
    says: "a node that gets no response, and that EC2 refuses to end, goes on for longer than its pool pays for",
    scenario: refusing,
    plant: ({ nodeLedger }) => ({
      nodeLedger: {
        ...nodeLedger,
        seen: async (...call) => {
          const seen = await nodeLedger.seen(...call);
          return seen.kind === "node" ? { ...seen, node: { ...seen.node, offer: { ...seen.node.offer, usdPerHour: 0 } } } : seen;
        },
      },
    }),
  },
  {
    name: "drops-outboxes",
    breaks: 26,
    says: "what an island left on S3 is not found, so that a run that had ended well begins again",
    scenario: { ...refusing, jobs: { ...refusing.jobs, seconds: { from: 600, to: 6_000 } } },
    plant: ({ outboxes }) => ({ outboxes: { ...outboxes, open: async () => undefined } }),
  },
  {
    name: "forgets-the-silent",
    breaks: 1,
    says: "the record of a worker's last call expires while its node is silent, so that nothing is known of its silence any more",
    scenario: { ...refusing, elsewhereMinutes: 600 },
    plant: ({ decisions }, { ledger: { table } }) => ({
      decisions: {
        ...decisions,
        load: (pool, nowMs) => {
          for (const { node } of table.nodes.values())
            if (nowMs - (node.lastSeenMs ?? nowMs) > 3_600_000) table.changeNode(node.pool, node.id, { lastSeenMs: undefined });
          return decisions.load(pool, nowMs);
        },
      },
    }),
  },
  {
    name: "retries-without-pauses",
    breaks: 23,
    says: "no decision remembers what failed, so that EC2 is asked again and again for what it refuses",
    scenario: { ...refusing, pools: [{ name: "gpu", limits: { usdPerHour: 20, gpus: 8 }, markets: ["on-demand"], silentSeconds: 600 }] },
    plant: ({ placements }) => ({ placements: { ...placements, backOff: async () => "done" } }),
  },
  {
    name: "seals-every-minute",
    breaks: 25,
    says: "every tick asks again for each upload that waits to be sealed, although a message about it is in flight",
    scenario: keysOut,
    plant: ({ sealing }) => ({
      sealing: { ...sealing, waitingSince: () => sealing.waitingSince(Number.POSITIVE_INFINITY), claimAgain: async () => true },
    }),
  },
];
