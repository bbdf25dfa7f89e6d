import { describe, expect, it } from "vitest";
import type { Dataset, ShardListing, ShardMap } from "../../../lib/model/dataset.ts";
import type { Datasets } from "../../../lib/ports/datasets.ts";
import { monday } from "../../fakes/builders.ts";

const many = 100;
const ref = { team: "vision", dataset: "mnist" };
const aDataset = (over: Partial<Dataset> = {}): Dataset => ({
  ...ref,
  id: "first",
  source: { bucket: "datasets", prefix: "vision/mnist/" },
  state: "listing",
  addedAtMs: monday,
  ...over,
});
const aListing = (over: Partial<ShardListing> = {}): ShardListing => ({
  version: 1,
  shards: 3,
  bytes: 300,
  digest: "d1",
  key: "_fleetwright/vision/mnist/shards/1-a.json.gz",
  ...over,
});
const aMap = (over: Partial<ShardMap> = {}): ShardMap => ({
  version: 1,
  listing: 1,
  listingKey: aListing().key,
  madeAtMs: monday,
  holdings: [{ node: "i-a", share: "part", weight: 1, shards: 3, bytes: 300, list: "maps/1-a/i-a.json.gz" }],
  moved: 0,
  movedBytes: 0,
  plan: "maps/1-a/plan.json.gz",
  ...over,
});

/** A name is given only once, and a write succeeds only if nothing has changed since the dataset was read. */
export const datasetsContract = (name: string, make: () => Promise<Datasets>) =>
  describe(`datasets, ${name}`, () => {
    const added = async (over: Partial<Dataset> = {}): Promise<{ datasets: Datasets; read: () => Promise<Dataset> }> => {
      const datasets = await make();
      await datasets.add(aDataset(over), many);
      const read = async (): Promise<Dataset> => {
        const found = await datasets.get(ref);
        if (!found) throw new Error("it is not there");
        return found;
      };
      return { datasets, read };
    };

    it("if many datasets are added under one name at once, one of them gets the name, and every call returns that one", async () => {
      const datasets = await make();
      expect(await datasets.get(ref)).toBeUndefined();
      const all = await Promise.all(Array.from({ length: 10 }, (_, n) => datasets.add(aDataset({ id: `id-${n}` }), many)));
      const there = await datasets.get(ref);
      expect(new Set(all.map((each) => (each === "full" ? each : each.id)))).toEqual(new Set([there?.id]));
      expect(await datasets.add(aDataset({ id: "late" }), many)).toEqual(there);
    });

    it("a team never has more datasets than it may, however many are added at once, and a removed one makes room", async () => {
      const datasets = await make();
      const add = (n: number) => datasets.add(aDataset({ dataset: `d${n}`, id: `id-${n}` }), 3);
      const added = await Promise.all([1, 2, 3, 4, 5, 6].map(add));
      expect(added.filter((each) => each === "full")).toHaveLength(3);
      const there = await datasets.list("vision");
      expect(there).toHaveLength(3);
      expect(await add(7)).toBe("full");
      const [first] = there;
      expect(await datasets.add(aDataset({ dataset: first?.dataset ?? "", id: "again" }), 3), "a name that is in use").toEqual(first);
      expect(await datasets.add(aDataset({ team: "audio" }), 3)).toMatchObject({ team: "audio" });
      expect(await datasets.remove(first ?? ref)).toBe("done");
      expect(await datasets.remove(first ?? ref)).toBe("absent");
      expect(await add(8)).toMatchObject({ dataset: "d8" });
      expect(await add(9)).toBe("full");
    });

    it("a source is listed at most so often per interval, and so are all sources of a team together", async () => {
      const datasets = await make();
      const every = { everyMs: 60_000, perSource: 2, perTeam: 3 };
      const claim = (prefix: string, nowMs: number, team = "vision") =>
        datasets.claimListing({ team, source: { bucket: "datasets", prefix } }, { ...every, nowMs });
      const atOnce = await Promise.all([1, 2, 3, 4, 5].map(() => claim("a/", monday)));
      expect(atOnce.filter((may) => may)).toHaveLength(2);
      expect(await claim("a/", monday + 59_999)).toBe(false);
      expect(await claim("b/", monday)).toBe(true);
      expect(await claim("c/", monday), "the team has used up its three").toBe(false);
      expect(await claim("a/", monday, "audio")).toBe(true);
      expect(await claim("a/", monday + 60_000)).toBe(true);
      expect(await claim("c/", monday + 60_000)).toBe(true);
    });

    it("a dataset records until when its source is not listed", async () => {
      const { datasets, read } = await added();
      await datasets.recordDeferral(await read(), monday + 60_000);
      expect(await read()).toEqual(aDataset({ deferredUntilMs: monday + 60_000 }));
      await datasets.recordDeferral(aDataset({ id: "another" }), monday);
      expect(await read()).toEqual(aDataset({ deferredUntilMs: monday + 60_000 }));
    });

    it("the datasets of a team are listed by name", async () => {
      const { datasets } = await added();
      await datasets.add(aDataset({ dataset: "cifar" }), many);
      await datasets.add(aDataset({ team: "visionary" }), many);
      expect((await datasets.list("vision")).map((each) => each.dataset)).toEqual(["cifar", "mnist"]);
      expect(await datasets.list("nobody")).toEqual([]);
    });

    it("a dataset is ready with a listing and empty with an empty one, which also clears its trouble", async () => {
      const { datasets, read } = await added();
      expect(await datasets.recordTrouble(await read(), "no bucket")).toBe("done");
      expect(await read()).toEqual(aDataset({ state: "failed", trouble: "no bucket" }));
      expect(await datasets.recordTrouble(await read(), undefined)).toBe("done");
      expect(await read()).toEqual(aDataset());
      await datasets.recordTrouble(await read(), "no bucket");
      expect(await datasets.recordListing(await read(), aListing())).toBe("done");
      expect(await read()).toEqual(aDataset({ state: "ready", listing: aListing() }));
      expect(await datasets.recordTrouble(await read(), "no bucket")).toBe("done");
      expect(await read()).toMatchObject({ state: "ready", trouble: "no bucket" });
      const skipped = { objects: 2, examples: [{ key: "a//b", because: "has an empty part" }] };
      await datasets.recordListing(await read(), aListing({ version: 2, shards: 0, bytes: 0, skipped }));
      expect((await read()).listing?.skipped).toEqual(skipped);
      expect(await read()).toMatchObject({ state: "empty", listing: { version: 2 } });
    });

    it("if several listings or several shard maps are made from the same state, only one of them is written", async () => {
      const { datasets, read } = await added();
      const was = await read();
      const listings = await Promise.all(["a", "b"].map((digest) => datasets.recordListing(was, aListing({ digest }))));
      expect(listings.sort()).toEqual(["done", "stale"]);
      const listed = await read();
      const maps = await Promise.all([1, 2, 3].map((moved) => datasets.recordMap(listed, aMap({ moved }))));
      expect(maps.sort()).toEqual(["done", "stale", "stale"]);
      expect(await read()).toMatchObject({ listing: { version: 1 }, map: { version: 1 } });
    });

    it("a shard map of an outdated listing is stale, and so is every write for a dataset that was replaced or removed", async () => {
      const { datasets, read } = await added();
      await datasets.recordListing(await read(), aListing());
      const was = await read();
      await datasets.recordListing(was, aListing({ version: 2 }));
      expect(await datasets.recordMap(was, aMap())).toBe("stale");
      const now = await read();
      expect(await datasets.replace(now, aDataset({ id: "second" }))).toBe("done");
      expect(await read()).toEqual(aDataset({ id: "second" }));
      expect(await datasets.replace(now, aDataset({ id: "third" }))).toBe("stale");
      for (const late of [
        datasets.recordListing(now, aListing({ version: 3 })),
        datasets.recordMap(now, aMap()),
        datasets.recordTrouble(now, "x"),
      ])
        expect(await late).toBe("stale");
      await datasets.recordRelist(now, monday);
      expect(await datasets.remove(ref)).toBe("done");
      expect(await datasets.remove(ref)).toBe("absent");
      expect(await datasets.recordListing(now, aListing({ version: 3 }))).toBe("stale");
      await datasets.recordRelist(now, monday);
      expect(await datasets.get(ref)).toBeUndefined();
    });

    it("replacing a dataset again with the same one is done, not stale", async () => {
      const { datasets, read } = await added();
      const was = await read();
      expect(await datasets.replace(was, aDataset({ id: "second" }))).toBe("done");
      expect(await datasets.replace(was, aDataset({ id: "second" }))).toBe("done");
    });

    it("a shard map is read as it was written", async () => {
      const { datasets, read } = await added();
      await datasets.recordListing(await read(), aListing());
      const holdings = Array.from({ length: 1_000 }, (_, n) => ({ ...aMap().holdings[0], node: `i-${String(n).padStart(17, "0")}` })).map(
        (each) => ({
          share: "part" as const,
          weight: 8,
          shards: 100,
          bytes: 12_345_678_901,
          list: `maps/1-a/${each.node}.json.gz`,
          node: each.node,
        }),
      );
      expect(await datasets.recordMap(await read(), aMap({ holdings }))).toBe("done");
      expect((await read()).map).toEqual(aMap({ holdings }));
    });

    it("a dataset records when its next listing begins", async () => {
      const { datasets, read } = await added();
      await datasets.recordRelist(await read(), monday + 2_000);
      expect(await read()).toEqual(aDataset({ relistAtMs: monday + 2_000 }));
    });

    it("each node may ask once in a while, whether or not the dataset exists", async () => {
      const datasets = await make();
      const mayRequest = (node: string, nowMs: number) => datasets.mayRequestMap(ref, node, { nowMs, againAtMs: nowMs + 3_000 });
      expect((await Promise.all([1, 2, 3].map(() => mayRequest("i-a", monday)))).filter((may) => may)).toHaveLength(1);
      expect(await mayRequest("i-a", monday + 2_999)).toBe(false);
      expect(await mayRequest("i-b", monday)).toBe(true);
      expect(await mayRequest("i-a", monday + 3_000)).toBe(true);
    });
  });
