import { describe, expect, it } from "vitest";
import { loadPool } from "../../../lib/flows/pool/load-pool.ts";
import { aJob, anEntry, aSpec, monday } from "../../fakes/builders.ts";
import { admitted, begin, type MakeLedger, only, readyNode } from "./arrange.ts";

export const admissionsContract = (make: MakeLedger) =>
  describe("admissions", () => {
    it("admission writes a job and its queue entry", async () => {
      const ledger = await make();
      const spec = aSpec({ env: { A: "1", SPACE: "" }, priority: 7, gpus: { count: 2, memoryGiB: 16, models: ["A10G", "L4"] } });
      const job = aJob({ spec });
      expect(await ledger.admissions.admit(job)).toMatchObject({ kind: "created" });
      expect(await ledger.sealing.get(job)).toEqual(job);
      const { queue } = await ledger.decisions.waiting("gpu", monday);
      expect(queue).toEqual([
        anEntry({ priority: 7, needs: { vcpus: 2, memoryGiB: 8, gpus: 2 }, gpu: { memoryGiB: 16, models: ["A10G", "L4"] } }),
      ]);
    });

    it("admission recognizes the same message again, and refuses another body under its name", async () => {
      const ledger = await make();
      await admitted(ledger);
      expect(await ledger.admissions.admit(aJob({ pool: "other", state: "rejected" }))).toEqual({ kind: "same", job: aJob() });
      expect(await ledger.admissions.admit(aJob({ bodyHash: "1".repeat(64) }))).toMatchObject({ kind: "taken" });
      expect(await ledger.admissions.admit(aJob({ team: "speech", bodyHash: "1".repeat(64) }))).toMatchObject({ kind: "created" });
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toHaveLength(2);
    });

    it("16 equal messages at once create one job", async () => {
      const ledger = await make();
      const outcomes = await Promise.all(Array.from({ length: 16 }, () => ledger.admissions.admit(aJob())));
      expect(outcomes.filter(({ kind }) => kind === "created")).toHaveLength(1);
      expect(outcomes.filter(({ kind }) => kind === "same")).toHaveLength(15);
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toHaveLength(1);
    });

    it("16 different bodies that race for a name create one job", async () => {
      const ledger = await make();
      const bodies = Array.from({ length: 16 }, (_, n) => aJob({ bodyHash: String(n).padStart(64, "0") }));
      const outcomes = await Promise.all(bodies.map((job) => ledger.admissions.admit(job)));
      expect(outcomes.filter(({ kind }) => kind === "created")).toHaveLength(1);
      expect(outcomes.filter(({ kind }) => kind === "taken")).toHaveLength(15);
    });

    it("a rejected job is stored without a spec and without a queue entry", async () => {
      const ledger = await make();
      const rejected = aJob({ state: "rejected", spec: undefined, reason: "it is not JSON", endedAtMs: monday });
      expect(await ledger.admissions.admit(rejected)).toMatchObject({ kind: "created" });
      expect(await ledger.sealing.get(rejected)).toEqual(rejected);
      expect((await ledger.decisions.waiting("gpu", monday)).queue).toEqual([]);
    });

    it("a repeated message does not put a job that was placed long ago back into the queue", async () => {
      const ledger = await make();
      const { entry } = await admitted(ledger);
      const fence = await begin(ledger);
      const node = await readyNode(ledger, fence);
      expect(await ledger.placements.bind(fence, { entry, node, atMs: monday })).toBe("done");
      expect(await ledger.admissions.admit(aJob())).toMatchObject({ kind: "same" });
      const loaded = await loadPool(ledger, "gpu", monday);
      expect(loaded.queue).toEqual([]);
      expect(only(loaded.nodes).assignments).toHaveLength(1);
    });

    it("a team's jobs beyond the most that may wait in a pool are not admitted, and those of other teams and pools are", async () => {
      const ledger = await make();
      const limits = { maxQueued: 2 };
      for (const job of ["a", "b"]) expect(await ledger.admissions.admit(aJob({ job }), limits)).toEqual({ kind: "created" });
      expect(await ledger.admissions.admit(aJob({ job: "c" }), limits)).toEqual({ kind: "full" });
      expect(await ledger.jobLookup.find([{ team: "vision", job: "c" }])).toEqual(new Map());
      expect(await ledger.admissions.admit(aJob({ job: "c", team: "speech" }), limits)).toEqual({ kind: "created" });
      expect(await ledger.admissions.admit(aJob({ job: "c", pool: "cpu" }), limits)).toEqual({ kind: "created" });
    });

    it("a job that was admitted before is the same although its team's queue is full", async () => {
      const ledger = await make();
      const limits = { maxQueued: 1 };
      await ledger.admissions.admit(aJob({ job: "a" }), limits);
      expect(await ledger.admissions.admit(aJob({ job: "a" }), limits)).toMatchObject({ kind: "same" });
      expect(await ledger.admissions.admit(aJob({ job: "a", bodyHash: "other" }), limits)).toEqual({ kind: "taken" });
    });

    it("jobs are admitted again after those that left the queue were counted", async () => {
      const ledger = await make();
      const limits = { maxQueued: 2 };
      for (const job of ["a", "b"]) await ledger.admissions.admit(aJob({ job }), limits);
      expect(await ledger.decisions.countQueued("gpu")).toBe(2);
      await ledger.cancellations.cancel({ team: "vision", job: "a" }, { reason: "no", atMs: monday });
      expect(await ledger.decisions.countQueued("gpu")).toBe(1);
      expect(await ledger.admissions.admit(aJob({ job: "c" }), limits)).toEqual({ kind: "created" });
      expect(await ledger.admissions.admit(aJob({ job: "d" }), limits)).toEqual({ kind: "full" });
    });

    it("a rejected job is recorded although its team's queue is full", async () => {
      const ledger = await make();
      const limits = { maxQueued: 1 };
      await ledger.admissions.admit(aJob({ job: "a" }), limits);
      const rejected = aJob({ job: "b", state: "rejected", reason: "no", endedAtMs: monday });
      expect(await ledger.admissions.admit(rejected, limits)).toEqual({ kind: "created" });
    });
  });
