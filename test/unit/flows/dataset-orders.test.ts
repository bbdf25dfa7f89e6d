import { describe, expect, test } from "vitest";
import type { NodeResponse } from "../../../events/node-call.ts";
import { rebalanceShards } from "../../../lib/flows/rebalance-shards.ts";
import { sweepDatasets } from "../../../lib/flows/tick/sweep-datasets.ts";
import { aDataset, DataWorld, mnist, someShards } from "./dataset-builders.ts";

const ordersOf = (response: NodeResponse): Extract<NodeResponse, { kind: "orders" }> => {
  if (response.kind !== "orders") throw new Error(`the response is ${response.kind}`);
  return response;
};

/** A world with `mnist`, and job a, that reads it, placed on a node that has just booted. */
async function placed(fields: object = { datasets: ["mnist"] }, shards = 4): Promise<DataWorld> {
  const world = new DataWorld();
  world.datasets.put(aDataset());
  world.upload(someShards(shards));
  await world.submit("a", fields);
  await world.workOff();
  return world;
}
/** Handles the messages of the `shards` queue. */
async function workOffShards(world: DataWorld): Promise<void> {
  for (const { team, dataset, relist } of world.shardQueue.take()) await rebalanceShards(world.rebalanceDeps, { team, dataset, relist });
}

describe("a run order", () => {
  test("a run order waits for a map that names the node, requests it, and then says where the shards are listed", async () => {
    const world = await placed();
    const first = ordersOf(await world.call(world.node.id));
    expect(first).toMatchObject({ orders: [], callAgainMs: 1_000 });
    expect(world.shardQueue.sent).toEqual([{ ...mnist, relist: false, delaySeconds: 0 }]);
    expect(world.access.given).toHaveLength(0);
    await workOffShards(world);
    const second = ordersOf(await world.call(world.node.id));
    expect(second.orders).toMatchObject([
      { kind: "run", job: "a", datasets: [{ name: "mnist", version: 1, list: { bucket: "datasets", key: world.mnist.listing?.key } }] },
    ]);
  });

  test("a map is requested every three seconds and not with each call, because a message may be lost", async () => {
    const world = await placed();
    for (let second = 0; second < 7; second += 1) {
      await world.call(world.node.id);
      world.nowMs += 1_000;
    }
    expect(world.shardQueue.sent).toHaveLength(3);
  });

  test("a run order does not use a map of an older listing or for another share", async () => {
    const world = await placed({ datasets: [{ name: "mnist", share: "part" }] });
    await world.call(world.node.id);
    await workOffShards(world);
    const { map, listing } = world.mnist;
    if (!map || !listing) throw new Error("there is no map");
    world.datasets.put({ ...world.mnist, listing: { ...listing, version: 2 } });
    expect(ordersOf(await world.call(world.node.id)).orders).toEqual([]);
    world.datasets.put({
      ...world.mnist,
      listing,
      map: { ...map, holdings: map.holdings.map((each) => ({ ...each, share: "whole" as const })) },
    });
    expect(ordersOf(await world.call(world.node.id)).orders).toEqual([]);
    world.datasets.put({ ...world.mnist, map });
    expect(ordersOf(await world.call(world.node.id)).orders).toHaveLength(1);
  });

  test.each<[string, (world: DataWorld) => void, RegExp]>([
    [
      "has become empty",
      (world) => world.datasets.put({ ...world.mnist, state: "empty" }),
      /^the dataset mnist is empty: there are no objects below s3:/,
    ],
    [
      "cannot be listed",
      (world) => world.datasets.put({ ...world.mnist, state: "failed", trouble: "no bucket" }),
      /cannot be used: no bucket$/,
    ],
    ["was removed", (world) => void world.datasets.records.clear(), /^team vision has no dataset named mnist/],
  ])("a job whose dataset %s fails, its node is free, and the worker stops what it may have started", async (_what, change, why) => {
    const world = await placed();
    await world.call(world.node.id);
    await world.workOff();
    change(world);
    const response = ordersOf(await world.call(world.node.id));
    expect(response.orders).toEqual([{ kind: "stop", team: "vision", job: "a", attempt: 1, because: expect.stringMatching(why) }]);
    expect(world.job("a")).toMatchObject({ state: "failed", endCode: "data-missing", reason: expect.stringMatching(why) });
    expect(world.node.assignments).toEqual([]);
    expect(world.lane.waiting).toEqual(["gpu"]);
  });
});

describe("an attempt that leaves its node", () => {
  /** A world in which job a runs, with its dataset mapped. */
  async function working(): Promise<DataWorld> {
    const world = await placed();
    await world.call(world.node.id);
    await workOffShards(world);
    const of = { team: "vision", job: "a", attempt: 1 };
    await world.call(world.node.id, { attempts: [{ ...of, phase: "running", startedAtMs: world.nowMs }] });
    return world;
  }
  const exit = (world: DataWorld) =>
    world.call(world.node.id, {
      attempts: [{ team: "vision", job: "a", attempt: 1, phase: "exited", exitCode: 1, startedAtMs: world.nowMs }],
    });

  test("an attempt that leaves its node has new maps made without that node", async () => {
    const world = await working();
    expect(world.shardQueue.sent).toEqual([]);
    await exit(world);
    expect(world.shardQueue.sent).toEqual([{ ...mnist, relist: false, delaySeconds: 0 }]);
    await workOffShards(world);
    expect(world.mnist.map).toMatchObject({ version: 2, holdings: [] });
  });

  test("the tick updates the maps of an attempt that left its node if SQS does not respond", async () => {
    const world = await working();
    world.shardQueue.down = true;
    expect(ordersOf(await exit(world)).done).toHaveLength(1);
    world.shardQueue.down = false;
    const deps = { ...world.deps, teams: ["vision", "research"] };
    expect(await sweepDatasets(deps)).toBe(1);
    await workOffShards(world);
    expect(await sweepDatasets(deps)).toBe(0);
    expect(world.mnist.map?.holdings).toEqual([]);
  });

  test("the tick updates the maps of an attempt that was lost with its node", async () => {
    const world = await working();
    world.ledger.table.changeNode("gpu", world.node.id, { state: "gone" });
    expect(await sweepDatasets({ ...world.deps, teams: ["vision"] })).toBe(1);
    expect(world.shardQueue.sent).toMatchObject([mnist]);
  });
});

describe("a submitted job with datasets", () => {
  const sent = async (world: DataWorld, datasets: unknown) => (await world.submit("b", { datasets })).job;

  test("a job waits if its dataset exists or is being listed", async () => {
    const world = new DataWorld();
    world.datasets.put(aDataset());
    expect(await sent(world, ["mnist"])).toMatchObject({ state: "queued", spec: { datasets: [{ name: "mnist", share: "whole" }] } });
  });

  test.each<[string, Partial<ReturnType<typeof aDataset>>, unknown, RegExp]>([
    ["unknown", {}, ["cifar"], /^team vision has no dataset named cifar; add it first$/],
    ["owned by another team", { team: "research" }, ["mnist"], /^team vision has no dataset named mnist/],
    ["empty", { state: "empty" }, ["mnist"], /^the dataset mnist is empty/],
    ["failed", { state: "failed", trouble: "there is no bucket x" }, ["mnist"], /cannot be used: there is no bucket x$/],
    ["named twice", {}, ["mnist", { name: "mnist", share: "part" }], /names the dataset mnist twice/],
  ])("a job is rejected with the reason if its dataset is %s", async (_what, over, datasets, why) => {
    const world = new DataWorld();
    world.datasets.put(aDataset(over));
    expect(await sent(world, datasets)).toMatchObject({ state: "rejected", reason: expect.stringMatching(why) });
  });
});
