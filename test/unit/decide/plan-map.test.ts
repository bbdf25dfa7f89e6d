import { expect, test } from "vitest";
import { planMap } from "../../../lib/decide/shards/plan-map.ts";
import type { Shard } from "../../../lib/model/dataset.ts";

test("a listing is compared once, however many nodes hold the whole of it", () => {
  let reads = 0;
  const shard = (key: string, etag: string): Shard => ({
    key,
    bytes: 1,
    get etag() {
      reads += 1;
      return etag;
    },
  });
  const readsFor = (count: number): number => {
    const needs = Array.from({ length: count }, (_, n) => ({ node: `i-${n}`, share: "whole" as const, weight: 1 }));
    reads = 0;
    const now = { shards: [shard("a", "new"), shard("c", "1")], needs };
    const { portions } = planMap(now, { shards: [shard("a", "old"), shard("b", "1"), shard("c", "1")], needs: needs.slice(1) });
    expect(portions[0]).toMatchObject({ gains: 2, gainedBytes: 2, losses: 0 });
    expect(portions.slice(1).map(({ gains, gainedBytes, losses }) => [gains, gainedBytes, losses])).toEqual(
      needs.slice(1).map(() => [1, 1, 2]),
    );
    return reads;
  };
  expect(readsFor(20)).toBe(readsFor(2));
});

test("shards that no node holds any more do not count as moved", () => {
  const shards: readonly Shard[] = [{ key: "a", bytes: 1, etag: "1" }];
  const before = { shards, needs: [{ node: "i-1", share: "part" as const, weight: 1 }] };
  const { moved, movedBytes } = planMap({ shards, needs: [] }, before);
  expect({ moved, movedBytes }).toEqual({ moved: 0, movedBytes: 0 });
});
