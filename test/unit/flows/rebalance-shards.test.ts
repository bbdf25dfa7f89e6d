import { describe, expect, test } from "vitest";
import { rebalanceShards } from "../../../lib/flows/rebalance-shards.ts";
import type { Assignment } from "../../../lib/model/node.ts";
import { aNode, anAssignment, aType } from "../../fakes/builders.ts";
import { aDataset, DataWorld, mnist, someShards } from "./dataset-builders.ts";

const reads = (share: "whole" | "part", over: Partial<Assignment> = {}): Assignment =>
  anAssignment({ datasets: [{ name: "mnist", share }], ...over });

/** A world with `mnist`, this many shards of it, and these nodes that read it. */
async function shardedWorld(shards: number, nodes: Readonly<Record<string, "whole" | "part">> = {}): Promise<DataWorld> {
  const world = new DataWorld();
  world.datasets.put(aDataset());
  world.upload(someShards(shards));
  for (const [id, share] of Object.entries(nodes)) join(world, id, share);
  return world;
}
const join = (world: DataWorld, id: string, share: "whole" | "part", gpus = 1): void =>
  world.ledger.table.putNode(
    aNode({ id, assignments: [reads(share)], type: aType({ resources: { vcpus: 4 * gpus, memoryGiB: 16, gpus } }) }),
  );
const leave = (world: DataWorld, id: string): void => void world.ledger.table.changeNode("gpu", id, { assignments: [] });
const run = (world: DataWorld, relist = false) => rebalanceShards(world.rebalanceDeps, { ...mnist, relist });
const listOf = async (world: DataWorld, node: string): Promise<string[]> => {
  const holding = world.mnist.map?.holdings.find((each) => each.node === node);
  return ((await world.store.read(holding?.list ?? "")) ?? []).map((shard) => shard.key);
};

describe("a dataset", () => {
  test("a new dataset is listed, and has no map while no node needs it", async () => {
    const world = await shardedWorld(3);
    expect(await run(world)).toEqual({ kind: "same", listing: 1, map: 0, nodes: 0, moved: 0 });
    expect(world.mnist).toMatchObject({ state: "ready", listing: { version: 1, shards: 3, bytes: 300 } });
    expect(world.mnist.map).toBeUndefined();
    expect(await world.store.read(world.mnist.listing?.key ?? "")).toEqual(someShards(3));
  });

  test("a new listing of a dataset makes a new version only if something has changed", async () => {
    const world = await shardedWorld(3);
    await run(world);
    const before = world.mnist;
    await run(world, true);
    expect(world.mnist).toEqual(before);
    world.upload([...someShards(2), { key: "vision/mnist/0002.bin", bytes: 100, etag: "e2" }]);
    await run(world, true);
    expect(world.mnist.listing).toMatchObject({ version: 2, shards: 3 });
    expect(world.mnist.listing?.digest).not.toBe(before.listing?.digest);
  });

  test("a dataset is not listed if only its nodes have changed", async () => {
    const world = await shardedWorld(3);
    await run(world);
    await run(world);
    expect(world.store.interruptions.calls.list).toBe(1);
  });

  test("a dataset without objects is empty, and ready again when there are some", async () => {
    const world = await shardedWorld(0);
    await run(world);
    expect(world.mnist.state).toBe("empty");
    world.upload(someShards(1));
    await run(world, true);
    expect(world.mnist.state).toBe("ready");
  });

  test("a dataset that cannot be listed fails with the reason; one that was listed before stays ready and shows it", async () => {
    const world = await shardedWorld(3);
    world.store.sources.set("s3://datasets/vision/mnist/", { trouble: "there is no bucket datasets" });
    expect(await run(world)).toEqual({ kind: "trouble", trouble: "there is no bucket datasets" });
    expect(world.mnist).toMatchObject({ state: "failed", trouble: "there is no bucket datasets" });
    world.upload(someShards(3));
    await run(world, true);
    world.store.sources.set("s3://datasets/vision/mnist/", { trouble: "gone" });
    await run(world, true);
    expect(world.mnist).toMatchObject({ state: "ready", trouble: "gone", listing: { version: 1 } });
    world.upload(someShards(3));
    await run(world, true);
    expect(world.mnist.trouble).toBeUndefined();
  });

  test("a source that was listed as often as it may be is listed again in the next interval, once for all requests until then", async () => {
    const world = await shardedWorld(3, { "i-a": "part" });
    world.datasetLimits = { ...world.datasetLimits, listingSeconds: 60, listingsPerSource: 2 };
    await run(world);
    await run(world, true);
    world.upload(someShards(5));
    world.nowMs += 20_000;
    for (let n = 0; n < 4; n += 1) expect(await run(world, true)).toMatchObject({ kind: "same", listing: 1, map: 1 });
    expect(world.store.interruptions.calls.list).toBe(2);
    expect(world.shardQueue.take()).toEqual([{ ...mnist, relist: true, delaySeconds: 40 }]);
    world.nowMs += 40_000;
    expect(await run(world, true)).toMatchObject({ kind: "changed", listing: 2, map: 2 });
    expect(world.mnist.listing?.shards).toBe(5);
    expect(world.shardQueue.take()).toEqual([]);
  });

  test("a dataset that cannot be listed yet has no map, and is listed in the next interval even if the queue did not respond", async () => {
    const world = await shardedWorld(3);
    world.datasetLimits = { ...world.datasetLimits, listingSeconds: 60, listingsPerTeam: 1 };
    await run(world);
    world.datasets.put(aDataset({ id: "second", dataset: "cifar" }));
    const cifar = () => rebalanceShards(world.rebalanceDeps, { team: "vision", dataset: "cifar", relist: true });
    world.shardQueue.down = true;
    await expect(cifar()).rejects.toThrow("SQS");
    world.shardQueue.down = false;
    expect(await cifar()).toEqual({ kind: "later" });
    expect(await cifar()).toEqual({ kind: "later" });
    expect(world.shardQueue.take()).toEqual([{ team: "vision", dataset: "cifar", relist: true, delaySeconds: 60 }]);
    world.nowMs += 60_000;
    expect(await cifar()).toMatchObject({ kind: "same", listing: 1 });
  });

  test("only the lists and maps of an unknown or removed dataset are deleted", async () => {
    const world = await shardedWorld(3, { "i-a": "part" });
    await run(world);
    world.datasets.records.clear();
    expect(await run(world)).toEqual({ kind: "unknown" });
    expect(world.store.written.size).toBeGreaterThan(0);
    world.nowMs += 11 * 60_000;
    expect(await run(world, true)).toEqual({ kind: "unknown" });
    expect(world.store.written.size).toBe(0);
  });
});

describe("a map", () => {
  test("a map gives whole nodes the listing itself, and deals parts out so that each shard has one holder", async () => {
    const world = await shardedWorld(40, { "i-a": "whole", "i-b": "part", "i-c": "part" });
    expect(await run(world)).toMatchObject({ kind: "changed", map: 1, nodes: 3, moved: 0 });
    expect(world.mnist.map?.holdings.map(({ node, share, shards }) => [node, share, shards])).toEqual([
      ["i-a", "whole", 40],
      ["i-b", "part", expect.any(Number)],
      ["i-c", "part", expect.any(Number)],
    ]);
    expect(world.mnist.map?.holdings[0]?.list).toBe(world.mnist.listing?.key);
    const dealt = [...(await listOf(world, "i-b")), ...(await listOf(world, "i-c"))];
    expect(dealt.sort()).toEqual(someShards(40).map((shard) => shard.key));
  });

  test("a map stays as it is if nothing has changed", async () => {
    const world = await shardedWorld(10, { "i-a": "part" });
    await run(world);
    const before = world.mnist;
    expect(await run(world)).toMatchObject({ kind: "same", map: 1 });
    expect(await run(world, true)).toMatchObject({ kind: "same", map: 1 });
    expect(world.mnist).toEqual(before);
  });

  test("a new shard map moves only the shards of a node that left, and the plan of the move is recorded", async () => {
    const world = await shardedWorld(60, { "i-a": "part", "i-b": "part", "i-c": "part" });
    await run(world);
    const before = new Map(await Promise.all(["i-a", "i-b", "i-c"].map(async (node) => [node, await listOf(world, node)] as const)));
    leave(world, "i-b");
    const moved = before.get("i-b")?.length ?? 0;
    expect(await run(world)).toMatchObject({ kind: "changed", map: 2, moved });
    expect(moved).toBeGreaterThan(0);
    for (const node of ["i-a", "i-c"]) expect(await listOf(world, node)).toEqual(expect.arrayContaining(before.get(node) ?? []));
    expect(world.store.written.get(world.mnist.map?.plan ?? "")?.value).toMatchObject({
      version: 2,
      from: 1,
      moved,
      movedBytes: moved * 100,
      nodes: [
        { node: "i-a", losses: 0 },
        { node: "i-c", losses: 0 },
      ],
    });
  });

  test("a new map keeps the list of a node for which nothing changes", async () => {
    const world = await shardedWorld(1, { "i-a": "part" });
    await run(world);
    const list = world.mnist.map?.holdings[0]?.list;
    join(world, "i-b", "part");
    await run(world);
    const after = world.mnist.map?.holdings ?? [];
    const holder = after.find((each) => each.shards === 1);
    if (holder?.node === "i-a") expect(holder.list).toBe(list);
    expect(after.map((each) => each.shards).sort()).toEqual([0, 1]);
  });

  test("a shard map follows a change of its dataset's source", async () => {
    const world = await shardedWorld(10, { "i-a": "part", "i-b": "whole" });
    await run(world);
    world.upload(someShards(11));
    expect(await run(world, true)).toMatchObject({ kind: "changed", listing: 2, map: 2, moved: 0 });
    expect(await listOf(world, "i-a")).toHaveLength(11);
    expect(await listOf(world, "i-b")).toHaveLength(11);
  });

  test("a shard map weighs nodes by their GPUs, and nodes without GPUs by their vCPUs", async () => {
    const world = await shardedWorld(10);
    join(world, "i-a", "part", 4);
    world.ledger.table.putNode(
      aNode({ id: "i-b", assignments: [reads("part")], type: aType({ resources: { vcpus: 96, memoryGiB: 4, gpus: 0 } }) }),
    );
    await run(world);
    expect(world.mnist.map?.holdings.map((each) => each.weight)).toEqual([4, 96]);
  });

  test.each(["terminating", "gone"] as const)("a map names no node that is %s, and no node of another team's dataset", async (state) => {
    const world = await shardedWorld(10, { "i-a": "part" });
    world.ledger.table.putNode(aNode({ id: "i-b", state, assignments: [reads("part")] }));
    world.ledger.table.putNode(aNode({ id: "i-c", team: "research", assignments: [reads("part", { team: "research" })] }));
    world.ledger.table.putNode(aNode({ id: "i-d", assignments: [anAssignment({ datasets: [{ name: "cifar", share: "part" }] })] }));
    await run(world);
    expect(world.mnist.map?.holdings.map((each) => each.node)).toEqual(["i-a"]);
  });

  test("a map is emptied when no node needs the dataset any more, and its old lists are deleted after a while", async () => {
    const world = await shardedWorld(10, { "i-a": "part" });
    await run(world);
    const old = world.mnist.map?.holdings[0]?.list ?? "";
    leave(world, "i-a");
    await run(world);
    expect(world.mnist.map).toMatchObject({ version: 2, holdings: [] });
    expect(world.store.written.has(old)).toBe(true);
    world.nowMs += 11 * 60_000;
    join(world, "i-b", "part");
    await run(world);
    expect(world.store.written.has(old)).toBe(false);
    expect(await listOf(world, "i-b")).toHaveLength(10);
    expect(await world.store.read(world.mnist.listing?.key ?? "")).toHaveLength(10);
  });
});

describe("the list of a node", () => {
  test("a shard list that a node may just have received is kept when a new map replaces its map, however old it is", async () => {
    const world = await shardedWorld(10, { "i-a": "part", "i-b": "whole" });
    await run(world);
    const oldLists = (world.mnist.map?.holdings ?? []).map((holding) => holding.list);
    world.nowMs += 3_600_000;
    join(world, "i-c", "part");
    world.upload(someShards(11));
    await run(world, true);
    expect(oldLists.filter((list) => !world.store.written.has(list))).toEqual([]);
  });
});

describe("two rebalancing runs at once", () => {
  test("two runs at once make one map, because the later one reads again and finds nothing left to do", async () => {
    const world = await shardedWorld(20, { "i-a": "part", "i-b": "part" });
    const [one, two] = await Promise.all([run(world), run(world)]);
    expect([one.kind, two.kind].sort()).toEqual(["changed", "same"]);
    expect(world.mnist).toMatchObject({ listing: { version: 1 }, map: { version: 1 } });
  });

  test("if one of two runs sees one more node, the map ends with that node, whichever writes first", async () => {
    const world = await shardedWorld(20, { "i-a": "part" });
    await run(world);
    world.datasets.interruptions.before("recordMap", async () => {
      join(world, "i-c", "part");
      await run(world);
    });
    join(world, "i-b", "part");
    await run(world);
    expect(world.mnist.map).toMatchObject({ version: 2 });
    expect(world.mnist.map?.holdings.map((each) => each.node)).toEqual(["i-a", "i-b", "i-c"]);
  });

  test("a run for a replaced dataset leaves no trace in the new one", async () => {
    const world = await shardedWorld(20, { "i-a": "part" });
    world.datasets.interruptions.before("recordListing", () =>
      world.datasets.put(aDataset({ id: "second", source: { bucket: "other", prefix: "" } })),
    );
    world.store.sources.set("s3://other/", someShards(2));
    await run(world);
    expect(world.mnist).toMatchObject({ id: "second", listing: { shards: 2 }, map: { version: 1 } });
  });

  test.each(["recordListing", "recordMap"] as const)("a repeat after a lost response of %s finds the work done", async (method) => {
    const world = await shardedWorld(20, { "i-a": "part" });
    world.datasets.interruptions.loseResponseOf(method);
    await expect(run(world)).rejects.toMatchObject({ retry: true });
    await run(world);
    expect(world.mnist).toMatchObject({ listing: { version: 1 }, map: { version: 1, holdings: [{ node: "i-a", shards: 20 }] } });
  });
});
