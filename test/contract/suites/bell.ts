import { describe, expect, it } from "vitest";
import type { MakeLedger } from "./arrange.ts";

/** Every ring counts, and exactly one ring after a quiet moment returns `wasQuiet`. */
export const bellContract = (make: MakeLedger) =>
  describe("bell", () => {
    it("the bell is quiet before the first ring and after a decision that saw all rings", async () => {
      const { bell, decisions } = await make();
      expect(await bell.ring("gpu", "job")).toEqual({ wasQuiet: true });
      expect(await bell.ring("gpu", "job")).toEqual({ wasQuiet: false });
      const { fence, ringsSeen } = await decisions.begin("gpu");
      expect(ringsSeen).toBe(2);
      expect(await decisions.finish(fence, { ringsSeen, busy: false })).toBe("quiet");
      expect(await bell.ring("gpu", "job")).toEqual({ wasQuiet: true });
    });

    it("100 rings at once are all counted and wake the lane once", async () => {
      const { bell, decisions } = await make();
      const rings = await Promise.all(Array.from({ length: 100 }, () => bell.ring("gpu", "job")));
      expect(rings.filter((ring) => ring.wasQuiet)).toHaveLength(1);
      expect(await decisions.state("gpu")).toMatchObject({ bell: 100, decidedThrough: 0 });
    });

    it("a ring during a decision is not lost, because either finish hears it or the ring wakes the lane", async () => {
      const { bell, decisions } = await make();
      for (let round = 1; round <= 10; round += 1) {
        const { fence, ringsSeen } = await decisions.begin("gpu");
        const [rung, finished] = await Promise.all([bell.ring("gpu", "job"), decisions.finish(fence, { ringsSeen, busy: false })]);
        expect({ rung: rung.wasQuiet, finished }, `round ${round}`).toSatisfy(
          (outcome: { rung: boolean; finished: string }) => outcome.rung || outcome.finished === "rang",
        );
        const next = await decisions.begin("gpu");
        expect(next.ringsSeen).toBe(round);
        expect(await decisions.finish(next.fence, { ringsSeen: next.ringsSeen, busy: false })).toBe("quiet");
      }
    });

    it("the next decision gets each cause of the rings once, and no later decision gets it again", async () => {
      const { bell, decisions } = await make();
      for (const cause of ["worker", "job", "worker", "alarm fleetwright/gpu-low/gpu"] as const) await bell.ring("gpu", cause);
      await bell.ring("cpu", "tick");
      expect(await decisions.begin("gpu")).toMatchObject({ ringsSeen: 4, causes: ["alarm fleetwright/gpu-low/gpu", "job", "worker"] });
      expect(await decisions.begin("gpu")).toMatchObject({ ringsSeen: 4, causes: [] });
      await bell.ring("gpu", "later");
      expect(await decisions.begin("gpu")).toMatchObject({ ringsSeen: 5, causes: ["later"] });
    });

    it("the bell keeps 50 causes and counts all rings", async () => {
      const { bell, decisions } = await make();
      for (let n = 0; n < 60; n += 1) await bell.ring("gpu", `ended i-${String(n).padStart(8, "0")}`);
      const { ringsSeen, causes, fence } = await decisions.begin("gpu");
      expect({ ringsSeen, causes: causes.length }).toEqual({ ringsSeen: 60, causes: 50 });
      expect(await decisions.finish(fence, { ringsSeen, busy: false })).toBe("quiet");
      expect(await bell.ring("gpu", "job")).toEqual({ wasQuiet: true });
    });

    it("each pool has its own bell", async () => {
      const { bell } = await make();
      await bell.ring("gpu", "job");
      expect(await bell.ring("cpu", "job")).toEqual({ wasQuiet: true });
    });
  });
