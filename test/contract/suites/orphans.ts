import { describe, expect, it } from "vitest";
import { aLaunch, monday } from "../../fakes/builders.ts";
import { begin, type MakeLedger, plenty, readyNode } from "./arrange.ts";

/** What the ledger knows about instances with the deployment's tag. */
export const straysContract = (make: MakeLedger) =>
  describe("strays", () => {
    const instance = (id: string, launch = "gone") => ({ id, launch, pool: "gpu", launchedAtMs: monday, ending: false });

    it("an instance is unowned if it is not a node and cannot be from an open launch", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await ledger.placements.intend(fence, aLaunch({ id: "open", clientToken: "open" }), plenty);
      const stray = instance("i-00000000000000ff");
      const bare = { id: "i-00000000000000fe", launchedAtMs: monday, ending: false };
      const asked = [instance(node.id), stray, instance("i-00000000000000fd", "open"), bare];
      expect(await ledger.strays.unowned(asked)).toEqual([stray, bare]);
      expect(await ledger.strays.unowned([])).toEqual([]);
    });

    it("a node that is ending is not unowned, and one that the ledger has forgotten is", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await ledger.placements.terminating(fence, node.id, monday);
      expect(await ledger.strays.unowned([instance(node.id)])).toEqual([]);
      await ledger.placements.forget(fence, node.id, monday);
      expect(await ledger.strays.unowned([instance(node.id)])).toEqual([instance(node.id)]);
    });

    it("unowned instances are recorded with the time, and each record replaces the last one", async () => {
      const { strays } = await make();
      expect(await strays.noted()).toEqual(new Map());
      await strays.note(
        new Map([
          ["i-1", monday],
          ["i-2", monday + 1],
        ]),
      );
      expect(await strays.noted()).toEqual(
        new Map([
          ["i-1", monday],
          ["i-2", monday + 1],
        ]),
      );
      await strays.note(new Map([["i-2", monday + 1]]));
      expect(await strays.noted()).toEqual(new Map([["i-2", monday + 1]]));
      await strays.note(new Map());
      expect(await strays.noted()).toEqual(new Map());
    });
  });
