import { describe, expect, test } from "vitest";
import { addDataset } from "../../../lib/flows/add-dataset.ts";
import type { RateLimiter } from "../../../lib/flows/ec2/rate-limiter.ts";
import { confirmNodes } from "../../../lib/flows/place/confirm-nodes.ts";
import { claimProbes } from "../../../lib/flows/place/remember-capacity.ts";
import { stepOutcomes } from "../../../lib/flows/place/step-outcomes.ts";
import { rebalanceShards } from "../../../lib/flows/rebalance-shards.ts";
import { sweepOrphans } from "../../../lib/flows/tick/sweep-orphans.ts";
import { MemoryTaggedInstances } from "../../../lib/sim/memory/orphans.ts";
import { aLaunch, anOffer, aRefusal, aSnapshot, monday } from "../../fakes/builders.ts";
import { DataWorld, mnist, someShards } from "./dataset-builders.ts";
import { ModelWorker } from "./model-worker.ts";
import { interruption, onInstance } from "./news.ts";
import { aWorld, type World } from "./world.ts";

const minute = 60_000;
/** Every call of EC2 has its turn at once. */
const always: RateLimiter = { acquire: async () => ({ kind: "granted" }), throttled: async () => ({ kind: "later", atMs: 0 }) };

describe("an offer whose rest is over", () => {
  const refused = aRefusal({ evidence: 2, untilMs: monday + minute });
  const nowMs = monday + 10 * minute;
  const snapshot = aSnapshot({ nowMs, refusals: [refused] });
  const claim = (world: World, atMs: number) => claimProbes(world.ledger.capacity, { launch: aLaunch(), snapshot, atMs });

  test("of two launches at once, only one tries an offer whose rest is over", async () => {
    const world = aWorld();
    await world.ledger.capacity.change(refused, () => refused);
    expect(await claim(world, nowMs)).toEqual([anOffer()]);
    expect(await claim(world, nowMs + 5)).toEqual([]);
  });

  test("a launch may name an offer whose refusal was deleted after the snapshot, because another launch has succeeded", async () => {
    expect(await claim(aWorld(), nowMs)).toEqual([anOffer()]);
  });
});

describe("a member of a gang whose own node is being taken back", () => {
  test("a gang's failure counts if the only node that is being taken back is the failed member's own", async () => {
    const world = aWorld();
    await world.submit("a", { nodes: 2 });
    await world.workOff();
    const ids = world.job("a")?.gang ?? [];
    const workers = ids.map((id) => new ModelWorker(world, id));
    const callAll = async (): Promise<void> => {
      for (const [n, worker] of workers.entries()) await worker.call({ address: `10.0.0.${n}` });
    };
    for (let n = 0; n < 2; n += 1) await callAll();
    for (const worker of workers) worker.begin();
    await callAll();
    await onInstance(world, interruption(ids[1] ?? ""));
    workers[1]?.end(7);
    await workers[1]?.call();
    expect(world.job("a")).toMatchObject({ state: "failed", failures: 1, reason: "member 1: exit code 7" });
  });
});

describe("a node that EC2 has ended", () => {
  test.each([
    ["with a job", true],
    ["without a job", false],
  ])("a node that EC2 has ended %s is recorded as gone, and followed by another decision, which removes it", async (_what, holds) => {
    const world = aWorld();
    await world.submit("a");
    await world.workOff();
    const failed = { team: "vision", job: "a", attempt: 1, phase: "failed", reason: "no", again: false } as const;
    if (!holds) await world.call(world.node.id, { attempts: [failed] });
    world.fleet.end(world.node.id);
    const { fence } = await world.ledger.decisions.begin("gpu");
    const outcomes = stepOutcomes(() => undefined);
    const step = { kind: "confirm" as const, node: world.node.id, because: "it is silent" };
    await confirmNodes({ ...world.deps, rateLimiter: always }, fence, {
      snapshot: aSnapshot({ nodes: world.nodes, nowMs: world.nowMs }),
      steps: [step],
      outcomes,
    });
    expect(outcomes.of(step)).toEqual({ result: "again", note: "EC2 says that the instance has ended" });
    expect(world.nodes).toMatchObject([{ state: "gone" }]);
  });
});

describe("a sweep of instances without an owner", () => {
  async function orphaned() {
    const world = aWorld();
    await world.fleet.launch(aLaunch({ id: "orphan", clientToken: "orphan" }));
    const instances = new MemoryTaggedInstances(world.fleet, () => monday);
    const sweep = (isBusy: (kind: string) => boolean) =>
      sweepOrphans({
        instances,
        orphans: world.ledger.orphans,
        fleet: world.fleet,
        budget: {
          acquire: async ({ kind, nowMs }) => (isBusy(kind) ? { kind: "later", atMs: nowMs + 1_000 } : { kind: "granted" }),
          throttled: async () => ({ withinMs: 0 }),
        },
        now: () => world.nowMs,
      });
    return { world, sweep };
  }

  test("a sweep without a turn at EC2 does not list instances", async () => {
    const { world, sweep } = await orphaned();
    expect(await sweep(() => true)).toEqual({ noted: 0, ended: [] });
    expect(world.ledger.table.orphans.size).toBe(0);
  });

  test("a sweep that cannot write down what it has seen fails, so that the tick reports it", async () => {
    const { world, sweep } = await orphaned();
    world.ledger.wire.failBefore("orphans.record");
    await expect(sweep(() => false)).rejects.toMatchObject({ code: "interrupted" });
  });

  test("a sweep without a turn to terminate leaves the instances to the next sweep", async () => {
    const { world, sweep } = await orphaned();
    await sweep(() => false);
    world.nowMs += 10 * minute;
    expect(await sweep((kind) => kind === "terminate")).toEqual({ noted: 1, ended: [] });
    expect(world.fleet.live).toHaveLength(1);
    expect((await sweep(() => false)).ended).toHaveLength(1);
  });
});

describe("a dataset", () => {
  const added = async (): Promise<{ world: DataWorld; add: (source: string, replace?: boolean) => ReturnType<typeof addDataset> }> => {
    const world = new DataWorld();
    const places = { datasetsBucket: "datasets", dataBuckets: ["scans"] };
    let ids = 0;
    const deps = { ...world.deps, places, newId: () => `id-${++ids}` };
    const add = (source: string, replace = false) => addDataset(deps, { ...mnist, source, replace });
    await add("s3://datasets/vision/mnist/");
    return { world, add };
  };

  test("the new source of a dataset that is replaced is listed", async () => {
    const { world, add } = await added();
    world.shardQueue.take();
    expect(await add("s3://scans/2026/", true)).toMatchObject({ kind: "replaced" });
    expect(world.shardQueue.take()).toMatchObject([{ ...mnist, relist: true }]);
  });

  test("a dataset that changes each time it is read is left to the message's next delivery", async () => {
    const { world } = await added();
    world.upload(someShards(2));
    const { rebalanceDeps } = world;
    const datasets = { ...rebalanceDeps.datasets, get: async () => world.mnist, recordListing: async () => "stale" as const };
    await expect(rebalanceShards({ ...rebalanceDeps, datasets }, { ...mnist, relist: true })).rejects.toMatchObject({
      code: "dataset-busy",
      retry: true,
    });
  });
});
