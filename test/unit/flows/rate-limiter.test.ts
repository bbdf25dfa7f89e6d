import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createRateLimiter } from "../../../lib/flows/ec2/rate-limiter.ts";
import { documentedLimits, type RequestLimits } from "../../../lib/model/requests/request-limits.ts";
import { MemoryRequestBudget } from "../../../lib/sim/memory/request-budget.ts";
import { monday } from "../../fakes/builders.ts";

/** Time passes only while a caller waits for a turn. */
function stage(launch: RequestLimits["launch"]) {
  const limits = { ...documentedLimits, launch };
  const budget = new MemoryRequestBudget(limits);
  const clock = { nowMs: monday, calls: 0, pauses: [] as number[] };
  const counted = {
    acquire: (request: Parameters<typeof budget.acquire>[0]) => {
      clock.calls += 1;
      return budget.acquire(request);
    },
    throttled: budget.throttled.bind(budget),
  };
  const limiter = createRateLimiter({
    budget: counted,
    now: () => clock.nowMs,
    pause: async (ms) => {
      clock.pauses.push(ms);
      clock.nowMs += ms;
    },
    random: () => 0.5,
  });
  const acquire = (priority: "end" | "replace" | "grow" = "end") => limiter.acquire({ kind: "launch", priority, instances: 1 });
  return { limiter, clock, acquire };
}

describe("turns at EC2", () => {
  test("turns are granted at once while there are some", async () => {
    const { acquire, clock } = stage({ burst: 5, perSecond: 2 });
    expect(await Promise.all([1, 2, 3, 4, 5].map(() => acquire()))).toEqual(Array.from({ length: 5 }, () => ({ kind: "granted" })));
    expect(clock.pauses).toEqual([]);
  });

  test("turns are waited for up to two seconds in total, and later callers are then refused without a read of the table", async () => {
    const { acquire, clock } = stage({ burst: 5, perSecond: 2 });
    const turns = await Promise.all(Array.from({ length: 40 }, () => acquire()));
    const granted = turns.filter(({ kind }) => kind === "granted").length;
    expect(granted).toBe(8);
    expect(clock.nowMs - monday).toBeLessThanOrEqual(2_000);
    for (const turn of turns) if (turn.kind === "later") expect(turn.atMs).toBeGreaterThan(clock.nowMs);
    expect(clock.calls).toBeLessThan(15);
  });

  test("turns are not waited for if the first one is too late", async () => {
    const { acquire, clock } = stage({ burst: 1, perSecond: 0.1 });
    await acquire();
    expect(await acquire()).toMatchObject({ kind: "later" });
    expect(clock.pauses).toEqual([]);
  });

  test("a refused request does not stop a request with a higher priority", async () => {
    const { acquire } = stage({ burst: 10, perSecond: 0.1 });
    const grown = await Promise.all(Array.from({ length: 10 }, () => acquire("grow")));
    expect(grown.filter(({ kind }) => kind === "granted")).toHaveLength(8);
    expect(await acquire("replace")).toEqual({ kind: "granted" });
    expect(await acquire("end")).toEqual({ kind: "granted" });
  });

  test("turns that EC2 throttled are due at a random time, later each time", async () => {
    const { limiter, clock, acquire } = stage({ burst: 50, perSecond: 5 });
    const first = await limiter.throttled("launch");
    expect(first.atMs - monday).toBe(286);
    clock.nowMs += 1_000;
    expect((await limiter.throttled("launch")).atMs - clock.nowMs).toBeGreaterThan(286);
    expect((await acquire()).kind).toBe("granted");
    expect(clock.pauses.length).toBeGreaterThan(0);
  });

  test("a budget that cannot be read fails only that caller, and the next one reads it again", async () => {
    const budget = new MemoryRequestBudget();
    let broken = true;
    const limiter = createRateLimiter({
      budget: {
        acquire: async (request) => {
          if (broken) throw new Error("the table could not be reached");
          return budget.acquire(request);
        },
        throttled: budget.throttled.bind(budget),
      },
      now: () => monday,
      pause: async () => undefined,
      random: () => 0,
    });
    const request = { kind: "launch", priority: "grow", instances: 1 } as const;
    await expect(limiter.acquire(request)).rejects.toThrow("could not be reached");
    broken = false;
    expect(await limiter.acquire(request)).toEqual({ kind: "granted" });
  });
});

test("a caller asks again at the moment when its turn is due, and not before", async () => {
  const { clock, acquire } = stage({ burst: 1, perSecond: 0.1 });
  await acquire();
  const first = await acquire();
  const atMs = first.kind === "later" ? first.atMs : 0;
  clock.nowMs = atMs - 1;
  const calls = clock.calls;
  expect(await acquire()).toEqual(first);
  expect(clock.calls).toBe(calls);
  clock.nowMs = atMs;
  expect(await acquire()).toEqual({ kind: "granted" });
});

test.each([
  [2_000, "granted", [2_000]],
  [2_001, "later", []],
])("a turn that is due in %i ms is %s", async (waitMs, kind, pauses) => {
  let nowMs = monday;
  const paused: number[] = [];
  const limiter = createRateLimiter({
    budget: {
      acquire: async ({ nowMs: atMs }) => (atMs >= monday + waitMs ? { kind: "granted" } : { kind: "later", atMs: monday + waitMs }),
      throttled: async () => ({ withinMs: 0 }),
    },
    now: () => nowMs,
    pause: async (ms) => {
      paused.push(ms);
      await setImmediate();
      nowMs += ms;
    },
    random: () => 0,
  });
  expect(await limiter.acquire({ kind: "launch", priority: "grow", instances: 1 })).toMatchObject({ kind });
  expect(paused).toEqual(pauses);
});
