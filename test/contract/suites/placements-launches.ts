import { describe, expect, it } from "vitest";
import type { Launch } from "../../../lib/model/launch.ts";
import { aLaunch, anOffer, aType, monday } from "../../fakes/builders.ts";
import { begin, launched, type MakeLedger, newNode, plenty } from "./arrange.ts";

const limits = { pool: { usdPerHour: 10, gpus: 8 } };

/** intend, noteSearch and settle: dollars and GPUs are reserved before EC2 is asked. */
export const launchPlacementsContract = (make: MakeLedger) => {
  describe("placements.intend", () => {
    it("an intent is recorded and reserved once", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const launch = aLaunch({ replaces: "i-0000000000000007" });
      expect(await ledger.placements.intend(fence, launch, limits)).toBe("done");
      expect(await ledger.placements.intend(fence, launch, limits)).toBe("done");
      const loaded = await ledger.decisions.load("gpu", monday);
      expect(loaded.openLaunches).toEqual([launch]);
      expect(loaded.reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
      expect(await ledger.placements.intend(fence, aLaunch({ clientToken: "other" }), limits)).toBe("stale");
    });

    it("an intent that is repeated is done, even if the first one has used up the limit", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const launch = aLaunch({ reserved: { usdPerHour: 10, gpus: 8 } });
      expect(await ledger.placements.intend(fence, launch, limits)).toBe("done");
      expect(await ledger.placements.intend(fence, launch, limits)).toBe("done");
      expect((await ledger.decisions.state("gpu")).reserved).toEqual({ usdPerHour: 10, gpus: 8 });
    });

    it("intents reserve up to the limits, to the last cent and GPU, and not more", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const of = (id: string, usdPerHour: number, gpus: number) => aLaunch({ id, clientToken: id, reserved: { usdPerHour, gpus } });
      for (let n = 0; n < 10; n += 1)
        expect(await ledger.placements.intend(fence, of(`a${n}`, 0.1, 0), { pool: { usdPerHour: 1, gpus: 8 } })).toBe("done");
      expect(await ledger.placements.intend(fence, of("b", 0.000_001, 0), { pool: { usdPerHour: 1, gpus: 8 } })).toEqual({ limit: "pool" });
      expect(await ledger.placements.intend(fence, of("c", 0, 8), { pool: { usdPerHour: 1, gpus: 8 } })).toBe("done");
      expect(await ledger.placements.intend(fence, of("d", 0, 1), { pool: { usdPerHour: 1, gpus: 8 } })).toEqual({ limit: "pool" });
      expect(await ledger.placements.intend(fence, of("e", 2, 9), { pool: { usdPerHour: 1, gpus: 8 } })).toEqual({ limit: "pool" });
      const loaded = await ledger.decisions.load("gpu", monday);
      expect(loaded.reserved).toEqual({ usdPerHour: 1, gpus: 8 });
      expect(loaded.openLaunches).toHaveLength(11);
    });

    it("an intent is also reserved for deployment and team over all pools, and says whose limit prevents it", async () => {
      const ledger = await make();
      const { placements } = ledger;
      const [one, other] = [await begin(ledger, "gpu"), await begin(ledger, "other")];
      const of = (id: string, over: Partial<Launch>) => aLaunch({ id, clientToken: id, reserved: { usdPerHour: 1, gpus: 1 }, ...over });
      const wide = { ...plenty, team: { usdPerHour: 2, gpus: 9 }, deployment: { gpus: 3 } };
      expect(await placements.intend(one, of("a", {}), wide)).toBe("done");
      expect(await placements.intend(other, of("b", { pool: "other" }), wide)).toBe("done");
      expect(await placements.intend(other, of("c", { pool: "other" }), wide)).toEqual({ limit: "team" });
      expect(await placements.intend(one, of("d", { team: "speech" }), { ...wide, deployment: { usdPerHour: 2.999_999 } })).toEqual({
        limit: "deployment",
      });
      expect(await placements.intend(one, of("e", { team: "speech" }), wide)).toBe("done");
      expect(await placements.intend(one, of("f", { team: "speech" }), wide)).toEqual({ limit: "deployment" });
      // An intent that exceeds the limit of a counter that does not exist yet.
      expect(await placements.intend(one, of("g", { team: "new" }), { ...plenty, team: { usdPerHour: 0.5 } })).toEqual({ limit: "team" });
      const { reserved, reservedWider, openLaunches } = await ledger.decisions.load("gpu", monday);
      expect(reserved).toEqual({ usdPerHour: 2, gpus: 2 });
      expect(reservedWider).toMatchObject({
        deployment: { usdPerHour: 3, gpus: 3 },
        teams: { vision: { usdPerHour: 2, gpus: 2 }, speech: { usdPerHour: 1, gpus: 1 } },
      });
      expect(openLaunches.map(({ id }) => id)).toEqual(["a", "e"]);
    });

    it("an intent for shared nodes is not reserved for any team", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      expect(await ledger.placements.intend(fence, aLaunch({ team: undefined }), { ...plenty, team: { gpus: 0 } })).toBe("done");
      const { reservedWider } = await ledger.decisions.load("gpu", monday);
      expect(reservedWider).toEqual({ deployment: { usdPerHour: 0.5, gpus: 1 }, teams: {} });
    });

    it("reservations are counted even without a limit, from the intent to the node's end", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const wider = async () => (await ledger.decisions.load("gpu", monday)).reservedWider;
      const both = (usdPerHour: number, gpus: number) => ({
        deployment: { usdPerHour, gpus },
        teams: { vision: { usdPerHour, gpus } },
      });
      const launch = aLaunch({ reserved: { usdPerHour: 3, gpus: 4 } });
      await ledger.placements.intend(fence, launch, plenty);
      expect(await wider()).toEqual(both(3, 4));
      const [first, second] = [newNode(), newNode({ id: "i-0000000000000002" })];
      await ledger.placements.settle(fence, { launch, nodes: [first, second], atMs: monday });
      expect(await wider()).toEqual(both(1, 2));
      expect(await ledger.placements.terminating(fence, first.id, monday)).toBe("done");
      expect(await ledger.placements.terminating(fence, first.id, monday)).toBe("done");
      expect(await wider()).toEqual(both(0.5, 1));
      expect(await ledger.placements.removeNode(fence, first.id, monday)).toBe("done");
      expect(await wider()).toEqual(both(0.5, 1));
      expect(await ledger.placements.removeNode(fence, second.id, monday)).toBe("done");
      expect(await ledger.placements.removeNode(fence, second.id, monday)).toBe("done");
      expect(await wider()).toEqual(both(0, 0));
    });

    it("50 intents that race never exceed the limits", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const launches = Array.from({ length: 50 }, (_, n) =>
        aLaunch({ id: `l${n}`, clientToken: `l${n}`, reserved: { usdPerHour: 1.1, gpus: 1 } }),
      );
      const outcomes = await Promise.all(launches.map((launch) => ledger.placements.intend(fence, launch, limits)));
      expect(outcomes.filter((outcome) => outcome === "done")).toHaveLength(8);
      expect(outcomes.filter((outcome) => typeof outcome === "object" && outcome.limit === "pool")).toHaveLength(42);
      const loaded = await ledger.decisions.load("gpu", monday);
      expect(loaded.reserved).toEqual({ usdPerHour: 8.8, gpus: 8 });
      expect(loaded.openLaunches).toHaveLength(8);
    });
  });

  describe("placements.recordSearch", () => {
    it("a search is recorded for an open launch, and is stale for one that is closed", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const launch = aLaunch();
      const came = [{ id: "i-0123456789abcdef0", instanceType: "g5.xlarge", zone: "us-east-1a", over: false }];
      const search = { why: "it is old", fromMs: monday, toMs: monday + 20_000, came, newAtMs: monday };
      expect(await ledger.placements.recordSearch(fence, { launch: launch.id, search })).toBe("stale");
      await ledger.placements.intend(fence, launch, limits);
      expect(await ledger.placements.recordSearch(fence, { launch: launch.id, search: { ...search, toMs: monday } })).toBe("done");
      expect(await ledger.placements.recordSearch(fence, { launch: launch.id, search })).toBe("done");
      expect((await ledger.decisions.load("gpu", monday)).openLaunches).toEqual([{ ...launch, search }]);
      await ledger.placements.settle(fence, { launch, nodes: [], atMs: monday });
      expect(await ledger.placements.recordSearch(fence, { launch: launch.id, search })).toBe("stale");
    });
  });

  describe("placements.settle", () => {
    it("settling a launch adds the node and keeps only its own cost reserved", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const launch = aLaunch({ reserved: { usdPerHour: 3, gpus: 4 } });
      await ledger.placements.intend(fence, launch, limits);
      const node = newNode({ offer: anOffer({ usdPerHour: 1.25 }), type: aType({ resources: { vcpus: 8, memoryGiB: 32, gpus: 2 } }) });
      const settled = { launch, nodes: [node], atMs: monday };
      expect(await ledger.placements.settle(fence, settled)).toBe("done");
      expect(await ledger.placements.settle(fence, settled)).toBe("done");
      const loaded = await ledger.decisions.load("gpu", monday);
      expect(loaded).toMatchObject({ reserved: { usdPerHour: 1.25, gpus: 2 }, openLaunches: [], nodes: [node] });
      expect(await ledger.nodeLedger.get("gpu", node.id)).toEqual(node);
    });

    it("settling a launch adds forty nodes at once, or as many as were launched", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const nodes = Array.from({ length: 40 }, (_, n) => newNode({ id: `i-${String(n).padStart(17, "0")}`, launch: "forty" }));
      for (const came of [nodes, nodes.slice(0, 7)]) {
        const [first] = came;
        const launch = aLaunch({
          id: `of-${came.length}`,
          clientToken: `of-${came.length}`,
          count: 40,
          reserved: { usdPerHour: 24, gpus: 40 },
        });
        expect(await ledger.placements.intend(fence, launch, plenty)).toBe("done");
        expect((await ledger.decisions.load("gpu", monday)).openLaunches).toEqual([launch]);
        const those = came === nodes ? came : came.map((node) => ({ ...node, id: node.id.replace("i-", "j-") }));
        expect(await ledger.placements.settle(fence, { launch, nodes: those, atMs: monday }), first?.id).toBe("done");
      }
      const loaded = await ledger.decisions.load("gpu", monday);
      expect(loaded).toMatchObject({ reserved: { usdPerHour: 23.5, gpus: 47 }, openLaunches: [] });
      expect(loaded.nodes).toHaveLength(47);
    });

    it("settling a refused launch releases all of its reservation", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const launch = aLaunch();
      await ledger.placements.intend(fence, launch, limits);
      expect(await ledger.placements.settle(fence, { launch, nodes: [], atMs: monday })).toBe("done");
      const loaded = await ledger.decisions.load("gpu", monday);
      expect(loaded).toMatchObject({ reserved: { usdPerHour: 0, gpus: 0 }, openLaunches: [], nodes: [] });
    });

    it("settling is stale for a launch that is not open or was settled with other nodes", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const settled = { launch: aLaunch(), nodes: [newNode()], atMs: monday };
      expect(await ledger.placements.settle(fence, settled)).toBe("stale");
      await ledger.placements.intend(fence, settled.launch, limits);
      await ledger.placements.settle(fence, { ...settled, nodes: [] });
      expect(await ledger.placements.settle(fence, settled)).toBe("stale");
      expect(await ledger.decisions.load("gpu", monday)).toMatchObject({ reserved: { usdPerHour: 0, gpus: 0 }, nodes: [] });
    });

    it("a settlement that races with itself releases the reservation once", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      await launched(ledger, fence, [newNode({ id: "i-0000000000000002" })]);
      const launch = aLaunch({ reserved: { usdPerHour: 3, gpus: 4 } });
      await ledger.placements.intend(fence, launch, plenty);
      const settled = { launch, nodes: [newNode()], atMs: monday };
      const outcomes = await Promise.all(Array.from({ length: 6 }, () => ledger.placements.settle(fence, settled)));
      expect(new Set(outcomes)).toEqual(new Set(["done"]));
      expect((await ledger.decisions.state("gpu")).reserved).toEqual({ usdPerHour: 1, gpus: 2 });
    });
  });
};
