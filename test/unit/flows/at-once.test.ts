import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { getDataset } from "../../../lib/flows/datasets.ts";
import { requestEnds } from "../../../lib/flows/ec2/end-requests.ts";
import type { RateLimiter } from "../../../lib/flows/ec2/rate-limiter.ts";
import { handleNodeCall } from "../../../lib/flows/handle-node-call.ts";
import { datasetsFor } from "../../../lib/flows/node/dataset-orders.ts";
import { confirmNodes } from "../../../lib/flows/place/confirm-nodes.ts";
import { claimProbes, learn } from "../../../lib/flows/place/remember-capacity.ts";
import { stepByStep, stepOutcomes } from "../../../lib/flows/place/step-outcomes.ts";
import { rebalanceShards } from "../../../lib/flows/rebalance-shards.ts";
import { sealAttempt } from "../../../lib/flows/seal-attempt.ts";
import { sweepLog } from "../../../lib/flows/seal-log.ts";
import { aJob, aLaunch, aNode, anAssignment, anEntry, anOffer, aPool, aRefusal, aSnapshot, monday } from "../../fakes/builders.ts";
import { aDataset, DataWorld, mnist, someShards } from "./dataset-builders.ts";
import { aWorld } from "./world.ts";

/** Counts how many calls of a method are under way at the same time. */
class Gauge {
  most = 0;
  #now = 0;

  /** Returns the same object, whose method takes a while. */
  on<T extends object>(real: T, method: keyof T & string): T {
    return new Proxy(real, {
      get: (target, name) => {
        const own: unknown = Reflect.get(target, name);
        if (typeof own !== "function") return own;
        if (name !== method) return own.bind(target);
        return async (...args: unknown[]): Promise<unknown> => {
          this.most = Math.max(this.most, ++this.#now);
          await setImmediate();
          this.#now -= 1;
          return Reflect.apply(own, target, args);
        };
      },
    });
  }
}

const many = Array.from({ length: 40 }, (_, n) => n);
const manyPools = many.map((n) => aPool({ name: `p${n}` }));
const always: RateLimiter = { acquire: async () => ({ kind: "granted" }), throttled: async () => ({ kind: "later", atMs: 0 }) };
const fence = { pool: "gpu", epoch: 1 };

const flows: Readonly<Record<string, { most: number; run: (gauge: Gauge) => Promise<unknown> }>> = {
  "showing a dataset reads the nodes of 8 pools": {
    most: 8,
    run: async (gauge) => {
      const world = new DataWorld();
      const holding = { node: "i-1", share: "whole" as const, weight: 1, shards: 1, bytes: 1, list: "list" };
      const map = {
        version: 1,
        listing: 1,
        madeAtMs: monday,
        moved: 0,
        movedBytes: 0,
        listingKey: "all",
        plan: "plan",
        holdings: [holding],
      };
      world.datasets.put(aDataset({ map }));
      await getDataset({ ...world.deps, poolNodes: gauge.on(world.ports.poolNodes, "nodes"), pools: manyPools }, mnist);
    },
  },
  "dealing a dataset out reads the nodes of 8 pools": {
    most: 8,
    run: async (gauge) => {
      const world = new DataWorld();
      world.datasets.put(aDataset());
      world.upload(someShards(1));
      const poolNodes = gauge.on(world.ports.poolNodes, "nodes");
      await rebalanceShards({ ...world.rebalanceDeps, poolNodes, pools: manyPools }, { ...mnist, relist: true });
    },
  },
  "dealing a dataset out writes 8 lists": {
    most: 8,
    run: async (gauge) => {
      const world = new DataWorld();
      world.datasets.put(aDataset());
      world.upload(someShards(200));
      for (const n of many) {
        const datasets = [{ name: "mnist", share: "part" as const }];
        world.ledger.table.putNode(aNode({ id: `i-${n}`, assignments: [anAssignment({ datasets })] }));
      }
      await rebalanceShards({ ...world.rebalanceDeps, shardStore: gauge.on(world.store, "write") }, { ...mnist, relist: true });
    },
  },
  "a run order reads 8 datasets": {
    most: 8,
    run: (gauge) => {
      const world = new DataWorld();
      const uses = many.map((n) => ({ name: `d${n}`, share: "whole" as const }));
      const datasets = gauge.on(world.datasets, "get");
      return datasetsFor({ ...world.deps, datasets }, { node: "i-1", team: "vision", uses, nowMs: monday });
    },
  },
  "an attempt is sealed in 4 streams": {
    most: 4,
    run: (gauge) => {
      const world = aWorld();
      const attempt = { team: "vision", job: "train-1", attempt: 1 };
      world.ledger.table.putJob(aJob({ state: "sealing" }));
      world.ports.artifacts.upload(attempt, Object.fromEntries(many.map((n) => [`${n}.bin`, "weights"])));
      return sealAttempt({ ...world.deps, artifacts: gauge.on(world.ports.artifacts, "seal") }, attempt);
    },
  },
  "the rest of a log is sealed in 4 streams": {
    most: 4,
    run: (gauge) => {
      const attempt = { team: "vision", job: "train-1", attempt: 1 };
      const segments = {
        unsealed: async () => many.map((number) => ({ ...attempt, rank: 0, number })),
        seal: async () => ({ kind: "sealed" as const, bytes: 1 }),
      };
      return sweepLog({ segments: gauge.on(segments, "seal") }, attempt);
    },
  },
  "4 calls ask EC2 to end instances": {
    most: 4,
    run: async (gauge) => {
      const world = aWorld();
      const { fence: own } = await world.ledger.decisions.begin("gpu");
      const ids = Array.from({ length: 1_000 }, (_, n) => `i-${n}`);
      await requestEnds({ ...world.deps, fleet: gauge.on(world.fleet, "terminate"), rateLimiter: always }, own, ids);
    },
  },
  "4 calls ask EC2 about instances": {
    most: 4,
    run: (gauge) => {
      const world = aWorld();
      const nodes = Array.from({ length: 1_000 }, (_, n) => aNode({ id: `i-${n}`, state: "launching" }));
      for (const node of nodes)
        world.fleet.instances.set(node.id, { ...node, instanceType: "", zone: "", launch: aLaunch(), offer: anOffer(), over: false });
      const on = {
        snapshot: aSnapshot({ nodes }),
        steps: nodes.map(({ id }) => ({ kind: "confirm" as const, node: id, because: "" })),
        outcomes: stepOutcomes(() => undefined),
      };
      return confirmNodes({ ...world.deps, fleet: gauge.on(world.fleet, "look"), rateLimiter: always }, fence, on);
    },
  },
  "a decision changes 16 nodes": {
    most: 16,
    run: (gauge) => {
      const steps = many.map((n) => ({ kind: "bind" as const, entry: anEntry(), node: `i-${n}`, because: "" }));
      const work = gauge.on({ take: async () => ({ result: "done" as const, note: "" }) }, "take");
      return stepByStep(
        steps,
        stepOutcomes(() => undefined),
        () => work.take(),
      );
    },
  },
  "what EC2 taught is written 8 at a time": {
    most: 8,
    run: (gauge) => {
      const memory = gauge.on({ change: async () => true }, "change");
      return learn(
        memory,
        many.map((n) => ({ subject: { why: "capacity", ...anOffer({ zone: `${n}` }) }, next: () => undefined })),
      );
    },
  },
  "8 claims of offers are under way": {
    most: 8,
    run: (gauge) => {
      const offers = many.map((n) => anOffer({ zone: `${n}` }));
      const refusals = many.map((n) => aRefusal({ zone: `${n}`, untilMs: monday - 1 }));
      const memory = gauge.on({ change: async () => true }, "change");
      return claimProbes(memory, { launch: aLaunch({ offers }), snapshot: aSnapshot({ refusals }), atMs: monday });
    },
  },
  "16 reports that change nothing are handled": {
    most: 16,
    run: (gauge) => {
      const world = aWorld();
      const assignments = many.map((n) => anAssignment({ job: `j${n}`, phase: "running", process: "p1" }));
      world.ledger.table.putNode(aNode({ id: "i-1", assignments, session: 1 }));
      for (const { job } of assignments) world.ledger.table.putJob(aJob({ job, state: "running", node: "i-1" }));
      const attempts = assignments.map(({ team, job, attempt }) => ({
        team,
        job,
        attempt,
        phase: "running" as const,
        startedAtMs: monday,
      }));
      return handleNodeCall(
        { ...world.deps, nodeLedger: gauge.on(world.ledger.nodeLedger, "job") },
        "i-1",
        world.report("i-1", { attempts }),
      );
    },
  },
};

test.each(Object.entries(flows))("at most as many calls are under way at once as intended: %s", async (_name, { most, run }) => {
  const gauge = new Gauge();
  await run(gauge);
  expect(gauge.most).toBe(most);
});
