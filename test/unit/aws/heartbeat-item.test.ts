import { describe, expect, test } from "vitest";
import { expression } from "../../../lib/aws/table/expression.ts";
import { heartbeatChanges, heartbeatOfItem } from "../../../lib/aws/table/items/heartbeat-item.ts";
import { itemsByNode, nodeItem, nodeOf, nodesOf } from "../../../lib/aws/table/items/node-item.ts";
import { heartbeatKey, nodeDatasetsKey, nodeKey, nodePartitions, nodeRange } from "../../../lib/aws/table/keys.ts";
import { itemBytes } from "../../../lib/local/dynamo/item-bytes.ts";
import { type Heartbeat, isSilent } from "../../../lib/model/heartbeat/heartbeat.ts";
import type { GpuSample } from "../../../lib/model/telemetry.ts";
import { aNode, monday } from "../../fakes/builders.ts";

const gpu = (index: number): GpuSample => ({
  index,
  model: "NVIDIA H200 141GB HBM3e SXM",
  utilizationPercent: 97,
  memoryUsedMiB: 139_000,
  memoryTotalMiB: 143_771,
  powerWatts: 698.43,
  temperatureC: 61,
  eccUncorrected: 0,
  throttled: ["sw_power_cap", "hw_thermal_slowdown"],
});

/** Returns the item that the changes make of an empty one. */
function itemOf(beat: Heartbeat): Record<string, unknown> {
  const {
    UpdateExpression = "",
    ExpressionAttributeNames = {},
    ExpressionAttributeValues = {},
  } = expression({
    changes: heartbeatChanges(beat),
  });
  const sets = [...UpdateExpression.matchAll(/(#\d+) = (:\d+)/g)];
  return Object.fromEntries(sets.map(([, name = "", value = ""]) => [ExpressionAttributeNames[name], ExpressionAttributeValues[value]]));
}
const beat = (gpus: number): Heartbeat => ({
  call: 3_000_000_123_456,
  lastSeenMs: monday,
  address: "10.101.102.103",
  gpus: Array.from({ length: gpus }, (_, index) => gpu(index)),
  gpusAtMs: monday,
  gpusBusyAtMs: monday,
});
const stored = (gpus: number) => ({ ...heartbeatKey("gpu", "i-0123456789abcdef0"), session: 3, ...itemOf(beat(gpus)) });

describe("a heartbeat's item", () => {
  test("a heartbeat is read as it was written", () => {
    expect(heartbeatOfItem(stored(8))).toEqual({ session: 3, ...beat(8) });
  });

  test("a GPU sample in which only the index is known is read as it was written", () => {
    const item = { session: 1, ...itemOf({ ...beat(0), gpus: [{ index: 2 }] }) };
    expect(heartbeatOfItem(item).gpus).toEqual([{ index: 2 }]);
  });

  test.each([8, 16])("a heartbeat of %i GPUs with all their figures costs one write unit, because it is at most 1 KiB", (gpus) => {
    expect(itemBytes(stored(gpus))).toBeLessThanOrEqual(1024);
  });
});

describe("a node that is shown as silent", () => {
  test.each([
    ["a ready node is silent more than 150 s after its last heartbeat", "ready", 150_001, true],
    ["a ready node is not silent until then", "ready", 150_000, false],
    ["a draining node can be silent", "draining", 150_001, true],
    ["a node whose end was requested is not shown as silent", "terminating", 900_000, false],
  ] as const)("%s", (_what, state, agoMs, expected) => {
    expect(isSilent({ state, lastSeenMs: monday }, monday + agoMs)).toBe(expected);
  });

  test("a node that has never called is not shown as silent, because it boots", () => {
    expect(isSilent({ state: "ready", lastSeenMs: undefined }, monday)).toBe(false);
  });
});

describe("the items of a node", () => {
  const { lastSeenMs: _seen, readyAtMs: _ready, ...node } = aNode({ id: "i-1" });
  const item = nodeItem(node);

  test("a node without a heartbeat has no lease, because its worker has never called", () => {
    expect(nodeOf({ item })).toMatchObject({});
  });

  test("a node's items are grouped, and what is left of a removed node is ignored", () => {
    const heartbeat = { ...heartbeatKey("gpu", "i-1"), session: 1 };
    const datasets = { ...nodeDatasetsKey("gpu", "i-1"), datasets: [] };
    const other = { ...heartbeatKey("gpu", "i-2"), session: 1 };
    expect(itemsByNode([other, datasets, heartbeat, item])).toEqual([{ item, heartbeat, datasets }]);
  });

  test("a node whose heartbeat cannot be read counts as unreadable as a whole, because it may have its lease", () => {
    const { read, unreadable } = nodesOf([item, { ...heartbeatKey("gpu", "i-1"), session: "one" }]);
    expect(read).toEqual([]);
    expect(unreadable).toMatchObject([{ kind: "node", key: expect.stringContaining(" i-1"), why: expect.stringContaining("session") }]);
  });

  test("a node's items are next to each other, before those of any other node", () => {
    const [from, to] = nodeRange("i-1");
    for (const key of [nodeKey("gpu", "i-1"), heartbeatKey("gpu", "i-1"), nodeDatasetsKey("gpu", "i-1")]) {
      expect(key.pk).toBe(nodeKey("gpu", "i-1").pk);
      expect(from <= key.sk && key.sk <= to).toBe(true);
    }
    for (const other of ["i-10", "i-1a", "i-0", "i-2"]) expect(from <= other && other <= to).toBe(false);
  });

  test("the nodes of a large pool are spread evenly over its partitions", () => {
    const counts = new Map(nodePartitions("gpu").map((pk) => [pk, 0]));
    for (let n = 0; n < 5_000; n += 1) {
      const { pk } = nodeKey("gpu", `i-${(n * 2_654_435_761).toString(16).padStart(17, "0")}`);
      counts.set(pk, (counts.get(pk) ?? 0) + 1);
    }
    // 5,000 heartbeats a minute are 83 write units a second, and no partition gets more than 30 of them.
    for (const count of counts.values()) expect(count / 60).toBeLessThan(30);
  });
});
