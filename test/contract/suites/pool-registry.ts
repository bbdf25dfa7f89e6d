import { describe, expect, it } from "vitest";
import { begin, type MakeLedger } from "./arrange.ts";

/** The pools that exist, whatever the configuration says. */
export const poolRegistryContract = (make: MakeLedger) =>
  describe("pool registry", () => {
    it("the registry lists each added pool once, by name", async () => {
      const { registry } = await make();
      expect(await registry.list()).toEqual([]);
      await registry.add("gpu");
      await registry.add("cpu");
      await registry.add("gpu");
      expect(await registry.list()).toEqual(["cpu", "gpu"]);
    });

    it("a pool that is at rest, or whose bell never rang, can be removed from the registry", async () => {
      const ledger = await make();
      await ledger.registry.add("never");
      await ledger.registry.add("gpu");
      await ledger.bell.ring("gpu", "job");
      const { fence, ringsSeen } = await ledger.decisions.begin("gpu");
      await ledger.decisions.finish(fence, { ringsSeen, busy: false });
      expect(await ledger.registry.remove("never", await ledger.decisions.state("never"))).toBe("done");
      expect(await ledger.registry.remove("gpu", await ledger.decisions.state("gpu"))).toBe("done");
      expect(await ledger.registry.remove("gpu", await ledger.decisions.state("gpu"))).toBe("done");
      expect(await ledger.registry.list()).toEqual([]);
    });

    it("a pool that has work, or whose bell has rung since its state was read, stays in the registry", async () => {
      const ledger = await make();
      await ledger.registry.add("gpu");
      await ledger.bell.ring("gpu", "job");
      expect(await ledger.registry.remove("gpu", await ledger.decisions.state("gpu"))).toBe("stale");
      const { fence, ringsSeen } = await ledger.decisions.begin("gpu");
      await ledger.decisions.finish(fence, { ringsSeen, busy: true });
      expect(await ledger.registry.remove("gpu", await ledger.decisions.state("gpu"))).toBe("stale");
      const next = await ledger.decisions.begin("gpu");
      await ledger.decisions.finish(next.fence, { ringsSeen: next.ringsSeen, busy: false });
      const seen = await ledger.decisions.state("gpu");
      await ledger.bell.ring("gpu", "job");
      expect(await ledger.registry.remove("gpu", seen)).toBe("stale");
      expect(await ledger.registry.list()).toEqual(["gpu"]);
      expect((await begin(ledger)).pool).toBe("gpu");
    });
  });
