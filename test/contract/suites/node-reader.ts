import { describe, expect, test } from "vitest";
import { monday } from "../../fakes/builders.ts";
import { begin, launched, type MakeLedger, newNode } from "./arrange.ts";

const id = (n: number): string => `i-${String(n).padStart(17, "0")}`;

/** The reader of nodes for people. In tests, its table does not lag. */
export function nodeReaderContract(make: MakeLedger): void {
  describe("node reader", () => {
    test("a pool's nodes are listed by id, beginning after any id", async () => {
      const ledger = await make();
      const nodes = [3, 1, 2].map((n) => newNode({ id: id(n) }));
      await launched(ledger, await begin(ledger), nodes);
      await launched(ledger, await begin(ledger, "lab"), [newNode({ id: id(7), pool: "lab" })]);
      const list = async (from: { after?: string; limit: number }) => (await ledger.nodeReader.list("gpu", from)).map((node) => node.id);
      expect(await list({ limit: 10 })).toEqual([id(1), id(2), id(3)]);
      expect(await list({ limit: 2 })).toEqual([id(1), id(2)]);
      expect(await list({ limit: 2, after: id(2) })).toEqual([id(3)]);
      // The id of a node that has left meanwhile.
      expect(await list({ limit: 2, after: `${id(1)}5` })).toEqual([id(2), id(3)]);
      expect(await list({ limit: 2, after: id(3) })).toEqual([]);
      expect(await ledger.nodeReader.list("moon", { limit: 10 })).toEqual([]);
    });

    test("a node of any pool is found, also after its end", async () => {
      const ledger = await make();
      const fence = await begin(ledger, "lab");
      const node = newNode({ id: id(7), pool: "lab" });
      await launched(ledger, fence, [node]);
      expect(await ledger.nodeReader.find(node.id)).toEqual(node);
      expect(await ledger.placements.removeNode(fence, node.id, monday + 1000)).toBe("done");
      expect(await ledger.nodeReader.find(node.id)).toMatchObject({ id: node.id, pool: "lab", state: "gone", released: true });
      expect(await ledger.nodeReader.list("lab", { limit: 10 })).toEqual([]);
      expect(await ledger.nodeReader.find(id(8))).toBeUndefined();
    });
  });
}
