import { describe, expect, test } from "vitest";
import { budgetRoom } from "../../../lib/decide/budget/budget-room.ts";
import { decide } from "../../../lib/decide/decide.ts";
import type { Node } from "../../../lib/model/node.ts";
import type { Plan, Snapshot } from "../../../lib/model/plan.ts";
import type { Budgets } from "../../../lib/model/pool.ts";
import { aCatalogue, aLaunch, aNode, anAssignment, anEntry, anOffer, aPool, aSnapshot, aType, monday } from "../../fakes/builders.ts";

const hourMs = 3_600_000;
const now = monday + 12 * hourMs;
const midnight = monday + 24 * hourMs;
const july = monday + 30 * 24 * hourMs;

const seen = (budgets: Budgets | undefined, over: Partial<Snapshot> = {}): Snapshot =>
  aSnapshot({
    nowMs: now,
    pool: aPool({ budgets }),
    queue: [anEntry()],
    catalogue: aCatalogue({ offers: [anOffer({ usdPerHour: 1 })] }),
    ...over,
  });
/** Returns a node at $1/h whose worker calls now. */
const aLiveNode = (over: Partial<Node> = {}): Node =>
  aNode({ offer: anOffer({ usdPerHour: 1 }), launchedAtMs: now, lastBusyMs: now, lastSeenMs: now, ...over });
const reserved = { usdPerHour: 1, gpus: 1 };
const kinds = (plan: Plan): string[] => plan.steps.map((step) => step.kind);

describe("the room that budgets leave", () => {
  test("a pool without a budget has infinite room", () => {
    expect(budgetRoom(seen(undefined))).toEqual({
      usdPerHour: Number.POSITIVE_INFINITY,
      tightest: undefined,
      usedUp: undefined,
      states: [],
      teams: {},
    });
    expect(budgetRoom(seen({})).usdPerHour).toBe(Number.POSITIVE_INFINITY);
  });

  test("a budget's room counts the cost of ended nodes, of live nodes and of an hour of what is reserved", () => {
    const nodes = [aLiveNode({ launchedAtMs: now - 2 * hourMs })];
    const room = budgetRoom(seen({ usdPerDay: 10 }, { nodes, reserved, spent: { dayUsd: 3, monthUsd: 50 } }));
    expect(room.tightest).toMatchObject({ period: "day", usedUsd: 5, usdPerHour: 4, renewsAtMs: midnight });
    expect(room.usdPerHour).toBe(4);
  });

  test("a budget's room counts only the part of a node's life that falls into the day or month", () => {
    const old = aLiveNode({ launchedAtMs: monday - 100 * hourMs });
    const nextDay = { nodes: [old], reserved, nowMs: now + 24 * hourMs };
    expect(budgetRoom(seen({ usdPerDay: 100 }, nextDay)).tightest?.usedUsd).toBe(12);
    expect(budgetRoom(seen({ usdPerMonth: 100 }, nextDay)).tightest).toMatchObject({ usedUsd: 36, usdPerHour: 63, renewsAtMs: july });
  });

  test("a budget's room counts a node whose cost is recorded only once, and a node that EC2 has ended only until its end", () => {
    const nodes = [
      aLiveNode({ id: "on-record", state: "terminating", released: true, launchedAtMs: now - 5 * hourMs }),
      aLiveNode({ id: "gone", state: "gone", stateSinceMs: now - hourMs, launchedAtMs: now - 3 * hourMs }),
    ];
    expect(budgetRoom(seen({ usdPerDay: 10 }, { nodes })).tightest?.usedUsd).toBe(2);
  });

  test("a budget's room covers an hour ahead, and if the period ends within it, the next period's budget pays for the rest", () => {
    const until = (minutes: number) => midnight - minutes * 60_000;
    const room = (nowMs: number, dayUsd = 0) => budgetRoom(seen({ usdPerDay: 3 }, { nowMs, spent: { dayUsd, monthUsd: dayUsd } }));
    expect(room(until(15)).usdPerHour).toBe(4);
    expect(room(until(15), 2.5).usdPerHour).toBe(2);
    expect(room(until(45), 1.5).usdPerHour).toBe(2);
    expect(room(midnight - 1).usdPerHour).toBeCloseTo(3, 5);
    expect(budgetRoom(seen({ usdPerMonth: 3 }, { nowMs: until(15) })).usdPerHour).toBe(3);
    expect(budgetRoom(seen({ usdPerMonth: 3 }, { nowMs: july - 1 })).usdPerHour).toBeCloseTo(3, 5);
  });

  test("a pool's room is the smaller of its two budgets' rooms", () => {
    const spent = { dayUsd: 1, monthUsd: 8 };
    expect(budgetRoom(seen({ usdPerDay: 5, usdPerMonth: 10 }, { spent }))).toMatchObject({
      usdPerHour: 2,
      tightest: { period: "month" },
    });
    expect(budgetRoom(seen({ usdPerDay: 2, usdPerMonth: 10 }, { spent }))).toMatchObject({
      usdPerHour: 1,
      tightest: { period: "day" },
    });
  });

  test("a budget's room is exact to the millionth of a dollar", () => {
    const exact = { spent: { dayUsd: 0.1, monthUsd: 0.1 }, reserved: { usdPerHour: 0.1, gpus: 1 } };
    expect(budgetRoom(seen({ usdPerDay: 0.3 }, exact)).usdPerHour).toBe(0.1);
  });
});

describe("a launch that the budget does not pay for", () => {
  const because =
    "pool gpu has spent at least $8.50 of its budget of $10 a day, and the rest does not pay for an hour of another node; the job starts when other work ends, or after 2026-06-02 00:00 UTC";
  const short: Partial<Snapshot> = { spent: { dayUsd: 8.6, monthUsd: 8.6 }, reserved, nodes: [aLiveNode({ team: "audio" })] };

  test("a launch that the budget does not pay for is not made, and its job is held once with the reason until the next day starts", () => {
    expect(decide(seen({ usdPerDay: 10 }, short))).toMatchObject({
      steps: [{ kind: "hold", entry: { job: "train-1" }, because }],
    });
    expect(kinds(decide(seen({ usdPerDay: 10 }, { ...short, queue: [anEntry({ reason: because })] })))).toEqual([]);
    expect(decide(seen({ usdPerDay: 10 }, { ...short, nodes: [] })).wakeAtMs).toBe(midnight);
  });

  test("a launch is made on the next day, and with the last dollar of a budget", () => {
    const nextDay = { ...short, nowMs: midnight, spent: { dayUsd: 0, monthUsd: 8.6 }, nodes: [] };
    expect(kinds(decide(seen({ usdPerDay: 10 }, nextDay)))).toEqual(["launch"]);
    const last = { reserved, spent: { dayUsd: 8, monthUsd: 8 } };
    expect(kinds(decide(seen({ usdPerDay: 10 }, last)))).toEqual(["launch"]);
    expect(kinds(decide(seen({ usdPerDay: 10 }, { ...last, spent: { dayUsd: 8.000001, monthUsd: 8 } })))).toEqual(["hold"]);
  });

  test("a decision launches those of several nodes that the budget pays for", () => {
    const queue = ["a", "b", "c"].map((job) => anEntry({ job }));
    const plan = decide(seen({ usdPerMonth: 2.5 }, { queue }));
    expect(kinds(plan)).toEqual(["launch", "hold"]);
    expect(plan).toMatchObject({
      steps: [{ launch: { count: 2 } }, { because: expect.stringContaining("$0 of its budget of $2.50 a month") }],
      wakeAtMs: july,
    });
  });

  test("the budget counts launches whose outcome is not known yet", () => {
    const openLaunches = [aLaunch({ jobs: [{ team: "vision", job: "before" }] })];
    expect(kinds(decide(seen({ usdPerDay: 1.5 }, { openLaunches, reserved })))).toEqual(["hold"]);
  });

  test("the budget does not keep a job off an existing node", () => {
    const nodes = [aLiveNode({ id: "n" })];
    const room = { ...short, nodes, queue: [anEntry({ job: "a" }), anEntry({ job: "b" })] };
    expect(decide(seen({ usdPerDay: 10 }, room)).steps).toMatchObject([
      { kind: "bind", node: "n", entry: { job: "a" } },
      { kind: "hold", entry: { job: "b" } },
    ]);
  });

  test("a launch uses an offer that the rest of the budget pays for", () => {
    const big = aType({ name: "g5.2xlarge", resources: { vcpus: 8, memoryGiB: 32, gpus: 1 } });
    const catalogue = aCatalogue({
      types: [aType(), big],
      offers: [anOffer({ usdPerHour: 1 }), anOffer({ instanceType: "g5.2xlarge", usdPerHour: 1.3 })],
    });
    const offersWith = (usdPerDay: number) =>
      decide(seen({ usdPerDay }, { catalogue })).steps.flatMap((step) =>
        step.kind === "launch" ? step.launch.offers.map((offer) => offer.instanceType) : [],
      );
    expect(offersWith(1.2)).toEqual(["g5.xlarge"]);
    expect(offersWith(1.3)).toEqual(["g5.xlarge", "g5.2xlarge"]);
  });

  test("a waiting job's reason names the limit if only the limit is in the way", () => {
    const atLimit = { reserved: { usdPerHour: 9.5, gpus: 1 } };
    expect(decide(seen({ usdPerDay: 100 }, atLimit)).steps).toMatchObject([
      { because: expect.stringContaining(" reserved; it starts when ") },
    ]);
    expect(decide(seen({ usdPerDay: 10 }, atLimit)).steps).toMatchObject([
      { because: expect.stringContaining(" reserved; it starts when ") },
    ]);
    expect(decide(seen({ usdPerDay: 9 }, { reserved: { usdPerHour: 9, gpus: 1 } })).steps).toMatchObject([
      { because: expect.stringContaining("budget of $9 a day") },
    ]);
  });
});

describe("a budget that is used up", () => {
  const spent = { dayUsd: 10, monthUsd: 10 };
  const usedUp = (over: Partial<Snapshot> = {}): Plan => decide(seen({ usdPerDay: 10 }, { spent, ...over }));
  const because =
    "pool gpu has spent at least $10 of its budget of $10 a day; running work goes on, and the job starts after 2026-06-02 00:00 UTC";

  test("a budget that is used up starts nothing until the next day, not even on an existing node", () => {
    const busy = aLiveNode({ assignments: [anAssignment({ job: "runs", phase: "uploading" })] });
    expect(usedUp({ nodes: [busy], reserved })).toEqual({
      steps: [{ kind: "hold", entry: anEntry(), because }],
      wakeAtMs: midnight,
      laterAtMs: midnight,
    });
    expect(usedUp({ queue: [anEntry({ reason: because })] })).toEqual({ steps: [], wakeAtMs: midnight, laterAtMs: midnight });
  });

  test("a budget that is used up gives back nodes that hold nothing at once, and leaves running work alone", () => {
    const nodes = [
      aLiveNode({ id: "boots", state: "launching" }),
      aLiveNode({ id: "busy", assignments: [anAssignment({ phase: "running" })] }),
      aLiveNode({ id: "idle" }),
    ];
    const retire = { kind: "retire", because: "it holds nothing and the budget of $10 a day is used up" };
    expect(usedUp({ nodes, queue: [], reserved }).steps).toEqual([
      { ...retire, node: "boots" },
      { ...retire, node: "idle" },
    ]);
    expect(kinds(decide(seen({ usdPerDay: 100 }, { nodes, queue: [], reserved })))).toEqual([]);
  });

  test("the cost of living nodes can use up a budget", () => {
    const nodes = [aLiveNode({ launchedAtMs: now - 4 * hourMs, assignments: [anAssignment({ phase: "running" })] })];
    const with6 = { nodes, reserved, spent: { dayUsd: 6, monthUsd: 6 }, nowMs: now };
    expect(usedUp(with6).steps).toMatchObject([{ kind: "hold", because }]);
    expect(usedUp({ ...with6, spent: { dayUsd: 5, monthUsd: 5 } }).steps).toMatchObject([
      { kind: "hold", because: expect.stringContaining("for an hour of another node") },
    ]);
  });

  test("if both budgets are used up, the reason names the one that renews later, and jobs wait for it", () => {
    const plan = decide(seen({ usdPerDay: 5, usdPerMonth: 10 }, { spent }));
    expect(plan).toMatchObject({
      steps: [{ because: expect.stringMatching(/\$10 a month; .* after 2026-07-01 00:00 UTC/) }],
      wakeAtMs: july,
    });
  });

  test("a job's reason does not change with each cent that is spent", () => {
    const plans = [10, 10.01, 10.4].map((dayUsd) => usedUp({ spent: { dayUsd, monthUsd: 0 } }).steps);
    expect(new Set(plans.map((steps) => JSON.stringify(steps))).size).toBe(1);
  });

  test("a budget of zero lets nothing start", () => {
    expect(kinds(decide(seen({ usdPerMonth: 0 }, { nodes: [aLiveNode()], reserved })))).toEqual(["retire", "hold"]);
  });

  test("a budget that is used up still lets a decision fail jobs that can never run, and take back what a dead node held", () => {
    const nine = anEntry({ needs: { vcpus: 2, memoryGiB: 8, gpus: 9 } });
    const dead = aLiveNode({ state: "gone", stateSinceMs: now, assignments: [anAssignment()] });
    expect(kinds(usedUp({ queue: [nine], nodes: [dead] }))).toEqual(["lose", "fail"]);
  });
});
