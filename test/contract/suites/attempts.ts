import { describe, expect, it } from "vitest";
import type { AttemptChange } from "../../../lib/ports/node-ledger.ts";
import type { LedgerPorts } from "../../../lib/sim/memory/ledger-ports.ts";
import { aSpec, monday } from "../../fakes/builders.ts";
import { admitted, begin, longAfter, type MakeLedger, only, placed, readyNode, reportedOn, sealing, takeBackLost } from "./arrange.ts";

const ref = { team: "vision", job: "train-1" };
const attempt = { ...ref, attempt: 1 };
const historyOf = async (ledger: LedgerPorts, limit = 10) => (await ledger.jobReader.attempts({ ...ref, limit })).attempts;

export const attemptsContract = (make: MakeLedger) =>
  describe("the record of attempts", () => {
    const report = (ledger: LedgerPorts, node: string, change: Omit<AttemptChange, "attempt">, atMs: number) =>
      ledger.nodeLedger.change(reportedOn(node, atMs), { attempt, ...change });

    it("a job that waits has no attempts, and neither has a job that does not exist", async () => {
      const ledger = await make();
      await admitted(ledger);
      expect(await historyOf(ledger)).toEqual([]);
      expect(await ledger.jobReader.attempts({ team: "vision", job: "other", limit: 10 })).toEqual({ attempts: [] });
    });

    it("an attempt begins where it is bound, at its share of the node's price", async () => {
      const ledger = await make();
      const { node, job } = await placed(ledger);
      const { instanceType, zone, market, usdPerHour } = node.offer;
      const share = Math.max(
        (job.spec?.vcpus ?? 0) / node.type.resources.vcpus,
        (job.spec?.memoryGiB ?? 0) / node.type.resources.memoryGiB,
        (job.spec?.gpus.count ?? 0) / node.type.resources.gpus,
      );
      expect(await historyOf(ledger)).toEqual([
        {
          attempt: 1,
          pool: "gpu",
          nodes: [node.id],
          instanceType,
          zone,
          market,
          usdPerHour: Math.round(usdPerHour * share * 1e6) / 1e6,
          placedAtMs: monday + 61_000,
        },
      ]);
    });

    it("an attempt that succeeds has the times of its program and its exit code", async () => {
      const ledger = await make();
      await sealing(ledger);
      expect(only(await historyOf(ledger))).toMatchObject({ startedAtMs: monday + 62_000, endedAtMs: monday + 90_000, exitCode: 0 });
      expect(only(await historyOf(ledger)).end).toBeUndefined();
      expect(await ledger.sealing.succeed(attempt, {}, monday + 99_000)).toBe("done");
      expect(only(await historyOf(ledger))).toMatchObject({ endedAtMs: monday + 90_000, end: "succeeded", exitCode: 0 });
    });

    it("an attempt whose files cannot be sealed fails with the reason", async () => {
      const ledger = await make();
      await sealing(ledger);
      expect(await ledger.sealing.fail(attempt, { failure: "artifact-missing", reason: "artifacts are missing" }, monday + 99_000)).toBe(
        "done",
      );
      expect(only(await historyOf(ledger))).toMatchObject({ end: "failed", reason: "artifacts are missing", endedAtMs: monday + 90_000 });
    });

    it("a failed run is listed with its exit code although the job is queued again, and the next attempt has a record of its own", async () => {
      const ledger = await make();
      const { node, fence } = await placed(ledger);
      const job = { from: "placed", to: "queued", exitCode: 3, startedAtMs: monday + 62_000, reason: "exit code 3", failed: true } as const;
      expect(await report(ledger, node.id, { job, assignment: "removed" }, monday + 70_000)).toBe("done");
      const { queue } = await ledger.decisions.waiting("gpu", monday);
      expect(await ledger.placements.bind(fence, { entry: only(queue), node, atMs: monday + 80_000 })).toBe("done");
      const [second, first] = await historyOf(ledger);
      expect(first).toMatchObject({ attempt: 1, end: "failed", exitCode: 3, reason: "exit code 3", endedAtMs: monday + 70_000 });
      expect(second).toMatchObject({ attempt: 2, placedAtMs: monday + 80_000 });
      expect(second).not.toHaveProperty("exitCode");
    });

    it("an attempt that leaves its node without a fault of its own is listed as interrupted", async () => {
      const ledger = await make();
      const { node } = await placed(ledger);
      const job = { from: "placed", to: "queued", reason: "its node is drained", failed: false } as const;
      expect(await report(ledger, node.id, { job, assignment: "removed" }, monday + 70_000)).toBe("done");
      expect(only(await historyOf(ledger))).toMatchObject({ end: "interrupted", reason: "its node is drained" });
    });

    it("an attempt that is taken back from a lost node is listed as interrupted", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      const { nodes } = await ledger.decisions.load("gpu", monday);
      const assignment = only(only(nodes).assignments);
      const back = { node: node.id, assignment, reason: "its node was lost", atMs: longAfter };
      expect(await takeBackLost(ledger, fence, back)).toBe("done");
      expect(only(await historyOf(ledger))).toMatchObject({ end: "interrupted", reason: "its node was lost", endedAtMs: longAfter });
    });

    it("a cancelled attempt ends when it is cancelled", async () => {
      const ledger = await make();
      await placed(ledger);
      await ledger.cancellations.cancel(ref, { reason: "wrong data", atMs: monday + 75_000 });
      expect(only(await historyOf(ledger))).toMatchObject({ end: "cancelled", reason: "wrong data", endedAtMs: monday + 75_000 });
    });

    it("a job that is cancelled while it waits gets no attempt", async () => {
      const ledger = await make();
      await admitted(ledger);
      await ledger.cancellations.cancel(ref, { reason: "wrong data", atMs: monday });
      expect(await historyOf(ledger)).toEqual([]);
    });

    it("a gang's attempt costs the sum of its members", async () => {
      const ledger = await make();
      const { job, entry } = await admitted(ledger, { spec: aSpec({ nodes: 2 }) });
      const fence = await begin(ledger);
      const nodes = [await readyNode(ledger, fence, { id: "i-1" }), await readyNode(ledger, fence, { id: "i-2" })];
      expect(await ledger.placements.bindGang(fence, { entry, nodes, atMs: monday })).toBe("done");
      const { attempts } = await ledger.jobReader.attempts({ ...job, limit: 1 });
      const [first] = nodes;
      expect(only(attempts).nodes).toEqual(["i-1", "i-2"]);
      const share = Math.max(
        entry.needs.vcpus / (first?.type.resources.vcpus ?? 1),
        entry.needs.memoryGiB / (first?.type.resources.memoryGiB ?? 1),
        entry.needs.gpus / (first?.type.resources.gpus ?? 1),
      );
      expect(only(attempts).usdPerHour).toBeCloseTo(2 * share * (first?.offer.usdPerHour ?? 0), 6);
    });

    it("attempts are listed newest first, page by page", async () => {
      const ledger = await make();
      const { job } = await admitted(ledger);
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      for (let n = 1; n <= 11; n += 1) {
        const { queue } = await ledger.decisions.waiting("gpu", monday);
        await ledger.placements.bind(fence, { entry: only(queue), node, atMs: monday + n * 1000 });
        const to = { from: "placed", to: "queued", reason: "drained", failed: false } as const;
        await ledger.nodeLedger.change(reportedOn(node.id, monday + n * 1000 + 500), {
          attempt: { ...ref, attempt: n },
          job: to,
          assignment: "removed",
        });
      }
      const first = await ledger.jobReader.attempts({ ...job, limit: 6 });
      expect(first.attempts.map((each) => each.attempt)).toEqual([11, 10, 9, 8, 7, 6]);
      const second = await ledger.jobReader.attempts({ ...job, limit: 6, before: first.before });
      expect(second.attempts.map((each) => each.attempt)).toEqual([5, 4, 3, 2, 1]);
      expect(second.before).toBeUndefined();
    });
  });
