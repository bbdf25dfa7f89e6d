import { describe, expect, it } from "vitest";
import { monday } from "../../fakes/builders.ts";
import { admitted, longAfter, type MakeLedger, placed, sealing, takeBackLost } from "./arrange.ts";

const artifacts = { files: 1, bytes: 5, leftOut: 2, missing: ["ckpt/*.pt"], lost: 0 };
const kept = { artifacts, reason: "2 entries were left out" };
const attempt = { team: "vision", job: "train-1", attempt: 1 };

export const sealingContract = (make: MakeLedger) =>
  describe("sealing", () => {
    it("a job whose artifacts are sealed succeeds, and reporting it may be repeated", async () => {
      const ledger = await make();
      await sealing(ledger);
      expect(await ledger.sealing.succeed(attempt, kept, monday + 100_000)).toBe("done");
      expect(await ledger.sealing.succeed(attempt, kept, monday + 101_000)).toBe("done");
      const job = await ledger.sealing.get(attempt);
      expect(job).toMatchObject({
        state: "succeeded",
        endCode: "succeeded",
        ...kept,
        exitCode: 0,
        endedAtMs: monday + 100_000,
        startedAtMs: monday + 62_000,
      });
      expect(job?.node).toBeUndefined();
      expect(await ledger.sealing.fail(attempt, { failure: "artifact-missing", reason: "too late" }, monday)).toBe("stale");
    });

    it("a job whose artifacts cannot be sealed fails", async () => {
      const ledger = await make();
      await sealing(ledger);
      expect(
        await ledger.sealing.fail(
          attempt,
          { artifacts, failure: "artifact-missing", reason: "out/model.bin is missing" },
          monday + 100_000,
        ),
      ).toBe("done");
      expect(
        await ledger.sealing.fail(
          attempt,
          { artifacts, failure: "artifact-missing", reason: "out/model.bin is missing" },
          monday + 100_000,
        ),
      ).toBe("done");
      expect(await ledger.sealing.get(attempt)).toMatchObject({
        state: "failed",
        endCode: "artifact-missing",
        artifacts,
        reason: "out/model.bin is missing",
      });
      expect(await ledger.sealing.succeed(attempt, kept, monday)).toBe("stale");
    });

    it("sealing is stale for another attempt, and for a job that is not sealing", async () => {
      const ledger = await make();
      await sealing(ledger);
      expect(await ledger.sealing.succeed({ ...attempt, attempt: 2 }, kept, monday)).toBe("stale");
      expect(await ledger.sealing.fail({ ...attempt, attempt: 2 }, { failure: "artifact-missing", reason: "no" }, monday)).toBe("stale");
      expect(await ledger.sealing.succeed({ ...attempt, job: "nobody" }, kept, monday)).toBe("stale");
      expect(await ledger.sealing.get(attempt)).toMatchObject({ state: "sealing", attempt: 1 });
      await admitted(ledger, { job: "other" });
      expect(await ledger.sealing.succeed({ ...attempt, job: "other" }, kept, monday)).toBe("stale");
    });

    it("an attempt can stop waiting to be sealed without a change to its job, and this may be repeated", async () => {
      const ledger = await make();
      await sealing(ledger);
      await ledger.sealing.over({ ...attempt, attempt: 2 });
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([attempt]);
      await ledger.sealing.over(attempt);
      await ledger.sealing.over(attempt);
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([]);
      expect(await ledger.sealing.get(attempt)).toMatchObject({ state: "sealing" });
    });

    it("an attempt that was taken back no longer ends its job, but what it uploaded still waits to be sealed", async () => {
      const ledger = await make();
      const { fence, node } = await sealing(ledger);
      const [assignment] = (await ledger.nodeLedger.get("gpu", node.id))?.assignments ?? [];
      if (!assignment) throw new Error("the node holds nothing");
      expect(await takeBackLost(ledger, fence, { node: node.id, assignment, reason: "lost", atMs: longAfter })).toBe("done");
      expect(await ledger.sealing.succeed(attempt, kept, monday)).toBe("stale");
      expect(await ledger.sealing.get(attempt)).toMatchObject({ state: "queued", attempt: 2 });
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([attempt]);
    });

    it("an attempt that its worker could not report as ended waits to be sealed once its node is lost, because it may have uploaded", async () => {
      const ledger = await make();
      const { fence, node } = await placed(ledger);
      const [assignment] = (await ledger.nodeLedger.get("gpu", node.id))?.assignments ?? [];
      if (!assignment) throw new Error("the node holds nothing");
      expect(await takeBackLost(ledger, fence, { node: node.id, assignment, reason: "lost", atMs: longAfter })).toBe("done");
      expect(await ledger.sealing.get(attempt)).toMatchObject({ state: "queued", attempt: 2 });
      expect(await ledger.sealing.waitingSince(longAfter + 1)).toEqual([attempt]);
    });

    it("the attempts that have waited to be sealed for long are listed", async () => {
      const ledger = await make();
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([]);
      await sealing(ledger);
      expect(await ledger.sealing.waitingSince(monday + 90_000)).toEqual([]);
      expect(await ledger.sealing.waitingSince(monday + 90_001)).toEqual([attempt]);
      await ledger.sealing.succeed(attempt, kept, monday + 100_000);
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([]);
    });

    it("a repeat for an attempt that waits is claimed once in each period, and only while it waits", async () => {
      const ledger = await make();
      await sealing(ledger);
      const at = { beforeMs: monday + 1_000_000, atMs: monday + 2_000_000 };
      expect(await ledger.sealing.claimAgain(attempt, { ...at, beforeMs: monday + 90_000 })).toBe(false);
      expect(await ledger.sealing.claimAgain(attempt, at)).toBe(true);
      expect(await ledger.sealing.claimAgain(attempt, at)).toBe(false);
      expect(await ledger.sealing.waitingSince(monday + 2_000_000)).toEqual([]);
      expect(await ledger.sealing.waitingSince(monday + 2_000_001)).toEqual([attempt]);
      await ledger.sealing.over(attempt);
      expect(await ledger.sealing.claimAgain(attempt, { ...at, beforeMs: monday + 1e9 })).toBe(false);
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([]);
    });

    it("a failure is noted for an attempt that waits, and its job says why it is not sealed yet", async () => {
      const ledger = await make();
      await sealing(ledger);
      await ledger.sealing.failedNow(attempt, { reason: "the key is disabled", atMs: monday + 500_000 });
      expect(await ledger.sealing.get(attempt)).toMatchObject({ state: "sealing", reason: "the key is disabled" });
      expect(await ledger.sealing.waitingSince(monday + 500_000)).toEqual([]);
      await ledger.sealing.succeed(attempt, { artifacts: kept.artifacts }, monday + 600_000);
      expect((await ledger.sealing.get(attempt))?.reason).toBeUndefined();
      await ledger.sealing.failedNow(attempt, { reason: "late", atMs: monday + 700_000 });
      expect((await ledger.sealing.get(attempt))?.reason).toBeUndefined();
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([]);
    });

    it("sealing reads a job as it was written a moment before", async () => {
      const ledger = await make();
      const { job } = await placed(ledger);
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "placed" });
    });
  });
