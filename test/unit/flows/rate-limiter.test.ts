import { describe, expect, test } from "vitest";
import { createTurns } from "../../../lib/flows/ec2/rate-limiter.ts";
import { documentedLimits, type RequestLimits } from "../../../lib/model/requests/request-limits.ts";
import { MemoryRequestBudget } from "../../../lib/sim/memory/request-budget.ts";
import { monday } from "../../fakes/builders.ts";

/** Time passes only while a caller waits for a turn. */
function stage(launch: RequestLimits["launch"]) {
  const limits = { ...documentedLimits, launch };
  const budget = new MemoryRequestBudget(limits);
  const clock = { nowMs: monday, asked: 0, pauses: [] as number[] };
  const counted = {
    take: (ask: Parameters<typeof budget.take>[0]) => {
      clock.asked += 1;
      return budget.take(ask);
    },
    throttled: budget.throttled.bind(budget),
  };
  const turns = createTurns({
    budget: counted,
    now: () => clock.nowMs,
    pause: async (ms) => {
      clock.pauses.push(ms);
      clock.nowMs += ms;
    },
    random: () => 0.5,
  });
  const take = (lane: "end" | "replace" | "grow" = "end") => turns.take({ kind: "launch", lane, instances: 1 });
  return { turns, clock, take };
}

describe("turns at EC2", () => {
  test("turns are granted at once while there are some", async () => {
    const { take, clock } = stage({ burst: 5, perSecond: 2 });
    expect(await Promise.all([1, 2, 3, 4, 5].map(() => take()))).toEqual(Array.from({ length: 5 }, () => ({ kind: "granted" })));
    expect(clock.pauses).toEqual([]);
  });

  test("turns are waited for up to two seconds in total, and later callers are then refused without a read of the table", async () => {
    const { take, clock } = stage({ burst: 5, perSecond: 2 });
    const turns = await Promise.all(Array.from({ length: 40 }, () => take()));
    const granted = turns.filter(({ kind }) => kind === "granted").length;
    expect(granted).toBe(8);
    expect(clock.nowMs - monday).toBeLessThanOrEqual(2_000);
    for (const turn of turns) if (turn.kind === "later") expect(turn.atMs).toBeGreaterThan(clock.nowMs);
    expect(clock.asked).toBeLessThan(15);
  });

  test("turns are not waited for if the first one is too late", async () => {
    const { take, clock } = stage({ burst: 1, perSecond: 0.1 });
    await take();
    expect(await take()).toMatchObject({ kind: "later" });
    expect(clock.pauses).toEqual([]);
  });

  test("a refused lane does not stop a lane with a higher priority", async () => {
    const { take } = stage({ burst: 10, perSecond: 0.1 });
    const grown = await Promise.all(Array.from({ length: 10 }, () => take("grow")));
    expect(grown.filter(({ kind }) => kind === "granted")).toHaveLength(8);
    expect(await take("replace")).toEqual({ kind: "granted" });
    expect(await take("end")).toEqual({ kind: "granted" });
  });

  test("turns that EC2 throttled are due at a random time, later each time", async () => {
    const { turns, clock, take } = stage({ burst: 50, perSecond: 5 });
    const first = await turns.throttled("launch");
    expect(first.atMs - monday).toBe(286);
    clock.nowMs += 1_000;
    expect((await turns.throttled("launch")).atMs - clock.nowMs).toBeGreaterThan(286);
    expect((await take()).kind).toBe("granted");
    expect(clock.pauses.length).toBeGreaterThan(0);
  });

  test("a budget that cannot be read fails only that caller, and the next one reads it again", async () => {
    const budget = new MemoryRequestBudget();
    let broken = true;
    const turns = createTurns({
      budget: {
        take: async (ask) => {
          if (broken) throw new Error("the table could not be reached");
          return budget.take(ask);
        },
        throttled: budget.throttled.bind(budget),
      },
      now: () => monday,
      pause: async () => undefined,
      random: () => 0,
    });
    const ask = { kind: "launch", lane: "grow", instances: 1 } as const;
    await expect(turns.take(ask)).rejects.toThrow("could not be reached");
    broken = false;
    expect(await turns.take(ask)).toEqual({ kind: "granted" });
  });
});
