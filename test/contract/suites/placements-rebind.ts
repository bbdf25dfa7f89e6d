import { describe, expect, it } from "vitest";
import { phaseEndsAtMs } from "../../../lib/model/values/attempt-times.ts";
import type { LedgerPorts } from "../../../lib/sim/memory/ledger-ports.ts";
import { anAssignment, aSpec, monday } from "../../fakes/builders.ts";
import { admitted, begin, callAt, firstCall, launched, type MakeLedger, newNode, readyNode } from "./arrange.ts";

const atMs = monday + 61_000;

/** rebind: `place` moves an attempt to another node before its first node's worker has called. */
export const rebindContract = (make: MakeLedger) =>
  describe("placements.rebind", () => {
    /** A job on a node whose worker has not called yet, and a ready node. */
    async function waiting(ledger: LedgerPorts) {
      const { job, entry } = await admitted(ledger);
      const fence = await begin(ledger);
      const boots = newNode({ id: "i-00000000000000b0" });
      await launched(ledger, fence, [boots]);
      expect(await ledger.placements.bind(fence, { entry, node: boots, atMs })).toBe("done");
      const ready = await readyNode(ledger, fence);
      const rebind = { attempt: anAssignment(), from: boots.id, node: ready, atMs: atMs + 5 };
      return { job, fence, boots, ready, rebind };
    }
    const held = async (ledger: LedgerPorts, id: string) => (await ledger.nodeLedger.get("gpu", id))?.assignments;

    it("an attempt moves from a node that boots to a ready one, as the same attempt, and this may be repeated", async () => {
      const ledger = await make();
      const { job, fence, boots, ready, rebind } = await waiting(ledger);
      expect(await ledger.placements.rebind(fence, rebind)).toBe("done");
      expect(await ledger.placements.rebind(fence, rebind)).toBe("done");
      expect(await ledger.sealing.get(job)).toEqual({ ...job, state: "placed", node: ready.id });
      expect(await held(ledger, boots.id)).toEqual([]);
      expect(await held(ledger, ready.id)).toEqual([anAssignment({ untilMs: phaseEndsAtMs("placed", atMs + 5, 0) })]);
      expect(await ledger.nodeLedger.get("gpu", ready.id)).toMatchObject({ lastBusyMs: atMs + 5 });
      const { attempts } = await ledger.jobReader.attempts({ team: job.team, job: job.job, limit: 10 });
      expect(attempts).toMatchObject([{ attempt: 1, nodes: [ready.id], placedAtMs: atMs + 5 }]);
    });

    it("moving is stale once the attempt is evicted, because it must begin nowhere", async () => {
      const ledger = await make();
      const { job, fence, boots, ready, rebind } = await waiting(ledger);
      expect(await ledger.cancellations.evict(job, { because: "not wanted", atMs })).toEqual({ kind: "evicting" });
      expect(await ledger.placements.rebind(fence, rebind)).toBe("stale");
      expect(await held(ledger, boots.id)).toMatchObject([{ evict: { because: "not wanted" } }]);
      expect(await held(ledger, ready.id)).toEqual([]);
    });

    it("moving is stale once the node's worker has called, because it may have the order", async () => {
      const ledger = await make();
      const { job, fence, boots, ready, rebind } = await waiting(ledger);
      await firstCall(ledger, boots, atMs);
      expect(await ledger.placements.rebind(fence, rebind)).toBe("stale");
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "placed", node: boots.id });
      expect(await held(ledger, ready.id)).toEqual([]);
    });

    it("if moving and the worker's first call race, the job is on exactly one node, and the call shows it only if the job stays", async () => {
      const ledger = await make();
      const { job, fence, boots, ready, rebind } = await waiting(ledger);
      await ledger.nodeLedger.begin("gpu", boots.id, atMs);
      const [seen, moved] = await Promise.all([
        ledger.nodeLedger.seen("gpu", boots.id, callAt(atMs)),
        ledger.placements.rebind(fence, rebind),
      ]);
      const shown = seen.kind === "node" ? seen.node.assignments.length : -1;
      expect([moved, shown]).toEqual(moved === "done" ? ["done", 0] : ["stale", 1]);
      const there = moved === "done" ? ready.id : boots.id;
      expect(await ledger.sealing.get(job)).toMatchObject({ node: there });
      expect([...((await held(ledger, boots.id)) ?? []), ...((await held(ledger, ready.id)) ?? [])]).toHaveLength(1);
    });

    it("moving is stale for a cancelled job, for another attempt, and to a node that is not live or serves another team", async () => {
      const ledger = await make();
      const { job, fence, boots, rebind } = await waiting(ledger);
      const foreign = await readyNode(ledger, fence, { id: "i-00000000000000f0", team: "research" });
      const over = await readyNode(ledger, fence, { id: "i-00000000000000f1" });
      await ledger.placements.fenceIdle(fence, over.id, atMs);
      for (const node of [foreign, over, newNode({ id: "i-00000000000000ff" })])
        expect(await ledger.placements.rebind(fence, { ...rebind, node })).toBe("stale");
      expect(await ledger.placements.rebind(fence, { ...rebind, attempt: anAssignment({ attempt: 2 }) })).toBe("stale");
      expect(await held(ledger, boots.id)).toEqual([anAssignment({ untilMs: phaseEndsAtMs("placed", atMs, 0) })]);
      await ledger.cancellations.cancel(job, { reason: "no", atMs });
      expect(await ledger.placements.rebind(fence, rebind)).toBe("stale");
    });

    it("moving a member of a gang is stale", async () => {
      const ledger = await make();
      const { entry } = await admitted(ledger, { spec: aSpec({ nodes: 2 }) });
      const fence = await begin(ledger);
      const members = [newNode({ id: "i-00000000000000b1" }), newNode({ id: "i-00000000000000b2" })];
      await launched(ledger, fence, members);
      expect(await ledger.placements.bindGang(fence, { entry, nodes: members, atMs })).toBe("done");
      const ready = await readyNode(ledger, fence);
      expect(await ledger.placements.rebind(fence, { attempt: anAssignment(), from: members[0]?.id ?? "", node: ready, atMs })).toBe(
        "stale",
      );
    });
  });
