import { describe, expect, it } from "vitest";
import { keptMs } from "../../../lib/model/values/kept.ts";
import type { LedgerPorts } from "../../../lib/sim/memory/ledger-ports.ts";
import { aLaunch, aRefusal, monday } from "../../fakes/builders.ts";
import { admitted, begin, callAt, newNode, placed, plenty, readyNode, reportedOn } from "./arrange.ts";

/** Returns an empty ledger, and what deletes all of its records that have expired by a time. */
export type MakeExpiring = () => Promise<{ readonly ledger: LedgerPorts; readonly expire: (byMs: number) => Promise<void> }>;

const dayMs = 86_400_000;

/** What has expired is as if it had never been, and nothing expires that is not over. */
export const expiryContract = (make: MakeExpiring) =>
  describe("expiry", () => {
    it("the id of an ended job is free again when its record has expired, and not before", async () => {
      const { ledger, expire } = await make();
      const { job, node } = await placed(ledger);
      const attempt = { team: job.team, job: job.job, attempt: 1 };
      const end = { from: "placed", to: "failed", reason: "no", failed: true } as const;
      await ledger.nodeLedger.change(reportedOn(node.id, monday), { attempt, job: end, assignment: "removed" });
      await expire(monday + keptMs.job - 1);
      expect(await ledger.admissions.admit({ ...job, bodyHash: "1".repeat(64) })).toEqual({ kind: "taken" });
      expect((await ledger.jobReader.attempts({ ...attempt, limit: 10 })).attempts).toHaveLength(1);
      await expire(monday + keptMs.job);
      expect(await ledger.jobReader.get(job)).toBeUndefined();
      expect((await ledger.jobLookup.find([job])).size).toBe(0);
      expect((await ledger.jobReader.attempts({ ...attempt, limit: 10 })).attempts).toEqual([]);
      expect(await ledger.cancellations.cancel(job, { reason: "late", atMs: monday })).toEqual({ kind: "unknown" });
      expect(await ledger.admissions.admit({ ...job, bodyHash: "1".repeat(64) })).toMatchObject({ kind: "created" });
    });

    it("a node that has left is over until its record expires, and then unknown", async () => {
      const { ledger, expire } = await make();
      const fence = await begin(ledger);
      const { id } = await readyNode(ledger, fence);
      await ledger.placements.removeNode(fence, id, monday);
      await expire(monday + keptMs.formerNode - 1);
      expect(await ledger.nodeLedger.begin("gpu", id, monday)).toEqual({ kind: "over" });
      expect(await ledger.nodeLedger.gone(id, monday)).toEqual({ kind: "noted", pool: "gpu" });
      await expire(monday + keptMs.formerNode);
      expect(await ledger.nodeLedger.begin("gpu", id, monday)).toEqual({ kind: "unknown" });
      expect(await ledger.nodeLedger.seen("gpu", id, callAt(monday))).toEqual({ kind: "unknown" });
      expect(await ledger.nodeLedger.gone(id, monday)).toEqual({ kind: "unknown" });
      expect(await ledger.nodeLedger.noticed(id, { kind: "interruption", atMs: monday }, monday)).toEqual({ kind: "unknown" });
      expect(await ledger.nodeReader.find(id)).toBeUndefined();
      const instance = { id, launch: `for-${id}`, pool: "gpu", launchedAtMs: monday, ending: false };
      expect(await ledger.orphans.unowned([instance])).toEqual([instance]);
    });

    it("a launch that was settled cannot be settled again when its record has expired", async () => {
      const { ledger, expire } = await make();
      const fence = await begin(ledger);
      const launch = aLaunch();
      const settled = { launch, nodes: [newNode()], atMs: monday };
      await ledger.placements.intend(fence, launch, plenty);
      expect(await ledger.placements.settle(fence, settled)).toBe("done");
      await expire(monday + keptMs.settledLaunch - 1);
      expect(await ledger.placements.settle(fence, settled)).toBe("done");
      await expire(monday + keptMs.settledLaunch);
      expect(await ledger.placements.settle(fence, settled)).toBe("stale");
    });

    it("what EC2 refused, what did not boot, and what was sent about an outbox is forgotten", async () => {
      const { ledger, expire } = await make();
      const fence = await begin(ledger);
      const refusal = aRefusal();
      const outbox = { role: "AROAINSTANCEROLE", node: "i-0123456789abcdef0", team: "vision", job: "a", attempt: 1 };
      const claim = () => ledger.outboxClaims.claim(outbox, { beforeMs: 0, atMs: monday });
      await ledger.capacity.change(refusal, () => refusal);
      await ledger.placements.bootFailed(fence, { node: "i-1", instanceType: "g5.xlarge", zone: "us-east-1a", atMs: monday });
      expect(await claim()).toBe(true);
      const known = async () => {
        const { refusals, bootFailures = [] } = await ledger.decisions.load("gpu", monday);
        return { refusals: refusals.length, bootFailures: bootFailures.length, claimed: !(await claim()) };
      };
      await expire(monday + keptMs.failure - 1);
      expect(await known()).toEqual({ refusals: 1, bootFailures: 1, claimed: true });
      await expire(monday + keptMs.failure);
      expect(await known()).toEqual({ refusals: 1, bootFailures: 0, claimed: true });
      await expire(Math.max(monday + keptMs.outboxClaim, refusal.untilMs + keptMs.refusal));
      expect(await known()).toEqual({ refusals: 0, bootFailures: 0, claimed: false });
    });

    it("what nodes have cost in a month is forgotten more than a year after its end", async () => {
      const { ledger, expire } = await make();
      const fence = await begin(ledger);
      const { id } = await readyNode(ledger, fence);
      await ledger.placements.removeNode(fence, id, monday + 3_600_000);
      const spent = async () => (await ledger.decisions.load("gpu", monday)).spent.monthUsd;
      const before = await spent();
      expect(before).toBeGreaterThan(0);
      const july = Date.parse("2026-07-01T00:00:00Z");
      await expire(july + keptMs.spent - 1);
      expect(await spent()).toBe(before);
      await expire(july + keptMs.spent);
      expect(await spent()).toBe(0);
    });

    it("nothing that is not over expires: a job that waits or runs, a node that has been silent for a year, an open launch", async () => {
      const { ledger, expire } = await make();
      const { fence, node, job } = await placed(ledger);
      const waits = await admitted(ledger, { job: "waits" });
      const launch = aLaunch({ id: "open", clientToken: "open" });
      await ledger.placements.intend(fence, launch, plenty);
      const state = async () => {
        const { nodes, openLaunches } = await ledger.decisions.load("gpu", monday);
        const waiting = await ledger.decisions.waiting("gpu", monday);
        return { nodes, openLaunches, waiting, jobs: [await ledger.nodeLedger.job(job), await ledger.nodeLedger.job(waits.job)] };
      };
      const before = await state();
      expect(before.nodes).toMatchObject([{ id: node.id, lastSeenMs: monday + 60_000, assignments: [{ job: job.job }] }]);
      await expire(monday + 365 * dayMs);
      expect(await state()).toEqual(before);
      expect(await ledger.nodeLedger.seen("gpu", node.id, callAt(monday + 365 * dayMs))).toMatchObject({ kind: "node" });
    });
  });
