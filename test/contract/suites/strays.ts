import { describe, expect, it } from "vitest";
import { aLaunch, monday } from "../../fakes/builders.ts";
import { begin, type MakeLedger, plenty, readyNode } from "./arrange.ts";

/** What the ledger knows of instances that bear our name. */
export const straysContract = (make: MakeLedger) =>
  describe("strays", () => {
    const instance = (id: string, launch = "gone") => ({ id, launch, pool: "gpu", launchedAtMs: monday, ending: false });

    it("are instances that are no node, and that no open launch may have brought", async () => {
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

    it("are no node whose end is under way, and each that the ledger has forgotten", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await ledger.placements.terminating(fence, node.id, monday);
      expect(await ledger.strays.unowned([instance(node.id)])).toEqual([]);
      await ledger.placements.forget(fence, node.id, monday);
      expect(await ledger.strays.unowned([instance(node.id)])).toEqual([instance(node.id)]);
    });

    it("are noted with the time, all anew each time", async () => {
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
