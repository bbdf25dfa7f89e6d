import { describe, expect, it } from "vitest";
import type { Shard, Source } from "../../../lib/model/dataset.ts";
import type { ShardStore } from "../../../lib/ports/datasets.ts";

export type ShardStage = {
  readonly store: ShardStore;
  readonly source: Source;
  /** Puts objects of these sizes, in bytes, into the source. Returns them as shards. */
  put(paths: Readonly<Record<string, number>>): Promise<readonly Shard[]>;
  now(): number;
};

/** What is written can be read until it is swept. */
export const shardStoreContract = (name: string, make: () => Promise<ShardStage>) =>
  describe(`shards, ${name}`, () => {
    const of = (stage: ShardStage, dataset = "mnist") => ({ team: "vision", dataset, source: stage.source, listing: 1 });

    it("a source is listed by key, and an empty one has no shards", async () => {
      const stage = await make();
      expect(await stage.store.list(stage.source)).toEqual({ kind: "listed", shards: [] });
      const shards = await stage.put({ "b/1": 10, a: 3, "b/0": 0 });
      expect(await stage.store.list(stage.source)).toEqual({
        kind: "listed",
        shards: [...shards].sort((one, two) => (one.key < two.key ? -1 : 1)),
      });
    });

    it("a list of shards is read as it was written, and one that was not written is undefined", async () => {
      const stage = await make();
      const shards = await stage.put({ a: 3, ü: 4 });
      const key = await stage.store.write(of(stage), "shards/1-a", shards);
      expect(key).toBe("_fleetwright/vision/mnist/shards/1-a.json.gz");
      expect(await stage.store.read(key)).toEqual(shards);
      expect(await stage.store.read(`${key}.none`)).toBeUndefined();
    });

    it("a sweep removes what is old and not kept, of that dataset only", async () => {
      const stage = await make();
      const kept = await stage.store.write(of(stage), "shards/1-a", []);
      const list = await stage.store.write(of(stage), "maps/1-a/i-a", []);
      const plan = { version: 1, listing: 1, madeAtMs: 0, moved: 0, movedBytes: 0, nodes: [] };
      await stage.store.writePlan(of(stage), "maps/1-a/plan", plan);
      const other = await stage.store.write(of(stage, "mnist-2"), "shards/1-a", []);
      const keys = new Set([kept]);
      expect(await stage.store.sweep(of(stage), { keys, beforeMs: stage.now() - 60_000 })).toBe(0);
      expect(await stage.store.sweep(of(stage), { keys, beforeMs: stage.now() + 60_000 })).toBe(2);
      expect(await stage.store.read(list)).toBeUndefined();
      expect(await stage.store.read(kept)).toEqual([]);
      expect(await stage.store.read(other)).toEqual([]);
    });
  });
