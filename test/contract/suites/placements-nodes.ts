import { describe, expect, it } from "vitest";
import { anAssignment, monday } from "../../fakes/builders.ts";
import { begin, launched, type MakeLedger, newNode, only, placed, readyNode } from "./arrange.ts";

const atMs = monday + 120_000;
const nothing = { usdPerHour: 0, gpus: 0 };

/** drain, terminating and forget: how a node ends, and what it had reserved with it. */
export const nodePlacementsContract = (make: MakeLedger) => {
  describe("placements.drain", () => {
    it("fences a node that holds nothing, once and again", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await launched(ledger, fence, [newNode({ id: "i-0000000000000002" })]);
      expect(await ledger.placements.drain(fence, node.id, atMs)).toBe("done");
      expect(await ledger.placements.drain(fence, node.id, atMs + 5)).toBe("done");
      expect(await ledger.placements.drain(fence, "i-0000000000000002", atMs)).toBe("done");
      expect(await ledger.nodeLedger.get("gpu", node.id)).toEqual({ ...node, state: "draining", stateSinceMs: atMs });
    });

    it("is stale while the node holds something, and for one that is ending or unknown", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      expect(await ledger.placements.drain(fence, node.id, atMs)).toBe("stale");
      expect(await ledger.placements.drain(fence, "i-00000000000000ff", atMs)).toBe("stale");
      const ending = await readyNode(ledger, fence, { id: "i-0000000000000002" });
      await ledger.placements.terminating(fence, ending.id, atMs);
      expect(await ledger.placements.drain(fence, ending.id, atMs)).toBe("stale");
      expect((await ledger.nodeLedger.get("gpu", node.id))?.state).toBe("ready");
    });
  });

  describe("placements.terminating and forget", () => {
    it("release a node's reservation once between them, however often they are called", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      const other = await readyNode(ledger, fence, { id: "i-0000000000000002" });
      expect((await ledger.decisions.state("gpu")).reserved).toEqual({ usdPerHour: 1, gpus: 2 });
      expect(await ledger.placements.terminating(fence, node.id, atMs)).toBe("done");
      expect(await ledger.placements.terminating(fence, node.id, atMs + 9)).toBe("done");
      const loaded = await ledger.decisions.load("gpu", monday);
      expect(loaded.reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
      expect(loaded.nodes.find((each) => each.id === node.id)).toMatchObject({ state: "terminating", stateSinceMs: atMs });
      expect(await ledger.placements.forget(fence, node.id, atMs)).toBe("done");
      expect(await ledger.placements.forget(fence, node.id, atMs)).toBe("done");
      expect(await ledger.decisions.load("gpu", monday)).toMatchObject({ reserved: { usdPerHour: 0.5, gpus: 1 }, nodes: [other] });
      expect(await ledger.nodeLedger.get("gpu", node.id)).toBeUndefined();
      expect(await ledger.placements.terminating(fence, node.id, atMs)).toBe("stale");
    });

    it("release it once when 10 race", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await readyNode(ledger, fence, { id: "i-0000000000000002" });
      const answers = await Promise.all(Array.from({ length: 10 }, () => ledger.placements.terminating(fence, node.id, atMs)));
      expect(new Set(answers)).toEqual(new Set(["done"]));
      expect((await ledger.decisions.state("gpu")).reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
    });

    it("forget releases what terminating did not", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await ledger.nodeLedger.gone(node.id, atMs);
      expect((await ledger.decisions.state("gpu")).reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
      expect(await ledger.placements.forget(fence, node.id, atMs)).toBe("done");
      expect((await ledger.decisions.state("gpu")).reserved).toEqual(nothing);
    });

    it("leave EC2's word that a node is gone, and release it", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await ledger.nodeLedger.gone(node.id, atMs);
      expect(await ledger.placements.terminating(fence, node.id, atMs + 5)).toBe("done");
      expect(only((await ledger.decisions.load("gpu", monday)).nodes)).toMatchObject({ state: "gone", stateSinceMs: atMs });
      expect((await ledger.decisions.state("gpu")).reserved).toEqual(nothing);
      expect(await ledger.placements.forget(fence, node.id, atMs)).toBe("done");
      expect((await ledger.decisions.state("gpu")).reserved).toEqual(nothing);
    });

    it("do not forget a node that still holds something, nor one that nobody knew", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      await ledger.nodeLedger.gone(node.id, atMs);
      expect(await ledger.placements.forget(fence, node.id, atMs)).toBe("stale");
      expect(await ledger.placements.forget(fence, "i-00000000000000ff", atMs)).toBe("stale");
      expect(await ledger.placements.terminating(fence, "i-00000000000000ff", atMs)).toBe("stale");
      await ledger.placements.takeBack(fence, { node: node.id, assignment: anAssignment(), reason: "lost", atMs });
      expect(await ledger.placements.forget(fence, node.id, atMs)).toBe("done");
    });
  });
};
