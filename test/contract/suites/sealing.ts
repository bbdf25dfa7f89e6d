import { describe, expect, it } from "vitest";
import { monday } from "../../fakes/builders.ts";
import { admitted, leaseOver, type MakeLedger, placed, sealing } from "./arrange.ts";

const artifacts = [{ path: "out/model.bin", bytes: 5, sha256: "a".repeat(64), key: "vision/train-1/1/out/model.bin" }];
const attempt = { team: "vision", job: "train-1", attempt: 1 };

export const sealingContract = (make: MakeLedger) =>
  describe("sealing", () => {
    it("ends a job whose artifacts are sealed, and the same again is done", async () => {
      const ledger = await make();
      await sealing(ledger);
      expect(await ledger.sealing.succeed(attempt, artifacts, monday + 100_000)).toBe("done");
      expect(await ledger.sealing.succeed(attempt, artifacts, monday + 101_000)).toBe("done");
      const job = await ledger.sealing.get(attempt);
      expect(job).toMatchObject({ state: "succeeded", artifacts, exitCode: 0, endedAtMs: monday + 100_000, startedAtMs: monday + 62_000 });
      expect(job?.node).toBeUndefined();
      expect(await ledger.sealing.fail(attempt, "too late", monday)).toBe("stale");
    });

    it("lists 1,000 artifacts, and says so when they are more than an item holds", async () => {
      const ledger = await make();
      await sealing(ledger);
      const some = (count: number) =>
        Array.from({ length: count }, (_, n) => ({
          path: `out/part-${n}.bin`,
          bytes: n,
          sha256: "a".repeat(64),
          key: `vision/train-1/1/out/part-${n}.bin`,
        }));
      await expect(ledger.sealing.succeed(attempt, some(3000), monday)).rejects.toMatchObject({ code: "artifacts-size", retry: false });
      expect(await ledger.sealing.get(attempt)).toMatchObject({ state: "sealing" });
      expect(await ledger.sealing.succeed(attempt, some(1000), monday)).toBe("done");
      expect((await ledger.sealing.get(attempt))?.artifacts).toEqual(some(1000));
    });

    it("fails a job whose artifacts cannot be sealed", async () => {
      const ledger = await make();
      await sealing(ledger);
      expect(await ledger.sealing.fail(attempt, "out/model.bin is missing", monday + 100_000)).toBe("done");
      expect(await ledger.sealing.fail(attempt, "out/model.bin is missing", monday + 100_000)).toBe("done");
      expect(await ledger.sealing.get(attempt)).toMatchObject({ state: "failed", reason: "out/model.bin is missing" });
      expect(await ledger.sealing.succeed(attempt, artifacts, monday)).toBe("stale");
    });

    it("changes nothing for an attempt that does not count, or a job that is not sealing", async () => {
      const ledger = await make();
      await sealing(ledger);
      expect(await ledger.sealing.succeed({ ...attempt, attempt: 2 }, artifacts, monday)).toBe("stale");
      expect(await ledger.sealing.fail({ ...attempt, attempt: 2 }, "no", monday)).toBe("stale");
      expect(await ledger.sealing.succeed({ ...attempt, job: "nobody" }, artifacts, monday)).toBe("stale");
      expect(await ledger.sealing.get(attempt)).toMatchObject({ state: "sealing", attempt: 1 });
      await admitted(ledger, { job: "other" });
      expect(await ledger.sealing.succeed({ ...attempt, job: "other" }, artifacts, monday)).toBe("stale");
    });

    it("is stale after the attempt was taken back", async () => {
      const ledger = await make();
      const { fence, node } = await sealing(ledger);
      const [assignment] = (await ledger.nodeLedger.get("gpu", node.id))?.assignments ?? [];
      if (!assignment) throw new Error("the node holds nothing");
      expect(await ledger.placements.takeBack(fence, { node: node.id, assignment, reason: "lost", atMs: leaseOver })).toBe("done");
      expect(await ledger.sealing.succeed(attempt, artifacts, monday)).toBe("stale");
      expect(await ledger.sealing.get(attempt)).toMatchObject({ state: "queued", attempt: 2 });
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([]);
    });

    it("tells which attempts have waited for long", async () => {
      const ledger = await make();
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([]);
      await sealing(ledger);
      expect(await ledger.sealing.waitingSince(monday + 90_000)).toEqual([]);
      expect(await ledger.sealing.waitingSince(monday + 90_001)).toEqual([attempt]);
      await ledger.sealing.succeed(attempt, artifacts, monday + 100_000);
      expect(await ledger.sealing.waitingSince(monday + 1e9)).toEqual([]);
    });

    it("reads what was written the moment before", async () => {
      const ledger = await make();
      const { job } = await placed(ledger);
      expect(await ledger.sealing.get(job)).toMatchObject({ state: "placed" });
    });
  });
