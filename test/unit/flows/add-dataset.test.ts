import { describe, expect, test } from "vitest";
import { type AddDeps, addDataset, type NewDataset } from "../../../lib/flows/add-dataset.ts";
import { getDataset, listDatasets, removeDataset } from "../../../lib/flows/datasets.ts";
import { noteObjects } from "../../../lib/flows/note-objects.ts";
import { rebalanceShards } from "../../../lib/flows/rebalance-shards.ts";
import { aNode, anAssignment } from "../../fakes/builders.ts";
import { aDataset, DataWorld, mnist, someShards } from "./dataset-builders.ts";

let ids = 0;
const depsOf = (world: DataWorld): AddDeps => ({
  ...world.deps,
  places: { datasetsBucket: "datasets", dataBuckets: ["scans"] },
  newId: () => `id-${++ids}`,
});
const add = (world: DataWorld, over: Partial<NewDataset> = {}) =>
  addDataset(depsOf(world), { ...mnist, source: "s3://datasets/vision/mnist/", ...over });

describe("adding a dataset", () => {
  test("a new dataset is recorded, and its source is listed", async () => {
    const world = new DataWorld();
    expect(await add(world)).toMatchObject({ kind: "added" });
    expect(world.mnist).toMatchObject({ state: "listing", source: { bucket: "datasets", prefix: "vision/mnist/" } });
    expect(world.shardQueue.sent).toEqual([{ ...mnist, relist: true, delaySeconds: 0 }]);
  });

  test("a dataset that is added again, with or without the last slash, is the same one and is listed again", async () => {
    const world = new DataWorld();
    await add(world);
    const before = world.mnist;
    expect(await add(world, { source: "s3://datasets/vision/mnist" })).toMatchObject({ kind: "same", dataset: { id: before.id } });
    expect(world.mnist).toEqual(before);
    expect(world.shardQueue.sent).toHaveLength(2);
  });

  test("adding a dataset again makes up for a lost message", async () => {
    const world = new DataWorld();
    world.shardQueue.down = true;
    await expect(add(world)).rejects.toThrow("SQS");
    world.shardQueue.down = false;
    expect(await add(world)).toMatchObject({ kind: "same" });
    expect(world.shardQueue.sent).toHaveLength(1);
  });

  test("a dataset from another source is refused unless it replaces the first", async () => {
    const world = new DataWorld();
    await add(world);
    const { id } = world.mnist;
    const other = { source: "s3://scans/2026/" };
    expect(await add(world, other)).toMatchObject({
      kind: "refused",
      what: "taken",
      reason: expect.stringContaining("s3://datasets/vision/mnist/"),
    });
    expect(world.mnist.id).toBe(id);
    expect(await add(world, { ...other, replace: true })).toMatchObject({ kind: "replaced" });
    expect(world.mnist).toMatchObject({ source: { bucket: "scans", prefix: "2026/" }, state: "listing" });
    expect(world.mnist.id).not.toBe(id);
    expect(world.mnist.listing).toBeUndefined();
  });

  test("a team that has as many datasets as it may have cannot add another one, but can change those that it has", async () => {
    const world = new DataWorld();
    world.datasetLimits = { ...world.datasetLimits, perTeam: 2 };
    await add(world);
    await add(world, { dataset: "cifar" });
    expect(await add(world, { dataset: "coco" })).toEqual({
      kind: "refused",
      what: "limit",
      reason: "team vision has 2 datasets, the most that it may have; remove one first",
    });
    expect(world.shardQueue.sent).toHaveLength(2);
    expect(await add(world)).toMatchObject({ kind: "same" });
    expect(await add(world, { source: "s3://scans/2026/", replace: true })).toMatchObject({ kind: "replaced" });
    await removeDataset(world.deps, mnist);
    expect(await add(world, { dataset: "coco" })).toMatchObject({ kind: "added" });
  });

  test.each<[string, Partial<NewDataset>, "name" | "source", RegExp]>([
    ["another team's data", { source: "s3://datasets/research/mnist/" }, "source", /team vision must be below s3:\/\/datasets\/vision\/$/],
    ["a team with a name that begins the same", { source: "s3://datasets/vision-2/" }, "source", /must be below/],
    ["what Fleetwright writes itself", { source: "s3://datasets/_fleetwright/vision/" }, "source", /must be below/],
    ["the whole bucket of all teams", { source: "s3://datasets" }, "source", /must be below/],
    [
      "a bucket that is not configured",
      { source: "s3://elsewhere/x/" },
      "source",
      /may not read the bucket elsewhere.*scans.*"dataBuckets"/,
    ],
    ["a local path", { source: "/data/mnist" }, "source", /is not an address like s3:\/\/bucket\/prefix\/$/],
    ["an endless prefix", { source: `s3://scans/${"x".repeat(1000)}/` }, "source", /longer than 900 bytes/],
    ["an invalid name", { dataset: "My Data" }, "name", /^a dataset is/],
  ])("a new dataset is refused: %s", async (_what, over, what, because) => {
    const world = new DataWorld();
    expect(await add(world, over)).toMatchObject({ kind: "refused", what, reason: expect.stringMatching(because) });
    expect(world.datasets.records.size).toBe(0);
    expect(world.shardQueue.sent).toEqual([]);
  });
});

describe("an existing dataset", () => {
  test("a dataset is shown with the nodes that hold it and what they have fetched", async () => {
    const world = new DataWorld();
    world.datasets.put(aDataset());
    world.upload(someShards(3));
    const fetched = { ...mnist, version: 1, shards: 3, bytes: 300 };
    world.ledger.table.putNode(
      aNode({ id: "i-a", assignments: [anAssignment({ datasets: [{ name: "mnist", share: "whole" }] })], datasets: [fetched] }),
    );
    await rebalanceShards(world.rebalanceDeps, { ...mnist, relist: false });
    const { deps } = world;
    expect(await getDataset(deps, mnist)).toMatchObject({ dataset: { state: "ready" }, holders: [{ node: "i-a", shards: 3, fetched }] });
    expect(await getDataset(deps, { ...mnist, dataset: "cifar" })).toBeUndefined();
    expect(await listDatasets(deps, "vision")).toMatchObject([mnist]);
    expect(await listDatasets(deps, "research")).toEqual([]);
  });

  test("a dataset is removed once, and its lists and maps are deleted later", async () => {
    const world = new DataWorld();
    world.datasets.put(aDataset());
    const { deps } = world;
    expect(await removeDataset(deps, mnist)).toBe("removed");
    expect(await removeDataset(deps, mnist)).toBe("unknown");
    expect(world.shardQueue.sent).toEqual([{ ...mnist, relist: false, delaySeconds: 900 }]);
  });
});

describe("created and deleted objects", () => {
  const note = (world: DataWorld, keys: readonly string[], bucket = "datasets") =>
    noteObjects({ ...world.deps, datasetsBucket: "datasets" }, { bucket, keys });
  const withTwo = (): DataWorld => {
    const world = new DataWorld();
    world.datasets.put(aDataset());
    world.datasets.put(aDataset({ dataset: "all", source: { bucket: "datasets", prefix: "vision/" } }));
    return world;
  };

  test("changed objects cause one listing of each dataset with them, for all changes within two seconds", async () => {
    const world = withTwo();
    expect(await note(world, ["vision/mnist/1", "vision/mnist/2"])).toEqual({ requested: ["all", "mnist"], foreign: 0 });
    expect(world.shardQueue.take()).toMatchObject([
      { dataset: "all", relist: true, delaySeconds: 2 },
      { dataset: "mnist", relist: true, delaySeconds: 2 },
    ]);
    world.nowMs += 1_500;
    expect(await note(world, ["vision/mnist/3"])).toEqual({ requested: [], foreign: 0 });
    world.nowMs += 500;
    expect(await note(world, ["vision/cifar/1"])).toEqual({ requested: ["all"], foreign: 0 });
  });

  test("a dataset of another bucket is not listed because of objects with the same prefix, and they count as foreign", async () => {
    const world = new DataWorld();
    world.datasets.put(aDataset({ source: { bucket: "scans", prefix: "vision/mnist/" } }));
    expect(await note(world, ["vision/mnist/1"])).toEqual({ requested: [], foreign: 1 });
    expect(world.shardQueue.take()).toEqual([]);
  });

  test("changed objects are not forgotten if the message about them is lost", async () => {
    const world = withTwo();
    world.shardQueue.down = true;
    await expect(note(world, ["vision/mnist/1"])).rejects.toThrow("SQS");
    world.shardQueue.down = false;
    expect(await note(world, ["vision/mnist/1"])).toMatchObject({ requested: ["all", "mnist"] });
  });

  test.each<[string, string, string]>([
    ["of no dataset", "research/x", "datasets"],
    ["in another bucket", "vision/mnist/1", "elsewhere"],
    ["that Fleetwright wrote itself", "_fleetwright/vision/mnist/shards/1.json.gz", "datasets"],
    ["in no folder", "readme", "datasets"],
  ])("objects %s are only counted", async (_what, key, bucket) => {
    const world = withTwo();
    expect(await note(world, [key], bucket)).toEqual({ requested: [], foreign: 1 });
    expect(world.shardQueue.sent).toEqual([]);
  });
});

test("a prefix may have 900 bytes", async () => {
  const source = (bytes: number) => `s3://scans/${"x".repeat(bytes - 1)}/`;
  expect(await add(new DataWorld(), { source: source(900) })).toMatchObject({ kind: "added" });
  expect(await add(new DataWorld(), { source: source(901) })).toMatchObject({ kind: "refused", what: "source" });
});

test("a refused bucket's reason names the buckets that jobs may read, if there are any", async () => {
  const refused = async (dataBuckets: readonly string[]) => {
    const world = new DataWorld();
    return addDataset({ ...depsOf(world), places: { datasetsBucket: "datasets", dataBuckets } }, { ...mnist, source: "s3://other/x/" });
  };
  expect(await refused(["scans"])).toMatchObject({ reason: expect.stringContaining("/vision/, or in: scans; or ask the admin") });
  expect(await refused([])).toMatchObject({ reason: expect.stringContaining("/vision/; or ask the admin") });
});
