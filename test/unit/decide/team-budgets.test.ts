import { describe, expect, test } from "vitest";
import { budgetRoom } from "../../../lib/decide/budget/budget-room.ts";
import { decide } from "../../../lib/decide/decide.ts";
import type { Node } from "../../../lib/model/node.ts";
import type { Plan, Snapshot } from "../../../lib/model/plan.ts";
import type { Budgets, Pool } from "../../../lib/model/pool.ts";
import { aCatalogue, aLaunch, aNode, anAssignment, anEntry, anOffer, aPool, aSnapshot, monday } from "../../fakes/builders.ts";

const hourMs = 3_600_000;
const now = monday + 12 * hourMs;
const midnight = monday + 24 * hourMs;

const vision = anEntry({ team: "vision", job: "v" });
const audio = anEntry({ team: "audio", job: "a" });

const seen = (teamBudgets: Record<string, Budgets>, over: Partial<Snapshot> = {}, pool: Partial<Pool> = {}): Snapshot =>
  aSnapshot({
    nowMs: now,
    pool: aPool({ teamBudgets, ...pool }),
    queue: [vision, audio],
    catalogue: aCatalogue({ offers: [anOffer({ usdPerHour: 1 })] }),
    ...over,
  });
/** Returns a node at $1/h whose worker calls now. */
const aLiveNode = (over: Partial<Node> = {}): Node =>
  aNode({ offer: anOffer({ usdPerHour: 1 }), launchedAtMs: now, lastBusyMs: now, lastSeenMs: now, ...over });
const spentBy = (team: string, usd: number) => ({
  dayUsd: usd,
  monthUsd: usd,
  teams: { [team]: { dayUsd: usd, monthUsd: usd } },
});
const steps = (plan: Plan) => plan.steps.map((step) => (step.kind === "launch" ? `launch ${step.launch.team}` : step.kind));

describe("the room that a team's budgets leave", () => {
  test("a team's room counts only the team's own nodes, launches and costs", () => {
    const nodes = [
      aLiveNode({ id: "mine", team: "vision", launchedAtMs: now - 2 * hourMs }),
      aLiveNode({ id: "other", team: "audio", launchedAtMs: now - 9 * hourMs }),
      aLiveNode({ id: "released", team: "vision", state: "terminating", released: true, launchedAtMs: now - 9 * hourMs }),
    ];
    const openLaunches = [aLaunch({ team: "vision", reserved: { usdPerHour: 1.5, gpus: 1 } }), aLaunch({ id: "l2", team: "audio" })];
    const spent = { ...spentBy("vision", 3), dayUsd: 30, monthUsd: 300 };
    const room = budgetRoom(seen({ vision: { usdPerDay: 10 } }, { nodes, openLaunches, spent, reserved: { usdPerHour: 8, gpus: 8 } }));
    expect(room.usdPerHour).toBe(Number.POSITIVE_INFINITY);
    expect(room.teams["vision"]?.tightest).toMatchObject({
      team: "vision",
      period: "day",
      usedUsd: 5,
      usdPerHour: 2.5,
      renewsAtMs: midnight,
    });
    expect(Object.keys(room.teams)).toEqual(["vision"]);
  });

  test("what the pool reserves for items that cannot be read counts towards every team as if it had run all day", () => {
    const unreadable = [{ kind: "node", key: "N#gpu i-1", why: "state" }] as const;
    const nodes = [aLiveNode({ team: "audio" })];
    const over = { nodes, unreadable, reserved: { usdPerHour: 1.5, gpus: 2 } };
    // Half a dollar per hour is hidden: it may have cost six dollars since midnight.
    expect(budgetRoom(seen({ vision: { usdPerDay: 10 } }, over)).teams["vision"]).toMatchObject({ usdPerHour: 3.5, usedUp: undefined });
    expect(budgetRoom(seen({ vision: { usdPerDay: 10 } }, { ...over, unreadable: [] })).teams["vision"]?.usdPerHour).toBe(10);
  });

  test("hidden items keep a pool's budget from paying for launches, and use up no budget", () => {
    const unreadable = [{ kind: "launch", key: "L#gpu l-1", why: "state" }] as const;
    const room = budgetRoom(seen({}, { unreadable, reserved: { usdPerHour: 1, gpus: 1 } }, { budgets: { usdPerDay: 10 } }));
    expect(room).toMatchObject({ usdPerHour: -3, usedUp: undefined });
  });

  test("a team whose record of costs cannot be read gets no launch, and its work goes on", () => {
    const spent = { dayUsd: 1, monthUsd: 1, teams: { vision: { dayUsd: 0, monthUsd: 0, isUnknown: true as const } } };
    const busy = aLiveNode({
      team: "vision",
      assignments: [anAssignment({ phase: "running", needs: { vcpus: 4, memoryGiB: 16, gpus: 1 } })],
    });
    const plan = decide(seen({ vision: { usdPerDay: 10, whenSpent: "drain" } }, { spent, nodes: [busy] }));
    expect(steps(plan)).toEqual(["launch audio", "hold"]);
    expect(plan.steps.at(-1)?.because).toBe(
      "what team vision in pool gpu has spent this day cannot be read, so its budget pays for no other node until that is repaired",
    );
  });
});

describe("a launch that a team's budget does not pay for", () => {
  test("a launch that a team's budget does not pay for is not made, other teams get theirs, and the reason names the team's budget", () => {
    const plan = decide(seen({ vision: { usdPerDay: 10 } }, { spent: spentBy("vision", 9.6) }));
    expect(steps(plan)).toEqual(["launch audio", "hold"]);
    expect(plan.steps.at(-1)).toMatchObject({
      entry: { job: "v" },
      because:
        "team vision in pool gpu has spent at least $9.50 of its budget of $10 a day, and the rest does not pay for an hour of another node; the job starts when other work ends, or after 2026-06-02 00:00 UTC",
    });
    expect(plan.wakeAtMs).toBe(midnight);
  });

  test("a team's budget pays for as many of its nodes as it can", () => {
    const queue = ["a", "b", "c"].map((job) => anEntry({ team: "vision", job }));
    const plan = decide(seen({ vision: { usdPerDay: 2.5 } }, { queue }));
    expect(plan.steps).toMatchObject([
      { kind: "launch", launch: { count: 2 } },
      { kind: "hold", entry: { job: "c" } },
    ]);
  });

  test("a waiting job's reason names the pool's budget if only that is in the way", () => {
    const over = { spent: { dayUsd: 9.6, monthUsd: 9.6 } };
    const plan = decide(seen({ vision: { usdPerDay: 100 } }, over, { budgets: { usdPerDay: 10 } }));
    expect(plan.steps.map(({ because }) => because)).toEqual([
      expect.stringMatching(/^pool gpu has spent at least/),
      expect.stringMatching(/^pool gpu has spent at least/),
    ]);
  });

  test("a team's budget does not count in a shared pool, whose nodes belong to no team", () => {
    expect(steps(decide(seen({ vision: { usdPerDay: 0 } }, {}, { shared: true })))).not.toContain("hold");
  });

  test("a job whose cheapest node costs more per hour than its team's budget is held with that reason", () => {
    expect(decide(seen({ vision: { usdPerMonth: 0.5 } }, { queue: [vision] })).steps).toMatchObject([
      {
        kind: "hold",
        because: "an hour of the cheapest node that fits, g5.xlarge, costs $1 and the budget of team vision in pool gpu is $0.50 a month",
      },
    ]);
  });
});

describe("a team's budget that is used up", () => {
  const usedUp = { spent: spentBy("vision", 10) };

  test("a team's budget that is used up starts nothing of the team, not even on an existing node, and gives back its idle nodes", () => {
    const nodes = [aLiveNode({ id: "audio", team: "audio" }), aLiveNode({ id: "vision", team: "vision" })];
    const plan = decide(seen({ vision: { usdPerDay: 10 } }, { ...usedUp, nodes }));
    expect(plan.steps).toMatchObject([
      { kind: "retire", node: "vision", because: "it holds nothing and the budget of $10 a day of team vision is used up" },
      { kind: "bind", entry: { job: "a" }, node: "audio" },
      {
        kind: "hold",
        entry: { job: "v" },
        because:
          "team vision in pool gpu has spent at least $10 of its budget of $10 a day; running work goes on, and the job starts after 2026-06-02 00:00 UTC",
      },
    ]);
    expect(plan.wakeAtMs).toBe(midnight);
  });

  test("work of a team whose budget is used up is not moved to save costs, because it could not start again", () => {
    const idleFor = { lastBusyMs: now - 2 * hourMs, launchedAtMs: now - 3 * hourMs, readyAtMs: now - 3 * hourMs };
    const small = { needs: { vcpus: 1, memoryGiB: 1, gpus: 0 }, phase: "running" as const };
    const nodes = ["n1", "n2"].map((id, nth) =>
      aLiveNode({ id, ...idleFor, team: "vision", assignments: [anAssignment({ ...small, job: `j${nth}` })] }),
    );
    const over = { nodes, queue: [], reserved: { usdPerHour: 2, gpus: 2 } };
    const pool = { consolidateSeconds: 60, disruption: { nodes: 5 } };
    expect(steps(decide(seen({ vision: { usdPerDay: 1000 } }, over, pool)))).toEqual(["drain"]);
    expect(steps(decide(seen({ vision: { usdPerDay: 10 } }, { ...over, ...usedUp }, pool)))).toEqual([]);
  });

  test("a node that must be left gets no replacement if its team's budget is used up", () => {
    const ward = aLiveNode({
      team: "vision",
      state: "draining",
      notice: { kind: "rebalance", atMs: now - 60_000 },
      assignments: [anAssignment({ phase: "running" })],
    });
    const over = { nodes: [ward], queue: [] };
    expect(steps(decide(seen({ vision: { usdPerDay: 1000 } }, over)))).toEqual(["launch vision"]);
    expect(steps(decide(seen({ vision: { usdPerDay: 10 } }, { ...over, ...usedUp })))).toEqual([]);
  });
});
