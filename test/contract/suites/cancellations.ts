import { describe, expect, it } from "vitest";
import { phaseEndsAtMs } from "../../../lib/model/values/attempt-times.ts";
import { aJob, anAssignment, monday } from "../../fakes/builders.ts";
import { admitted, begin, longAfter, type MakeLedger, placed, readyNode, reportedOn, sealing, takeBackLost } from "./arrange.ts";

const by = { reason: "not wanted any more", atMs: monday + 200_000 };
const attempt = { team: "vision", job: "train-1", attempt: 1 };
const cancelled = { state: "cancelled", reason: by.reason, endedAtMs: by.atMs, endCode: "cancelled" };

export const cancellationsContract = (make: MakeLedger) =>
  describe("cancellations", () => {
    it("cancelling takes a waiting job out of the queue, and may be repeated", async () => {
      const ledger = await make();
      const { job, entry } = await admitted(ledger);
      await admitted(ledger, { job: "other" });
      expect(await ledger.cancellations.cancel(job, by)).toEqual({ kind: "cancelled", pool: "gpu" });
      expect(await ledger.cancellations.cancel(job, { reason: "again", atMs: monday + 300_000 })).toEqual({ kind: "same", pool: "gpu" });
      expect(await ledger.sealing.get(job)).toEqual({ ...job, ...cancelled });
      expect((await ledger.decisions.waiting("gpu", monday)).queue.map((each) => each.job)).toEqual(["other"]);
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      expect(await ledger.placements.bind(fence, { entry, node, atMs: monday })).toBe("stale");
      expect(await ledger.placements.hold(fence, { entry, reason: "waits" })).toBe("stale");
    });

    it("a cancelled job stays on its node until its worker has stopped it, and never runs again", async () => {
      const ledger = await make();
      const { job, node } = await placed(ledger);
      expect(await ledger.cancellations.cancel(job, by)).toEqual({ kind: "cancelled", pool: "gpu" });
      expect(await ledger.sealing.get(job)).toEqual({ ...job, ...cancelled, node: node.id });
      expect((await ledger.nodeLedger.get("gpu", node.id))?.assignments).toEqual([
        anAssignment({ untilMs: phaseEndsAtMs("placed", monday + 61_000, 0) }),
      ]);
      const on = reportedOn(node.id, monday + 210_000);
      const running = { from: "placed", to: "running", failed: false } as const;
      expect(await ledger.nodeLedger.change(on, { attempt, job: running, assignment: "running" })).toBe("stale");
      expect(await ledger.nodeLedger.change(on, { attempt, assignment: "removed" })).toBe("done");
      expect(await ledger.sealing.get(job)).toEqual({ ...job, ...cancelled });
    });

    it("an evicted run stays on its node until its worker has stopped it, with the first reason", async () => {
      const ledger = await make();
      const { job, node } = await placed(ledger);
      const evict = { because: "its node is slow", atMs: monday + 200_000 };
      expect(await ledger.cancellations.evict(job, evict)).toEqual({ kind: "evicting" });
      expect(await ledger.cancellations.evict(job, { because: "again", atMs: monday + 300_000 })).toEqual({ kind: "evicting" });
      expect(await ledger.cancellations.evict({ ...attempt, attempt: 2 }, evict)).toEqual({ kind: "passed", attempt: 1 });
      const held = async () => (await ledger.nodeLedger.get("gpu", node.id))?.assignments;
      const placedUntilMs = phaseEndsAtMs("placed", monday + 61_000, 0);
      expect(await held()).toEqual([anAssignment({ untilMs: placedUntilMs, evict })]);
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "placed", node: node.id });
      const on = reportedOn(node.id, monday + 210_000);
      const running = { from: "placed", to: "running", failed: false } as const;
      expect(await ledger.nodeLedger.change(on, { attempt, job: running, assignment: "running" })).toBe("done");
      expect(await held()).toMatchObject([{ phase: "running", evict }]);
      const queued = { from: "running", to: "queued", reason: evict.because, failed: false } as const;
      expect(await ledger.nodeLedger.change(on, { attempt, job: queued, assignment: "removed" })).toBe("done");
      expect(await held()).toEqual([]);
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toMatchObject([{ attempt: 2 }]);
    });

    it("a job that waits, uploads, has ended or does not exist has no run to evict", async () => {
      const ledger = await make();
      const evict = { because: "its node is slow", atMs: monday + 200_000 };
      const { job } = await admitted(ledger, { job: "waits" });
      expect(await ledger.cancellations.evict(job, evict)).toEqual({ kind: "off", state: "queued" });
      expect(await ledger.cancellations.evict({ team: "vision", job: "nobody" }, evict)).toEqual({ kind: "unknown" });
      const uploading = await sealing(ledger);
      expect(await ledger.cancellations.evict(uploading.job, evict)).toEqual({ kind: "off", state: "sealing" });
      await ledger.cancellations.cancel(uploading.job, by);
      expect(await ledger.cancellations.evict(uploading.job, evict)).toEqual({ kind: "off", state: "cancelled" });
    });

    it("a cancelled job's upload is still sealed, which does not change the job any more", async () => {
      const ledger = await make();
      const { job } = await sealing(ledger);
      expect(await ledger.cancellations.cancel(job, by)).toEqual({ kind: "cancelled", pool: "gpu" });
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([attempt]);
      expect(await ledger.sealing.succeed(attempt, {}, monday + 210_000)).toBe("stale");
      await ledger.sealing.over(attempt);
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([]);
      expect(await ledger.sealing.get(job)).toMatchObject(cancelled);
    });

    it("a cancelled job stays ended when its dead node is freed", async () => {
      const ledger = await make();
      const { fence, job, node } = await placed(ledger);
      await ledger.cancellations.cancel(job, by);
      const back = { node: node.id, assignment: anAssignment(), reason: "lost", atMs: longAfter };
      expect(await takeBackLost(ledger, fence, back)).toBe("done");
      expect(await ledger.sealing.get(job)).toEqual({ ...job, ...cancelled });
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toEqual([]);
    });

    it("cancelling does not change a job that has ended or does not exist", async () => {
      const ledger = await make();
      const { job } = await sealing(ledger);
      await ledger.sealing.succeed(attempt, {}, monday + 100_000);
      expect(await ledger.cancellations.cancel(job, by)).toEqual({ kind: "ended", state: "succeeded" });
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "succeeded", endedAtMs: monday + 100_000 });
      await ledger.admissions.admit(aJob({ job: "refused", state: "rejected", spec: undefined, endedAtMs: monday }));
      expect(await ledger.cancellations.cancel({ team: "vision", job: "refused" }, by)).toEqual({ kind: "ended", state: "rejected" });
      expect(await ledger.cancellations.cancel({ team: "vision", job: "nobody" }, by)).toEqual({ kind: "unknown" });
    });

    it("cancelling many jobs ends each that can be cancelled, and reports an outcome for every one", async () => {
      const ledger = await make();
      for (let n = 0; n < 45; n += 1) await admitted(ledger, { job: `job-${n}` });
      const { job: onNode, node } = await placed(ledger, { job: "on-node" });
      await ledger.admissions.admit(aJob({ job: "refused", state: "rejected", spec: undefined, endedAtMs: monday }));
      await ledger.cancellations.cancel({ team: "vision", job: "job-7" }, by);
      const names = [...Array.from({ length: 45 }, (_, n) => `job-${n}`), "refused", "nobody", "on-node", "job-0"];
      const outcomes = await ledger.cancellations.cancelAll(
        names.map((job) => ({ team: "vision", job })),
        { ...by, states: ["queued"] },
      );
      const kinds = new Map(names.map((name, index) => [name, outcomes[index]]));
      expect(outcomes.filter(({ kind }) => kind === "cancelled").length).toBeGreaterThanOrEqual(44);
      expect(kinds.get("job-44")).toEqual({ kind: "cancelled", pool: "gpu" });
      expect(kinds.get("job-7")).toEqual({ kind: "same", pool: "gpu" });
      expect(kinds.get("refused")).toEqual({ kind: "ended", state: "rejected" });
      expect(kinds.get("nobody")).toEqual({ kind: "unknown" });
      expect(kinds.get("on-node")).toEqual({ kind: "spared", state: "placed" });
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toEqual([]);
      expect(await ledger.cancellations.cancelAll([onNode], by)).toEqual([{ kind: "cancelled", pool: "gpu" }]);
      expect(await ledger.sealing.get(onNode)).toEqual({ ...onNode, ...cancelled, node: node.id });
      expect(await ledger.cancellations.cancelAll([], by)).toEqual([]);
    });

    it("one of 8 cancellations at once takes effect, whatever else happens to the job", async () => {
      const ledger = await make();
      const { job, entry } = await admitted(ledger);
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      const [bound, ...outcomes] = await Promise.all([
        ledger.placements.bind(fence, { entry, node, atMs: monday }),
        ...Array.from({ length: 8 }, () => ledger.cancellations.cancel(job, by)),
      ]);
      expect(outcomes.filter(({ kind }) => kind === "cancelled")).toHaveLength(1);
      expect(outcomes.filter(({ kind }) => kind === "same")).toHaveLength(7);
      expect(await ledger.sealing.get(job)).toEqual({ ...job, ...cancelled, ...(bound === "done" ? { node: node.id } : {}) });
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toEqual([]);
    });
  });
