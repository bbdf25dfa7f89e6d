import { expect, it } from "vitest";
import { listShards } from "../../../lib/flows/shards/list-shards.ts";
import type { Skipped } from "../../../lib/model/dataset.ts";
import { aDataset, DataWorld, someShards } from "./dataset-builders.ts";

const skipping = (objects: number): Skipped => ({ objects, examples: [{ key: "vision/mnist/a//b", because: "has an empty part" }] });

it("a listing records the objects that it skips, and a change of those alone makes a new version", async () => {
  const world = new DataWorld();
  await world.datasets.add(aDataset(), 1);
  const list = (skipped?: Skipped) => {
    const { shardStore, ...deps } = world.rebalanceDeps;
    const list = async () => ({ kind: "listed", shards: someShards(2), skipped }) as const;
    return listShards({ ...deps, shardStore: { ...shardStore, list } }, world.mnist);
  };
  await list(skipping(1));
  expect(world.mnist).toMatchObject({ state: "ready", listing: { version: 1, shards: 2, skipped: skipping(1) } });
  await list(skipping(1));
  expect(world.mnist.listing?.version).toBe(1);
  await list(skipping(2));
  expect(world.mnist.listing).toMatchObject({ version: 2, skipped: skipping(2) });
  await list();
  expect(world.mnist.listing?.version).toBe(3);
  expect(world.mnist.listing).not.toHaveProperty("skipped");
});
