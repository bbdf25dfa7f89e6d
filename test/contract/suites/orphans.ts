import { describe, expect, it } from "vitest";
import { aLaunch, monday } from "../../fakes/builders.ts";
import { begin, type MakeLedger, plenty, readyNode } from "./arrange.ts";

/** What the ledger knows about instances with the deployment's tag. */
export const orphansContract = (make: MakeLedger) =>
  describe("orphans", () => {
    const instance = (id: string, launch = "gone") => ({ id, launch, pool: "gpu", launchedAtMs: monday, ending: false });

    it("an instance is unowned if it is not a node and cannot be from an open launch", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await ledger.placements.intend(fence, aLaunch({ id: "open", clientToken: "open" }), plenty);
      const orphan = instance("i-00000000000000ff");
      const bare = { id: "i-00000000000000fe", launchedAtMs: monday, ending: false };
      const candidates = [instance(node.id), orphan, instance("i-00000000000000fd", "open"), bare];
      expect(await ledger.orphans.unowned(candidates)).toEqual([orphan, bare]);
      expect(await ledger.orphans.unowned([])).toEqual([]);
    });

    it("a node that is ending is not unowned, and one that the ledger has forgotten is", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await ledger.placements.terminating(fence, node.id, monday);
      expect(await ledger.orphans.unowned([instance(node.id)])).toEqual([]);
      await ledger.placements.removeNode(fence, node.id, monday);
      expect(await ledger.orphans.unowned([instance(node.id)])).toEqual([instance(node.id)]);
    });

    it("unowned instances are recorded with the time, and each record replaces the last one", async () => {
      const { orphans } = await make();
      expect(await orphans.recorded()).toEqual(new Map());
      await orphans.record(
        new Map([
          ["i-1", monday],
          ["i-2", monday + 1],
        ]),
      );
      expect(await orphans.recorded()).toEqual(
        new Map([
          ["i-1", monday],
          ["i-2", monday + 1],
        ]),
      );
      await orphans.record(new Map([["i-2", monday + 1]]));
      expect(await orphans.recorded()).toEqual(new Map([["i-2", monday + 1]]));
      await orphans.record(new Map());
      expect(await orphans.recorded()).toEqual(new Map());
    });
  });
