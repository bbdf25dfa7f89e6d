import { describe, expect, it } from "vitest";
import type { LedgerPorts } from "../../../lib/sim/memory/ledger-ports.ts";
import { anAssignment, monday } from "../../fakes/builders.ts";
import { admitted, begin, callAt, launched, type MakeLedger, newNode, only, placed, readyNode, reportedOn } from "./arrange.ts";

const atMs = monday + 120_000;
const nothing = { usdPerHour: 0, gpus: 0 };

/** drain, withdraw, bootFailed, terminating and forget: how a node ends and releases what it has reserved. */
export const nodePlacementsContract = (make: MakeLedger) => {
  describe("placements.fenceIdle", () => {
    it("a node that holds nothing is drained, and draining it may be repeated", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await launched(ledger, fence, [newNode({ id: "i-0000000000000002" })]);
      expect(await ledger.placements.fenceIdle(fence, node.id, atMs)).toBe("done");
      expect(await ledger.placements.fenceIdle(fence, node.id, atMs + 5)).toBe("done");
      expect(await ledger.placements.fenceIdle(fence, "i-0000000000000002", atMs)).toBe("done");
      expect(await ledger.nodeLedger.get("gpu", node.id)).toEqual({ ...node, state: "draining", stateSinceMs: atMs });
    });

    it("draining is stale for a node that holds something, is ending or is unknown", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      expect(await ledger.placements.fenceIdle(fence, node.id, atMs)).toBe("stale");
      expect(await ledger.placements.fenceIdle(fence, "i-00000000000000ff", atMs)).toBe("stale");
      const ending = await readyNode(ledger, fence, { id: "i-0000000000000002" });
      await ledger.placements.terminating(fence, ending.id, atMs);
      expect(await ledger.placements.fenceIdle(fence, ending.id, atMs)).toBe("stale");
      expect((await ledger.nodeLedger.get("gpu", node.id))?.state).toBe("ready");
    });
  });

  describe("placements.drain", () => {
    const drain = { because: "its life ends", untilMs: atMs + 600_000 };

    it("withdrawing drains a node once, whatever it holds: it gets no more attempts and keeps those it has", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      expect(await ledger.placements.drain(fence, { node: node.id, drain, atMs })).toBe("done");
      const later = { because: "another", untilMs: atMs + 900_000 };
      expect(await ledger.placements.drain(fence, { node: node.id, drain: later, atMs: atMs + 5 })).toBe("done");
      const now = await ledger.nodeLedger.get("gpu", node.id);
      expect(now).toMatchObject({ state: "draining", stateSinceMs: atMs, drain, assignments: [anAssignment()] });
      const { entry } = await admitted(ledger, { job: "next" });
      expect(await ledger.placements.bind(fence, { entry, node, atMs })).toBe("stale");
      expect(await ledger.placements.fenceIdle(fence, node.id, atMs)).toBe("stale");
      const on = reportedOn(node.id, atMs);
      const job = { from: "placed", to: "running", startedAtMs: atMs, failed: false } as const;
      expect(await ledger.nodeLedger.change(on, { attempt: anAssignment(), job, assignment: "running" })).toBe("done");
      const seen = await ledger.nodeLedger.seen("gpu", node.id, callAt(atMs));
      expect(seen).toMatchObject({ kind: "node", node: { state: "draining", drain } });
    });

    it("withdrawing a node that drains because of EC2's recommendation keeps the notice", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      const notice = { kind: "rebalance", atMs } as const;
      await ledger.nodeLedger.noticed(node.id, notice, atMs);
      expect(await ledger.placements.drain(fence, { node: node.id, drain, atMs })).toBe("done");
      expect(await ledger.nodeLedger.get("gpu", node.id)).toMatchObject({ state: "draining", drain, notice });
    });

    it("withdrawing a node that is ending or unknown is stale", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const ending = await readyNode(ledger, fence);
      await ledger.placements.terminating(fence, ending.id, atMs);
      expect(await ledger.placements.drain(fence, { node: ending.id, drain, atMs })).toBe("stale");
      expect(await ledger.placements.drain(fence, { node: "i-00000000000000ff", drain, atMs })).toBe("stale");
      expect((await ledger.nodeLedger.get("gpu", ending.id))?.state).toBe("terminating");
    });
  });

  describe("placements.bootFailed and healed", () => {
    const failure = { node: "i-0000000000000007", instanceType: "g5.xlarge", zone: "us-east-1a", atMs };
    const known = async (ledger: LedgerPorts, pool = "gpu") => (await ledger.decisions.load(pool, monday)).bootFailures ?? [];

    it("an instance that never became a worker is recorded once, and healing deletes the record", async () => {
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

  describe("placements.withdraw, gone and missing", () => {
    it("withdrawing makes a node drain, whatever it holds, and leaves one that is further alone", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      expect(await ledger.placements.withdraw(fence, node.id, atMs)).toBe("done");
      expect(await ledger.placements.withdraw(fence, node.id, atMs + 1)).toBe("done");
      expect(await ledger.nodeLedger.get("gpu", node.id)).toMatchObject({ state: "draining", stateSinceMs: atMs });
      expect(await ledger.placements.terminating(fence, node.id, atMs)).toBe("done");
      expect(await ledger.placements.withdraw(fence, node.id, atMs)).toBe("done");
      expect((await ledger.nodeLedger.get("gpu", node.id))?.state).toBe("terminating");
      expect(await ledger.placements.withdraw(fence, "i-00000000000000ff", atMs)).toBe("stale");
    });

    it("what EC2 says about an instance is recorded: since when it does not know it, and that it has ended", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const { id } = await readyNode(ledger, fence);
      const now = () => ledger.nodeLedger.get("gpu", id);
      expect(await ledger.placements.missing(fence, id, atMs)).toBe("done");
      expect(await now()).toMatchObject({ missingSinceMs: atMs });
      expect(await ledger.placements.missing(fence, id, undefined)).toBe("done");
      expect((await now())?.missingSinceMs).toBeUndefined();
      expect(await ledger.placements.impaired(fence, id, atMs)).toBe("done");
      expect((await now())?.impairedSinceMs).toBe(atMs);
      expect(await ledger.placements.impaired(fence, id, undefined)).toBe("done");
      expect((await now())?.impairedSinceMs).toBeUndefined();
      expect(await ledger.placements.gone(fence, id, { atMs })).toBe("done");
      expect(await ledger.placements.gone(fence, id, { atMs: atMs + 1 })).toBe("done");
      expect(await now()).toMatchObject({ state: "gone", stateSinceMs: atMs });
      for (const written of [
        ledger.placements.gone(fence, "i-00000000000000ff", { atMs }),
        ledger.placements.missing(fence, "i-00000000000000ff", atMs),
        ledger.placements.impaired(fence, "i-00000000000000ff", atMs),
      ])
        expect(await written).toBe("stale");
    });
  });

  describe("placements.gone of an instance that has stopped", () => {
    it("an instance that EC2 shows as stopped is gone, unless its worker has begun a session since", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const { id } = await readyNode(ledger, fence);
      await ledger.nodeLedger.begin("gpu", id, monday + 500_000);
      const gone = (stoppedAtMs: number) => ledger.placements.gone(fence, id, { atMs: monday + 600_000, stoppedAtMs });
      expect(await gone(monday + 400_000)).toBe("stale");
      expect((await ledger.nodeLedger.get("gpu", id))?.state).toBe("ready");
      expect(await gone(monday + 550_000)).toBe("done");
      expect(await gone(monday + 400_000)).toBe("done");
      expect((await ledger.nodeLedger.get("gpu", id))?.state).toBe("gone");
    });
  });

  describe("placements.backOff", () => {
    it("what could not be done lately is read by the pool's next decision, until it is replaced", async () => {
      const ledger = await make();
      const old = await begin(ledger);
      const fence = await begin(ledger);
      const known = async (pool = "gpu") => (await ledger.decisions.load(pool, monday)).backOffs;
      const backOff = { subject: "end i-1", failures: 2, sinceMs: atMs, retryAtMs: atMs + 30_000, note: "EC2 did not respond" };
      expect(await ledger.placements.backOff(fence, [backOff])).toBe("done");
      expect(await ledger.placements.backOff(old, [])).toBe("fenced");
      expect(await known()).toEqual([backOff]);
      expect(await known("cpu")).toBeUndefined();
      expect(await ledger.placements.backOff(fence, [])).toBe("done");
      expect(await known()).toBeUndefined();
    });
  });

  describe("placements.endedSilent and decisions.heard", () => {
    it("an end for silence is recorded once per node, apart from boot failures", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const end = { node: "i-0000000000000007", zone: "us-east-1a", atMs };
      for (let n = 0; n < 2; n += 1) expect(await ledger.placements.endedSilent(fence, end)).toBe("done");
      const loaded = await ledger.decisions.load("gpu", monday);
      expect([loaded.silentEnds, loaded.bootFailures]).toEqual([[end], []]);
      expect((await ledger.decisions.load("cpu", monday)).silentEnds).toEqual([]);
    });

    it("calls to node that succeed are noted for the whole deployment, with the time since which there was no gap", async () => {
      const ledger = await make();
      const hearing = async (pool: string) => (await ledger.decisions.load(pool, monday)).hearing;
      const minute = 60_000;
      await ledger.decisions.heard(atMs);
      await ledger.decisions.heard(atMs + minute);
      expect(await hearing("gpu")).toEqual({ atMs: atMs + minute, sinceMs: atMs });
      await ledger.decisions.heard(atMs + 10 * minute);
      expect(await hearing("cpu")).toEqual({ atMs: atMs + 10 * minute, sinceMs: atMs + 10 * minute });
    });
  });

  describe("placements.terminating and removeNode", () => {
    it("terminating and forgetting a node release its reservation once, however often they are called", async () => {
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
      expect(await ledger.placements.removeNode(fence, node.id, atMs)).toBe("done");
      expect(await ledger.placements.removeNode(fence, node.id, atMs)).toBe("done");
      expect(await ledger.decisions.load("gpu", monday)).toMatchObject({ reserved: { usdPerHour: 0.5, gpus: 1 }, nodes: [other] });
      expect(await ledger.nodeLedger.get("gpu", node.id)).toBeUndefined();
      expect(await ledger.placements.terminating(fence, node.id, atMs)).toBe("stale");
    });

    it("10 terminations of a node that race release its reservation once", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await readyNode(ledger, fence, { id: "i-0000000000000002" });
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => ledger.placements.terminating(fence, node.id, atMs)));
      expect(new Set(outcomes)).toEqual(new Set(["done"]));
      expect((await ledger.decisions.state("gpu")).reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
      expect((await ledger.decisions.load("gpu", atMs)).spent).toMatchObject({ dayUsd: 0.016667, monthUsd: 0.016667 });
    });

    it("forgetting a node releases its reservation if terminating did not", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await ledger.nodeLedger.gone(node.id, atMs);
      expect((await ledger.decisions.state("gpu")).reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
      expect(await ledger.placements.removeNode(fence, node.id, atMs)).toBe("done");
      expect((await ledger.decisions.state("gpu")).reserved).toEqual(nothing);
    });

    it("a node that EC2 reports as gone stays gone when it is terminated, and is released", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await ledger.nodeLedger.gone(node.id, atMs);
      expect(await ledger.placements.terminating(fence, node.id, atMs + 5)).toBe("done");
      expect(only((await ledger.decisions.load("gpu", monday)).nodes)).toMatchObject({ state: "gone", stateSinceMs: atMs });
      expect((await ledger.decisions.state("gpu")).reserved).toEqual(nothing);
      expect(await ledger.placements.removeNode(fence, node.id, atMs)).toBe("done");
      expect((await ledger.decisions.state("gpu")).reserved).toEqual(nothing);
    });

    it("forgetting is stale for a node that still holds something or is unknown", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      await ledger.nodeLedger.gone(node.id, atMs);
      expect(await ledger.placements.removeNode(fence, node.id, atMs)).toBe("stale");
      expect(await ledger.placements.removeNode(fence, "i-00000000000000ff", atMs)).toBe("stale");
      expect(await ledger.placements.terminating(fence, "i-00000000000000ff", atMs)).toBe("stale");
      await ledger.placements.takeBack(fence, { node: node.id, assignment: anAssignment(), reason: "lost", atMs });
      expect(await ledger.placements.removeNode(fence, node.id, atMs)).toBe("done");
    });
  });

  describe("the cost of a node", () => {
    const hourMs = 3_600_000;
    const may = (ledger: LedgerPorts) => ledger.decisions.load("gpu", monday - 1).then(({ spent: { teams: _teams, ...whole } }) => whole);
    const june = (ledger: LedgerPorts) => ledger.decisions.load("gpu", monday).then(({ spent: { teams: _teams, ...whole } }) => whole);

    it("a node's cost is recorded once, when its end is accepted, in the days and months in which it lived", async () => {
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
      await ledger.placements.removeNode(fence, node.id, monday + 4 * hourMs);
      await ledger.placements.removeNode(fence, node.id, monday + 4 * hourMs);
      expect(await may(ledger)).toEqual({ dayUsd: 0.5, monthUsd: 0.5 });
      expect(await june(ledger)).toEqual({ dayUsd: 1, monthUsd: 1 });
    });

    it("the cost of nodes adds up by day and by month, per pool", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const ends = [2, 4, 26, 27];
      for (const [n, hours] of ends.entries()) {
        const launchedAtMs = monday + (hours - 1) * hourMs;
        const node = await readyNode(ledger, fence, { id: `i-000000000000000${n}`, launchedAtMs });
        await ledger.placements.terminating(fence, node.id, monday + hours * hourMs);
      }
      expect(await june(ledger)).toEqual({ dayUsd: 1, monthUsd: 2 });
      expect((await ledger.decisions.load("gpu", monday + 29 * 24 * hourMs)).spent).toMatchObject({ dayUsd: 0, monthUsd: 2 });
      expect(await may(ledger)).toEqual({ dayUsd: 0, monthUsd: 0 });
      expect((await ledger.decisions.load("cpu", monday)).spent).toEqual({ dayUsd: 0, monthUsd: 0 });
    });

    it("a node's cost is recorded for its team, too, and that of a shared pool's node for no team", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const lives = [
        { id: "i-0000000000000001", team: "vision", launchedAtMs: monday - hourMs },
        { id: "i-0000000000000002", team: "vision", launchedAtMs: monday },
        { id: "i-0000000000000003", team: "research", launchedAtMs: monday },
        { id: "i-0000000000000004", team: undefined, launchedAtMs: monday },
      ];
      for (const life of lives) {
        const node = await readyNode(ledger, fence, life);
        await ledger.placements.terminating(fence, node.id, monday + hourMs);
        await ledger.placements.removeNode(fence, node.id, monday + 2 * hourMs);
      }
      const spentAt = async (atMs: number) => (await ledger.decisions.load("gpu", atMs)).spent;
      expect(await spentAt(monday)).toEqual({
        dayUsd: 2,
        monthUsd: 2,
        teams: { vision: { dayUsd: 1, monthUsd: 1 }, research: { dayUsd: 0.5, monthUsd: 0.5 } },
      });
      expect(await spentAt(monday - 1)).toEqual({ dayUsd: 0.5, monthUsd: 0.5, teams: { vision: { dayUsd: 0.5, monthUsd: 0.5 } } });
      expect((await spentAt(monday + 24 * hourMs)).teams?.["vision"]).toEqual({ dayUsd: 0, monthUsd: 1 });
      expect((await ledger.decisions.load("cpu", monday)).spent).not.toHaveProperty("teams");
    });

    it("a node's cost ends when EC2 reports it as gone, whenever it is forgotten", async () => {
      const ledger = await make();
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      await ledger.nodeLedger.gone(node.id, monday + hourMs);
      expect(await ledger.placements.removeNode(fence, node.id, monday + 9 * hourMs)).toBe("done");
      expect(await june(ledger)).toEqual({ dayUsd: 0.5, monthUsd: 0.5 });
    });
  });
};
