import { fileKey, sealedFileKey } from "../../events/artifacts/upload.ts";
import type { JobRecord } from "../model/job.ts";
import type { Placements } from "../ports/pool-ledger.ts";
import type { Bug } from "./bug.ts";
import { bugsOfDuty } from "./bugs-of-duty.ts";
import { bugsOfSilence } from "./bugs-of-silence.ts";
import { bugsUnderLoad } from "./bugs-under-load.ts";
import type { SimPorts } from "./faults/ports.ts";
import { jobKey, nodeKey, offNodes } from "./memory/table.ts";
import type { World } from "./world/world.ts";

const never = { usdPerHour: 0, gpus: 0 };

/** The bugs that can be planted: at least one per invariant. */
export const bugs: readonly Bug[] = [
  {
    name: "forgets-the-queue",
    breaks: 1,
    says: "a job that is taken back from a dead node gets no queue entry",
    plant: ({ placements }, { ledger }) => ({
      placements: {
        ...placements,
        takeBack: async (fence, back) => {
          const written = await placements.takeBack(fence, back);
          if (written === "done") ledger.table.queue.delete(jobKey(back.assignment));
          return written;
        },
      },
    }),
  },
  {
    name: "ends-twice",
    breaks: 1,
    says: "a job that was cancelled while it waited to be sealed still succeeds",
    scenario: { jobs: { cancelled: 0.9, seconds: { from: 5, to: 40 } }, faults: { "sqs.delay": 0.5 } },
    plant: ({ sealing }, { ledger }) => ({
      sealing: {
        ...sealing,
        get: async (ref) => {
          const job = await sealing.get(ref);
          return job?.state === "failed" || job?.state === "cancelled" ? { ...job, state: "sealing" } : job;
        },
        succeed: async (attempt, to, atMs) => {
          const job = ledger.table.jobs.get(jobKey(attempt));
          if (job) ledger.table.moveJob(job, { ...to, state: "succeeded", ...offNodes }, { atMs });
          return "done";
        },
      },
    }),
  },
  {
    name: "believes-the-stale",
    breaks: 2,
    says: "a worker's upload is sealed although a newer attempt has replaced its own",
    scenario: { faults: { "sqs.delay": 0.9, "ec2.sudden-end": 1, "worker.lost-call": 0.7 }, jobs: { artifacts: { from: 1, to: 2 } } },
    plant: ({ sealing }, { ledger }) => ({
      sealing: {
        ...sealing,
        get: async (ref) => {
          const job = await sealing.get(ref);
          const attempt = "attempt" in ref && typeof ref.attempt === "number" ? ref.attempt : job?.attempt;
          return job && job.attempt !== attempt && !job.endedAtMs ? { ...job, state: "sealing", attempt: attempt ?? 1 } : job;
        },
        succeed: async (attempt, to, atMs) => {
          const job = ledger.table.jobs.get(jobKey(attempt));
          if (job && job.attempt !== attempt.attempt && !job.endedAtMs) {
            const now = (): JobRecord => ledger.table.jobs.get(jobKey(job)) ?? job;
            if (job.state === "queued") ledger.table.moveJob(now(), { state: "placed" }, { atMs });
            if (now().state !== "sealing") ledger.table.moveJob(now(), { state: "sealing" }, { atMs });
            ledger.table.moveJob(now(), { ...to, state: "succeeded", ...offNodes }, { atMs });
            return "done";
          }
          return sealing.succeed(attempt, to, atMs);
        },
      },
    }),
  },
  {
    name: "ends-busy-nodes",
    breaks: 3,
    says: "a node that holds work is terminated: the snapshot hides the work, and the fence does not check for it",
    plant: ({ decisions, placements }, { ledger: { table } }) => ({
      decisions: {
        ...decisions,
        load: async (pool, nowMs) => {
          const loaded = await decisions.load(pool, nowMs);
          return { ...loaded, nodes: loaded.nodes.map((node) => ({ ...node, assignments: [], lastBusyMs: 0, gpusBusyAtMs: 0 })) };
        },
      },
      placements: {
        ...placements,
        fenceIdle: async (fence, node, atMs) => {
          table.changeNode(fence.pool, node, { state: "draining", stateSinceMs: atMs });
          return "done";
        },
      },
    }),
  },
  {
    name: "fresh-token",
    breaks: 4,
    says: "a launch whose response was lost is repeated with another client token",
    plant: ({ fleet }) => {
      let launches = 0;
      return { fleet: { ...fleet, launch: (launch) => fleet.launch({ ...launch, clientToken: `${launch.clientToken}-${++launches}` }) } };
    },
  },
  {
    name: "launches-first",
    breaks: 4,
    says: "EC2 is asked to launch before the intent is recorded",
    plant: ({ fleet, placements }) => ({
      placements: {
        ...placements,
        intend: async (fence, launch, limits) => {
          await fleet.launch(launch);
          return placements.intend(fence, launch, limits);
        },
      },
    }),
  },
  {
    name: "forgets-early",
    breaks: 4,
    says: "a node leaves the ledger although EC2 was never asked to terminate it",
    plant: ({ fleet }) => ({
      fleet: {
        ...fleet,
        terminate: async (ids) => new Map(ids.map((id) => [id, "accepted"])),
        look: async (ids) => new Map(ids.map((id) => [id, "terminated"])),
      },
    }),
  },
  {
    name: "ignores-the-limits",
    breaks: 5,
    says: "an intent is recorded although the limits leave no room for it",
    plant: ({ decisions, placements }) => ({
      decisions: {
        ...decisions,
        load: async (pool, nowMs) => ({ ...(await decisions.load(pool, nowMs)), reserved: never, wider: undefined }),
      },
      placements: { ...placements, intend: (fence, launch) => placements.intend(fence, launch, { pool: { usdPerHour: 1e6, gpus: 1e6 } }) },
    }),
  },
  {
    name: "drops-a-shard",
    breaks: 6,
    says: "the last shard of each part is missing from every list",
    plant: ({ shardStore: store }) => ({
      shardStore: {
        ...boundStore(store),
        write: (of, name, shards) => store.write(of, name, name.startsWith("maps/") ? shards.slice(0, -1) : shards),
      },
    }),
  },
  {
    name: "skips-the-seal",
    breaks: 7,
    says: "an artifact is reported as sealed although it is not",
    plant: ({ artifacts }) => ({
      artifacts: {
        ...boundArtifacts(artifacts),
        seal: async (attempt, file) => ({
          kind: "sealed",
          artifact: { ...file, key: sealedFileKey(attempt, file.path) },
        }),
      },
    }),
  },
  {
    name: "wrong-context",
    breaks: 7,
    says: "files are sealed with the encryption context of the next attempt",
    plant: ({ artifacts }, { artifacts: { incoming, sealed } }) => ({
      artifacts: {
        ...boundArtifacts(artifacts),
        seal: async (attempt, file) => {
          const next = { ...attempt, attempt: attempt.attempt + 1 };
          const bytes = incoming.get(fileKey(attempt, file.path));
          if (bytes) incoming.set(fileKey(next, file.path), bytes);
          const [own, other] = [await artifacts.seal(attempt, file), await artifacts.seal(next, file)];
          const text = other.kind === "sealed" ? sealed.get(other.artifact.key) : undefined;
          if (own.kind === "sealed" && text) sealed.set(own.artifact.key, text);
          return own;
        },
      },
    }),
  },
  {
    name: "drifting-prices",
    breaks: 8,
    says: "prices change during a decision, so that its recorded snapshot is not the one that it used",
    plant: ({ decisions }) => {
      let reads = 0;
      return {
        decisions: {
          ...decisions,
          load: async (pool, nowMs) => {
            const loaded = await decisions.load(pool, nowMs);
            const offers = loaded.catalogue?.offers.map((offer) => ({
              ...offer,
              get usdPerHour() {
                reads += 1;
                return offer.usdPerHour * (reads % 7 === 0 ? 1.3 : 1);
              },
            }));
            return { ...loaded, ...(loaded.catalogue && offers ? { catalogue: { ...loaded.catalogue, offers } } : {}) };
          },
        },
      };
    },
  },
  {
    name: "polls",
    breaks: 9,
    says: "each delayed ring schedules another one",
    plant: ({ bell, lane }) => ({
      bell: {
        ring: async (pool, cause) => {
          if (cause === "later") await lane.sendLater(pool, 30);
          return bell.ring(pool, cause);
        },
      },
    }),
  },
  {
    name: "counts-nobody-out",
    breaks: 4,
    says: "the reserved GPUs of a terminated node are never released",
    plant: ({ placements }, { ledger: { table } }) => ({
      placements: {
        ...placements,
        removeNode: keepingReserved(placements.removeNode, table),
        terminating: keepingReserved(placements.terminating, table),
      },
    }),
  },
  ...bugsOfDuty,
  ...bugsOfSilence,
  ...bugsUnderLoad,
];

export const bugNamed = (name: string): Bug | undefined => bugs.find((bug) => bug.name === name);

type NodeWrite = Placements["removeNode"];
const keepingReserved =
  (write: NodeWrite, table: World["ledger"]["table"]): NodeWrite =>
  async (fence, node, atMs) => {
    const row = table.nodes.get(nodeKey(fence.pool, node));
    const before = { ...table.pool(fence.pool) };
    const written = await write(fence, node, atMs);
    if (row && !row.released && written === "done") table.pool(fence.pool).gpus = before.gpus;
    return written;
  };

/** Returns the methods as a plain object, which keeps them bound to the instance when it is spread. */
const boundArtifacts = (artifacts: SimPorts["artifacts"]): SimPorts["artifacts"] => ({
  uploaded: (attempt) => artifacts.uploaded(attempt),
  seal: (attempt, file) => artifacts.seal(attempt, file),
  sealedList: (attempt) => artifacts.sealedList(attempt),
  sealList: (manifest) => artifacts.sealList(manifest),
});

const boundStore = (store: SimPorts["shardStore"]): SimPorts["shardStore"] => ({
  list: (source) => store.list(source),
  write: (of, name, shards) => store.write(of, name, shards),
  read: (key) => store.read(key),
  writePlan: (of, name, plan) => store.writePlan(of, name, plan),
  sweep: (of, keep) => store.sweep(of, keep),
});
