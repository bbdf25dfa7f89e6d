import { describe, expect, test } from "vitest";
import { decide } from "../../../lib/decide/decide.ts";
import { inForce } from "../../../lib/decide/overrides/in-force.ts";
import { whyLeaving } from "../../../lib/decide/overrides/leaving.ts";
import { closingPool } from "../../../lib/decide/scaling/closing.ts";
import type { Node } from "../../../lib/model/node.ts";
import { changed, noOverrides, type OverrideOrder, type Overrides, unknownOverrides } from "../../../lib/model/overrides/overrides.ts";
import { settingNames } from "../../../lib/model/overrides/settings.ts";
import type { Snapshot } from "../../../lib/model/plan.ts";
import { aNode, anAssignment, anEntry, aPool, aSnapshot, monday } from "../../fakes/builders.ts";

const now = monday + 12 * 3_600_000;
const by = { by: "Admin/ada", because: "new image", atMs: now - 90_000 };
const orderedAs = (...orders: readonly OverrideOrder[]): Overrides =>
  orders.reduce((before, order) => changed(before, order, by), noOverrides);

const ready = (over: Partial<Node> = {}): Node => aNode({ launchedAtMs: now - 3_600_000, lastBusyMs: now, lastSeenMs: now, ...over });
const busy = (over: Partial<Node> = {}): Node => ready({ assignments: [anAssignment({ phase: "running" })], ...over });
const seen = (over: Partial<Snapshot> = {}): Snapshot => aSnapshot({ nowMs: now, pool: aPool({ idleSeconds: 120 }), ...over });
const id = aNode().id;
const stepsOf = (snapshot: Snapshot) => decide(snapshot).steps.map((step) => ("node" in step ? `${step.kind} ${step.node}` : step.kind));

describe("a paused pool", () => {
  const paused = orderedAs({ kind: "pause" });

  test("a paused pool binds and launches nothing, and each waiting job says by whom, since when and why", () => {
    const queue = [anEntry({ job: "a" }), anEntry({ job: "b" })];
    expect(stepsOf(seen({ queue, nodes: [ready()] }))[0]).toBe(`bind ${id}`);
    const { steps } = decide(seen({ queue, nodes: [ready()], overrides: paused }));
    expect(steps.map(({ kind }) => kind)).toEqual(["hold", "hold"]);
    expect(steps[0]?.because).toBe(
      "pool gpu is paused by Admin/ada since 2026-06-01 11:58 UTC (new image); the job starts after an admin resumes the pool",
    );
  });

  test("a job that says so already is not written again, and the pool needs no wake", () => {
    const { steps } = decide(seen({ queue: [anEntry()], overrides: paused }));
    const plan = decide(seen({ queue: [anEntry({ reason: steps[0]?.because })], overrides: paused }));
    expect(plan).toEqual({ steps: [], wakeAtMs: undefined });
  });

  test("of very many waiting jobs, the next decisions write the reason of the others", () => {
    const queue = Array.from({ length: 501 }, (_, n) => anEntry({ job: `j${n}` }));
    const plan = decide(seen({ queue, overrides: paused }));
    expect([plan.steps.length, plan.wakeAtMs]).toEqual([500, now]);
    expect(decide(seen({ queue: queue.slice(1), overrides: paused })).wakeAtMs).toBeUndefined();
  });

  test("a node without work is given back in a paused pool as in any other", () => {
    const idle = ready({ lastBusyMs: now - 120_000 });
    expect(stepsOf(seen({ queue: [anEntry()], nodes: [idle], overrides: paused }))).toEqual(["hold", `retire ${id}`]);
  });

  test("a paused pool launches no replacement for a node whose drain ends soon", () => {
    const leaving = busy({ state: "draining", drain: { because: "its life ends", untilMs: now + 60_000 } });
    expect(stepsOf(seen({ nodes: [leaving] }))).toEqual(["launch"]);
    const plan = decide(seen({ nodes: [leaving], overrides: paused }));
    expect(plan).toEqual({ steps: [], wakeAtMs: now + 60_000, laterAtMs: now + 60_000 });
  });

  test("a job that waits for a booting node stays there in a paused pool", () => {
    const booting = ready({
      id: "i-00000000000000002",
      state: "launching",
      readyAtMs: undefined,
      lastSeenMs: undefined,
      launchedAtMs: now - 5_000,
    });
    const nodes = [ready(), { ...booting, assignments: [anAssignment({ phase: "placed" as const })] }];
    expect(stepsOf(seen({ nodes }))).toEqual([`rebind ${id}`]);
    expect(stepsOf(seen({ nodes, overrides: paused }))).toEqual([]);
  });

  test("a paused pool moves no work to save cost, because the work would not start again", () => {
    const old = { launchedAtMs: now - 7_200_000, readyAtMs: now - 7_200_000, lastBusyMs: now - 7_100_000 };
    const small = { needs: { vcpus: 1, memoryGiB: 1, gpus: 0 }, phase: "running" as const };
    const nodes = ["i-00000000000000001", "i-00000000000000002"].map((name, n) =>
      ready({ ...old, id: name, assignments: [anAssignment({ job: `j${n}`, ...small })] }),
    );
    const pool = aPool({ consolidateSeconds: 60 });
    expect(stepsOf(seen({ nodes, pool }))).toEqual(["drain i-00000000000000001"]);
    expect(stepsOf(seen({ nodes, pool, overrides: paused }))).toEqual([]);
  });

  test("overrides that cannot be read pause the pool, and nodes end all the same", () => {
    const idle = ready({ lastBusyMs: now - 120_000 });
    const { steps } = decide(seen({ queue: [anEntry()], nodes: [idle], overrides: unknownOverrides }));
    expect(steps.map(({ kind }) => kind)).toEqual(["hold", "retire"]);
    expect(steps[0]?.because).toBe("the overrides of pool gpu cannot be read, so it starts nothing until they are repaired");
  });

  test("a pool that was resumed starts its jobs", () => {
    const overrides = orderedAs({ kind: "pause" }, { kind: "resume" });
    expect(stepsOf(seen({ queue: [anEntry()], nodes: [ready()], overrides }))).toEqual([`bind ${id}`]);
  });
});

describe("a cordoned node", () => {
  const cordoned = orderedAs({ kind: "cordon", node: id });

  test("a cordoned node gets no job, so that a node is launched instead, and an uncordoned one does", () => {
    const waits = { queue: [anEntry()], nodes: [ready()] };
    expect(stepsOf(seen({ ...waits, overrides: cordoned }))).toEqual(["launch"]);
    expect(stepsOf(seen({ ...waits, overrides: changed(cordoned, { kind: "uncordon", node: id }, by) }))).toEqual([`bind ${id}`]);
  });

  test("a cordoned node keeps its work, and is given back when it has been idle for the pool's idle time", () => {
    expect(decide(seen({ nodes: [busy()], overrides: cordoned })).steps).toEqual([]);
    expect(decide(seen({ nodes: [ready()], overrides: cordoned }))).toMatchObject({ steps: [], wakeAtMs: now + 120_000 });
    expect(stepsOf(seen({ nodes: [ready({ lastBusyMs: now - 120_000 })], overrides: cordoned }))).toEqual([`retire ${id}`]);
  });

  test("an order about one node does not concern another", () => {
    const nodes = [ready(), ready({ id: "i-00000000000000002" })];
    expect(stepsOf(seen({ queue: [anEntry()], nodes, overrides: cordoned }))).toEqual(["bind i-00000000000000002"]);
  });
});

describe("a node that an admin drains", () => {
  const untilMs = now + 1_800_000;
  const drained = orderedAs({ kind: "drain", node: id, untilMs });

  test("a node with work is drained until the deadline, whatever the disruption budget says, and the decision wakes in time", () => {
    const { steps, wakeAtMs } = decide(
      seen({ pool: aPool({ disruption: { nodes: 0 }, bootSeconds: 600 }), nodes: [busy()], overrides: drained }),
    );
    expect(steps).toEqual([{ kind: "drain", node: id, untilMs, because: "Admin/ada drains it (new image)", ordered: true }]);
    expect(wakeAtMs).toBe(untilMs - 600_000);
  });

  test("a node without work is given back at once, and gets no job before", () => {
    const { steps } = decide(seen({ queue: [anEntry()], nodes: [ready()], overrides: drained }));
    expect(steps.map(({ kind }) => kind)).toEqual(["retire", "launch"]);
  });

  test("a node that is drained already keeps its drain, and one that EC2 takes back is left alone", () => {
    const before = busy({ state: "draining", drain: { because: "its life ends", untilMs: now + 7_200_000 } });
    expect(stepsOf(seen({ nodes: [before], overrides: drained }))).toEqual([]);
    const taken = busy({ state: "draining", notice: { kind: "interruption", atMs: now } });
    expect(stepsOf(seen({ nodes: [taken], overrides: drained }))).toEqual([]);
  });

  test("a node that EC2 only recommends to leave is drained", () => {
    const advised = busy({ state: "draining", notice: { kind: "rebalance", atMs: now - 3_600_000 } });
    expect(stepsOf(seen({ nodes: [advised], overrides: drained }))).toEqual([`drain ${id}`]);
  });

  test("a node is drained in a paused pool, too", () => {
    const overrides = changed(drained, { kind: "pause" }, by);
    expect(stepsOf(seen({ nodes: [busy()], overrides }))).toEqual([`drain ${id}`]);
  });
});

describe("a pool that an admin drains", () => {
  const untilMs = now + 1_800_000;
  const drained = orderedAs({ kind: "drain-pool", untilMs });
  const other = "i-00000000000000002";

  test("a drained pool starts nothing, ends nodes without work at once, and drains the others until the deadline", () => {
    const booting = ready({ id: other, state: "launching", readyAtMs: undefined, lastSeenMs: undefined, launchedAtMs: now - 5_000 });
    const pool = aPool({ disruption: { nodes: 0 }, bootSeconds: 600 });
    const { steps, wakeAtMs } = decide(seen({ pool, queue: [anEntry()], nodes: [busy(), booting], overrides: drained }));
    expect(steps).toMatchObject([
      { kind: "retire", node: other },
      { kind: "drain", node: id, untilMs, because: "Admin/ada drains the pool (new image)", ordered: true },
      { kind: "hold", because: expect.stringMatching(/^pool gpu is drained by Admin\/ada since .* \(new image\); the job starts after/) },
    ]);
    expect(wakeAtMs).toBe(now + 55_000);
  });

  test("a drained pool launches no replacement for work that must leave soon", () => {
    const soon = now + 60_000;
    const leaving = busy({ state: "draining", drain: { because: "Admin/ada drains the pool", untilMs: soon, ordered: true } });
    const orders = orderedAs({ kind: "drain-pool", untilMs: soon });
    expect(decide(seen({ nodes: [leaving], overrides: orders }))).toEqual({ steps: [], wakeAtMs: soon, laterAtMs: soon });
  });

  test("a node that is drained with its pool and by itself gets the earlier deadline", () => {
    const both = (ownMs: number) => changed(drained, { kind: "drain", node: id, untilMs: ownMs }, by);
    const untilOf = (overrides: Overrides) => decide(seen({ nodes: [busy()], overrides })).steps;
    expect(untilOf(both(untilMs - 1))).toMatchObject([{ untilMs: untilMs - 1, because: "Admin/ada drains it (new image)" }]);
    expect(untilOf(both(untilMs + 1))).toMatchObject([{ untilMs, because: "Admin/ada drains the pool (new image)" }]);
  });

  test("of very many nodes, each decision drains some and the next one follows at once", () => {
    const nodes = Array.from({ length: 501 }, (_, n) => busy({ id: `i-${String(n).padStart(17, "0")}` }));
    const plan = decide(seen({ nodes, overrides: drained }));
    expect([plan.steps.length, plan.wakeAtMs]).toEqual([500, now]);
    expect(decide(seen({ nodes: nodes.slice(500), overrides: drained })).wakeAtMs).toBeGreaterThan(now);
    const drain = { because: "Admin/ada drains the pool", untilMs, ordered: true } as const;
    const draining = nodes.map((node): Node => ({ ...node, state: "draining", drain }));
    expect(decide(seen({ nodes: draining, overrides: noOverrides })).steps).toHaveLength(500);
  });

  test("a pool that was resumed keeps its nodes, except those that are drained by themselves", () => {
    const own = orderedAs({ kind: "drain", node: other, untilMs: untilMs - 1 }, { kind: "drain-pool", untilMs }, { kind: "resume" });
    const drain = { because: "Admin/ada drains the pool", untilMs, ordered: true } as const;
    const nodes = [busy({ state: "draining", drain }), busy({ id: other, state: "draining", drain: { ...drain, untilMs: untilMs - 1 } })];
    expect(stepsOf(seen({ nodes, overrides: own }))).toEqual([`undrain ${id}`]);
  });
});

describe("a drain whose order is taken back", () => {
  const untilMs = now + 1_800_000;
  const drain = { because: "Admin/ada drains it", untilMs, ordered: true } as const;
  const draining = (over: Partial<Node> = {}): Node => busy({ state: "draining", drain, ...over });
  const drained = orderedAs({ kind: "drain", node: id, untilMs });

  test("a drain is dropped when its order is taken back, and the next decision can use the node", () => {
    const { steps, wakeAtMs } = decide(seen({ queue: [anEntry()], nodes: [draining()], overrides: noOverrides }));
    expect(steps[0]).toEqual({ kind: "undrain", node: id, drain, because: "an admin has taken back the order to drain it" });
    expect(wakeAtMs).toBe(now);
    expect(stepsOf(seen({ nodes: [draining()], overrides: drained }))).toEqual([]);
  });

  test("a drain with another deadline than its order is dropped, so that the next decision can give it the new one", () => {
    const later = changed(drained, { kind: "drain", node: id, untilMs: untilMs + 1 }, by);
    expect(decide(seen({ nodes: [draining()], overrides: later })).steps).toMatchObject([
      { kind: "undrain", because: "an admin has changed its deadline" },
    ]);
    expect(decide(seen({ nodes: [busy()], overrides: later })).steps).toMatchObject([{ kind: "drain", untilMs: untilMs + 1 }]);
  });

  test("a drain that no admin ordered stays, and all stay while the orders cannot be read", () => {
    const { ordered: _ordered, ...byItself } = drain;
    expect(stepsOf(seen({ nodes: [draining({ drain: byItself })], overrides: noOverrides }))).toEqual([]);
    expect(stepsOf(seen({ nodes: [draining()], overrides: unknownOverrides }))).toEqual([]);
  });

  test.each([
    [{ state: "ready" }, undefined],
    [{}, undefined],
    [{ drain: undefined, notice: { kind: "rebalance", atMs: now } }, undefined],
    [{ drain: undefined, notice: { kind: "interruption", atMs: now } }, "EC2 is taking the instance back"],
    [{ drain: undefined }, "draining"],
    [{ notice: { kind: "rebalance", atMs: now } }, "EC2 recommends to leave the instance"],
    [{ drain: { because: "its life ends", untilMs } }, "its life ends"],
    [{ readyAtMs: undefined }, "its worker has not called yet, so it is ended"],
    [{ assignments: [] }, "it is empty, so it is ended"],
    [{ drain: { ...drain, untilMs: now } }, "the deadline of its drain has passed, so what ran was ordered to stop"],
    [{ state: "terminating" }, "Admin/ada drains it"],
    [{ state: "gone", drain: undefined }, "gone"],
  ] as const)("a drained node with %j leaves its pool because: %s", (over, because) => {
    expect(whyLeaving(draining(over), now)).toBe(because);
  });

  test.each([
    ["is empty", { assignments: [] }, [`retire ${id}`]],
    ["has passed its deadline", { drain: { ...drain, untilMs: now } }, []],
    ["is taken back by EC2", { notice: { kind: "interruption", atMs: now } }, []],
    ["EC2 recommends to leave", { notice: { kind: "rebalance", atMs: now - 3_600_000 } }, []],
    ["has never called", { readyAtMs: undefined, lastSeenMs: undefined }, [`end ${id}`]],
    ["is ending", { state: "terminating", stateSinceMs: now }, []],
  ] as const)("the drain of a node that %s is not dropped", (_, over, steps) => {
    expect(stepsOf(seen({ nodes: [draining(over)], overrides: noOverrides }))).toEqual(steps);
  });
});

describe("limits and budgets that an admin has set", () => {
  const pool = aPool({ limits: { usdPerHour: 40, gpus: 16 }, budgets: { usdPerDay: 200, whenSpent: "drain" } });

  test("values that were set apply instead of the configured ones, and the others stay", () => {
    const overrides = orderedAs({ kind: "set", values: { gpus: 0, usdPerMonth: 500 } }, { kind: "set", values: { usdPerHour: 1.5 } });
    expect(inForce(pool, overrides, now)).toEqual({
      ...pool,
      limits: { usdPerHour: 1.5, gpus: 0 },
      budgets: { usdPerDay: 200, usdPerMonth: 500, whenSpent: "drain" },
    });
    const { budgets: _none, ...without } = pool;
    expect(inForce(without, orderedAs({ kind: "set", values: { usdPerDay: 7 } }), now)).toMatchObject({ budgets: { usdPerDay: 7 } });
    expect(inForce(without, orderedAs({ kind: "set", values: { gpus: 7 } }), now)).not.toHaveProperty("budgets");
  });

  test("values apply until they expire or are unset, and the same value again changes nothing", () => {
    const set = { kind: "set", values: { gpus: 4, usdPerHour: 9 }, untilMs: now + 1 } as const;
    const overrides = orderedAs(set);
    expect(inForce(pool, overrides, now).limits).toEqual({ usdPerHour: 9, gpus: 4 });
    expect(inForce(pool, overrides, now + 1)).toEqual(pool);
    expect(changed(overrides, set, by)).toBe(overrides);
    const unset = changed(overrides, { kind: "unset", names: ["gpus"] }, by);
    expect(inForce(pool, unset, now).limits).toEqual({ usdPerHour: 9, gpus: 16 });
    expect(changed(unset, { kind: "unset", names: ["gpus"] }, by)).toBe(unset);
    expect(changed(unset, { kind: "unset", names: ["usdPerHour"] }, by)).not.toHaveProperty("settings");
  });

  test("the budgets of a team are set, expire and are unset apart from those of the pool and of other teams", () => {
    const teamBudgets = { vision: { usdPerDay: 9, usdPerMonth: 90 }, audio: { usdPerDay: 1 } };
    const shares = { ...pool, teamBudgets };
    const overrides = orderedAs(
      { kind: "set", team: "vision", values: { usdPerDay: 3 }, untilMs: now + 5 },
      { kind: "set", team: "constructor", values: { usdPerMonth: 7 } },
      { kind: "set", values: { usdPerDay: 50 } },
    );
    expect(inForce(shares, overrides, now)).toEqual({
      ...shares,
      budgets: { usdPerDay: 50, whenSpent: "drain" },
      teamBudgets: { vision: { usdPerDay: 3, usdPerMonth: 90 }, audio: { usdPerDay: 1 }, constructor: { usdPerMonth: 7 } },
    });
    expect(inForce(shares, overrides, now + 5).teamBudgets?.["vision"]).toEqual(teamBudgets.vision);
    const unset = changed(overrides, { kind: "unset", team: "vision", names: settingNames }, by);
    expect(unset.history[0]).toMatchObject({ what: "unset budgets.usdPerDay for team vision", team: "vision" });
    expect(Object.keys(unset.teams ?? {})).toEqual(["constructor"]);
    expect(unset.settings).toEqual(overrides.settings);
    expect(changed(unset, { kind: "unset", team: "constructor", names: ["usdPerMonth"] }, by)).not.toHaveProperty("teams");
    expect(decide(seen({ nodes: [busy()], overrides })).wakeAtMs).toBe(now + 5);
  });

  test("values that have expired are dropped with the next change, and those of a later release are kept", () => {
    const later = { value: 1, by: "Admin/eve", sinceMs: now };
    const old = { ...orderedAs({ kind: "set", values: { gpus: 4 }, untilMs: now - 90_001 }) };
    const overrides = { ...old, settings: { ...old.settings, warmNodes: later } };
    const { settings } = changed(overrides, { kind: "set", values: { usdPerDay: 5 } }, by);
    expect(Object.keys(settings ?? {})).toEqual(["warmNodes", "usdPerDay"]);
  });

  test("the record of a change names the fields of the configuration and the time", () => {
    const { history } = orderedAs(
      { kind: "set", values: { gpus: 4, whenSpent: "drain" }, untilMs: now },
      { kind: "unset", names: ["gpus", "whenSpent"] },
    );
    expect(history.map(({ what }) => what)).toEqual([
      "unset limits.gpus, budgets.whenSpent",
      "set limits.gpus to 4, budgets.whenSpent to drain until 2026-06-01 12:00 UTC",
    ]);
  });

  test("overrides that cannot be read leave the limits as configured, and no budget drains nodes then", () => {
    expect(inForce(pool, unknownOverrides, now)).toEqual({ ...pool, budgets: { usdPerDay: 200, whenSpent: "stop-growth" } });
    const teamBudgets = { vision: { usdPerDay: 9, whenSpent: "drain" as const }, audio: { usdPerDay: 1 } };
    expect(inForce(aPool({ teamBudgets }), unknownOverrides, now)).toEqual(
      aPool({ teamBudgets: { vision: { usdPerDay: 9, whenSpent: "stop-growth" }, audio: { usdPerDay: 1 } } }),
    );
  });

  test("a pool that was removed from the configuration has no limits but its own", () => {
    const closing = closingPool("gpu");
    expect(inForce(closing, orderedAs({ kind: "set", values: { gpus: 4 } }), now)).toBe(closing);
  });

  test("a decision wakes when a value expires, if jobs wait or nodes are there", () => {
    const overrides = orderedAs({ kind: "set", values: { gpus: 4 }, untilMs: now + 7 }, { kind: "pause" });
    const queue = [anEntry({ reason: decide(seen({ queue: [anEntry()], overrides })).steps[0]?.because })];
    expect(decide(seen({ queue, overrides })).wakeAtMs).toBe(now + 7);
    expect(decide(seen({ nodes: [busy()], overrides })).wakeAtMs).toBe(now + 7);
    expect(decide(seen({ overrides })).wakeAtMs).toBeUndefined();
  });
});
