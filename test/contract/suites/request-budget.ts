import { describe, expect, it } from "vitest";
import type { RequestLimits, RequestPriority } from "../../../lib/model/requests/request-limits.ts";
import type { RequestBudget } from "../../../lib/ports/request-budget.ts";
import { monday } from "../../fakes/builders.ts";

export const narrow: RequestLimits = {
  launch: { burst: 10, perSecond: 2 },
  terminate: { burst: 5, perSecond: 2, instances: { burst: 100, perSecond: 10 } },
  describe: { burst: 5, perSecond: 2 },
};

/** All handlers share one budget. `make` must return a new budget with `narrow` limits, as two handlers have it. */
export const requestBudgetContract = (name: string, make: () => Promise<readonly [RequestBudget, RequestBudget]>) =>
  describe(`the request budget ${name}`, () => {
    const acquire = (budget: RequestBudget, priority: RequestPriority = "end", nowMs = monday) =>
      budget.acquire({ kind: "launch", priority, instances: 1, nowMs });
    const granted = async (budget: RequestBudget, priority: RequestPriority, nowMs = monday): Promise<number> => {
      for (let count = 0; ; count += 1) if ((await acquire(budget, priority, nowMs)).kind === "later") return count;
    };

    it("all handlers share one request budget, which says when to try again", async () => {
      const [mine, yours] = await make();
      expect(await granted(mine, "end")).toBe(10);
      const turn = await acquire(yours);
      expect(turn).toMatchObject({ kind: "later" });
      const atMs = turn.kind === "later" ? turn.atMs : 0;
      expect(atMs).toBeGreaterThan(monday);
      expect(atMs).toBeLessThanOrEqual(monday + 600);
      expect(await acquire(mine, "end", atMs)).toEqual({ kind: "granted" });
      expect(await acquire(yours, "end", atMs)).toMatchObject({ kind: "later" });
    });

    it("a request with a lower priority leaves something for higher priorities", async () => {
      const [budget] = await make();
      expect(await granted(budget, "grow")).toBe(8);
      expect(await granted(budget, "replace")).toBe(1);
      expect(await granted(budget, "end")).toBe(1);
    });

    it("each kind of request has its own budget, as in EC2", async () => {
      const [budget] = await make();
      expect(await granted(budget, "end")).toBe(10);
      expect(await budget.acquire({ kind: "describe", priority: "end", instances: 1, nowMs: monday })).toEqual({ kind: "granted" });
    });

    it("the request budget counts the instances that are terminated", async () => {
      const [budget] = await make();
      const end = (instances: number, nowMs: number) => budget.acquire({ kind: "terminate", priority: "end", instances, nowMs });
      expect(await end(90, monday)).toEqual({ kind: "granted" });
      expect(await end(20, monday)).toMatchObject({ kind: "later" });
      expect(await end(20, monday + 1_100)).toEqual({ kind: "granted" });
    });

    it("fifty requests at once are granted no more than the budget has", async () => {
      const [mine, yours] = await make();
      const turns = await Promise.all(Array.from({ length: 50 }, (_, n) => acquire(n % 2 === 0 ? mine : yours)));
      const count = turns.filter((turn) => turn.kind === "granted").length;
      expect(count).toBeLessThanOrEqual(10);
      expect(count + (await granted(mine, "end"))).toBe(10);
      for (const turn of turns) if (turn.kind === "later") expect(turn.atMs).toBeGreaterThan(monday);
    });

    it("the request budget is empty for all handlers after EC2 throttles, and fills more slowly then", async () => {
      const [mine, yours] = await make();
      const { withinMs } = await mine.throttled("launch", monday);
      expect(withinMs).toBeGreaterThan(0);
      expect(await acquire(yours)).toMatchObject({ kind: "later" });
      expect(await granted(yours, "end", monday + 2_000)).toBeLessThan(4);
      expect(await yours.acquire({ kind: "terminate", priority: "end", instances: 1, nowMs: monday })).toEqual({ kind: "granted" });
      expect((await yours.throttled("launch", monday + 2_000)).withinMs).toBeGreaterThan(withinMs);
    });

    it("the request budget neither fills twice for a clock that goes back nor stops for one that was far ahead", async () => {
      const [mine, yours] = await make();
      expect(await granted(mine, "end")).toBe(10);
      expect(await granted(yours, "end", monday - 2_000)).toBe(0);
      expect(await granted(mine, "end")).toBe(0);
      expect(await granted(yours, "end", monday + 3_600_000)).toBe(10);
      expect(await granted(mine, "end", monday + 10)).toBe(10);
      expect(await granted(mine, "end", monday + 20)).toBe(0);
      expect(await granted(mine, "end", monday + 1_130)).toBe(2);
    });
  });
