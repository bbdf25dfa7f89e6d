import { describe, expect, it } from "vitest";
import type { Ledger } from "../../../lib/sim/memory/ledger-ports.ts";
import { anAssignment, monday } from "../../fakes/builders.ts";
import { admitted, begin, launched, type MakeLedger, newNode, only, placed, readyNode } from "./arrange.ts";

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

  describe("placements.withdraw", () => {
    const drain = { because: "its life ends", untilMs: atMs + 600_000 };

    it("drains a node whatever it holds, once: nothing more is given to it, and what it holds stays its own", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      expect(await ledger.placements.withdraw(fence, { node: node.id, drain, atMs })).toBe("done");
      const later = { because: "another", untilMs: atMs + 900_000 };
      expect(await ledger.placements.withdraw(fence, { node: node.id, drain: later, atMs: atMs + 5 })).toBe("done");
      const now = await ledger.nodeLedger.get("gpu", node.id);
      expect(now).toMatchObject({ state: "draining", stateSinceMs: atMs, drain, assignments: [anAssignment()] });
      const { entry } = await admitted(ledger, { job: "next" });
      expect(await ledger.placements.bind(fence, { entry, node: node.id, atMs })).toBe("stale");
      expect(await ledger.placements.drain(fence, node.id, atMs)).toBe("stale");
      const on = { pool: "gpu", node: node.id, atMs, process: "p1" };
      const job = { from: "placed", to: "running", startedAtMs: atMs, failed: false } as const;
      expect(await ledger.nodeLedger.change(on, { attempt: anAssignment(), job, assignment: "running" })).toBe("done");
      const seen = await ledger.nodeLedger.seen("gpu", node.id, { atMs, leaseUntilMs: atMs + 900_000 });
      expect(seen).toMatchObject({ kind: "node", node: { state: "draining", drain } });
    });

    it("drains one that drains by EC2's recommendation, and keeps the notice", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      const notice = { kind: "rebalance", atMs } as const;
      await ledger.nodeLedger.noticed(node.id, notice, atMs);
      expect(await ledger.placements.withdraw(fence, { node: node.id, drain, atMs })).toBe("done");
      expect(await ledger.nodeLedger.get("gpu", node.id)).toMatchObject({ state: "draining", drain, notice });
    });

    it("is stale for one that is ending or unknown", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const ending = await readyNode(ledger, fence);
      await ledger.placements.terminating(fence, ending.id, atMs);
      expect(await ledger.placements.withdraw(fence, { node: ending.id, drain, atMs })).toBe("stale");
      expect(await ledger.placements.withdraw(fence, { node: "i-00000000000000ff", drain, atMs })).toBe("stale");
      expect((await ledger.nodeLedger.get("gpu", ending.id))?.state).toBe("terminating");
    });
  });

  describe("placements.bootFailed and healed", () => {
    const failure = { node: "i-0000000000000007", instanceType: "g5.xlarge", zone: "us-east-1a", atMs };
    const known = async (ledger: Ledger, pool = "gpu") => (await ledger.decisions.load(pool, monday)).bootFailures ?? [];

    it("note an instance that never became a worker once, and forget it", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const other = { ...failure, node: "i-0000000000000008" };
      expect(await known(ledger)).toEqual([]);
      expect(await ledger.placements.bootFailed(fence, failure)).toBe("done");
      expect(await ledger.placements.bootFailed(fence, failure)).toBe("done");
      expect(await ledger.placements.bootFailed(fence, other)).toBe("done");
      expect(await known(ledger)).toEqual([failure, other]);
      expect(await known(ledger, "cpu")).toEqual([]);
      expect(await ledger.placements.healed(fence, [failure.node, "i-00000000000000ff"])).toBe("done");
      expect(await ledger.placements.healed(fence, [failure.node])).toBe("done");
      expect(await known(ledger)).toEqual([other]);
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
      expect((await ledger.decisions.load("gpu", atMs)).spent).toEqual({ dayUsd: 0.016667, monthUsd: 0.016667 });
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

  describe("what a node has cost", () => {
    const hourMs = 3_600_000;
    const may = (ledger: Ledger) => ledger.decisions.load("gpu", monday - 1).then(({ spent }) => spent);
    const june = (ledger: Ledger) => ledger.decisions.load("gpu", monday).then(({ spent }) => spent);

    it("goes on record when its end is accepted, once, in the days and months in which it lived", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence, { launchedAtMs: monday - hourMs });
      expect(only((await ledger.decisions.load("gpu", monday)).nodes)).not.toHaveProperty("released");
      expect(await june(ledger)).toEqual({ dayUsd: 0, monthUsd: 0 });
      await ledger.placements.terminating(fence, node.id, monday + 2 * hourMs);
      expect(await may(ledger)).toEqual({ dayUsd: 0.5, monthUsd: 0.5 });
      expect(await june(ledger)).toEqual({ dayUsd: 1, monthUsd: 1 });
      expect(only((await ledger.decisions.load("gpu", monday)).nodes)).toMatchObject({ id: node.id, released: true });

      await ledger.placements.terminating(fence, node.id, monday + 3 * hourMs);
      await ledger.nodeLedger.gone(node.id, monday + 3 * hourMs);
      await ledger.placements.terminating(fence, node.id, monday + 3 * hourMs);
      await ledger.placements.forget(fence, node.id, monday + 4 * hourMs);
      await ledger.placements.forget(fence, node.id, monday + 4 * hourMs);
      expect(await may(ledger)).toEqual({ dayUsd: 0.5, monthUsd: 0.5 });
      expect(await june(ledger)).toEqual({ dayUsd: 1, monthUsd: 1 });
    });

    it("adds up by day and by month, for each pool of its own", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const ends = [2, 4, 26, 27];
      for (const [n, hours] of ends.entries()) {
        const launchedAtMs = monday + (hours - 1) * hourMs;
        const node = await readyNode(ledger, fence, { id: `i-000000000000000${n}`, launchedAtMs });
        await ledger.placements.terminating(fence, node.id, monday + hours * hourMs);
      }
      expect(await june(ledger)).toEqual({ dayUsd: 1, monthUsd: 2 });
      expect((await ledger.decisions.load("gpu", monday + 29 * 24 * hourMs)).spent).toEqual({ dayUsd: 0, monthUsd: 2 });
      expect(await may(ledger)).toEqual({ dayUsd: 0, monthUsd: 0 });
      expect((await ledger.decisions.load("cpu", monday)).spent).toEqual({ dayUsd: 0, monthUsd: 0 });
    });

    it("is what it had cost when EC2 said that it was gone, whenever it is forgotten", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await ledger.nodeLedger.gone(node.id, monday + hourMs);
      expect(await ledger.placements.forget(fence, node.id, monday + 9 * hourMs)).toBe("done");
      expect(await june(ledger)).toEqual({ dayUsd: 0.5, monthUsd: 0.5 });
    });
  });
};
