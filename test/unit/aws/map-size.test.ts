import { expect, test } from "vitest";
import { mapFits, maxHoldings } from "../../../lib/aws/table/datasets/dataset-item.ts";
import type { ShardMap } from "../../../lib/model/dataset.ts";
import { monday } from "../../fakes/builders.ts";

const mapOf = (nodes: number): ShardMap => ({
  version: 1,
  listing: 1,
  listingKey: "shards/1",
  madeAtMs: monday,
  holdings: Array.from({ length: nodes }, (_, n) => ({ node: `i-${n}`, share: "part", weight: 1, shards: 1, bytes: 1, list: "maps/1" })),
  moved: 0,
  movedBytes: 0,
  plan: "maps/1/plan",
});

test("a shard map for more nodes than its item can hold is refused with the numbers", () => {
  const mnist = { team: "vision", dataset: "mnist" };
  expect(() => mapFits(mnist, mapOf(maxHoldings))).not.toThrow();
  expect(() => mapFits(mnist, mapOf(maxHoldings + 1))).toThrow("1501 nodes need the dataset vision/mnist at once, but at most 1500 may");
});
