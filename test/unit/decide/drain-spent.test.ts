import { describe, expect, test } from "vitest";
import { budgetRoom } from "../../../lib/decide/budget/budget-room.ts";
import { drainSpent } from "../../../lib/decide/budget/drain-spent.ts";
import { decide } from "../../../lib/decide/decide.ts";
import type { Node } from "../../../lib/model/node.ts";
import type { Snapshot } from "../../../lib/model/plan.ts";
import type { Pool } from "../../../lib/model/pool.ts";
import { aNode, anAssignment, anEntry, anOffer, aPool, aSnapshot, monday } from "../../fakes/builders.ts";

const hourMs = 3_600_000;
const now = monday + 12 * hourMs;
const midnight = monday + 24 * hourMs;
const drainMs = 600_000;

const busy = (over: Partial<Node> = {}): Node =>
  aNode({
    offer: anOffer({ usdPerHour: 1 }),
    launchedAtMs: now - hourMs,
    lastBusyMs: now,
    lastSeenMs: now,
    assignments: [anAssignment({ phase: "running" })],
    ...over,
  });
const spent = {
  dayUsd: 10,
  monthUsd: 10,
  teams: { vision: { dayUsd: 10, monthUsd: 10 } },
};
const seen = (pool: Partial<Pool>, over: Partial<Snapshot> = {}): Snapshot =>
  aSnapshot({
    nowMs: now,
    pool: aPool({ drainSeconds: drainMs / 1000, ...pool }),
    nodes: [busy()],
    reserved: { usdPerHour: 1, gpus: 1 },
    spent,
    ...over,
  });
const drained = (snapshot: Snapshot) => drainSpent(snapshot.nodes, budgetRoom(snapshot), snapshot);
const drain = { budgets: { usdPerDay: 10, whenSpent: "drain" } } as const;

describe("a budget that drains when it is used up", () => {
  test("a used-up budget drains the nodes that work, and their jobs get the pool's drain time", () => {
    const { steps, leaving, wakesMs } = drained(seen(drain));
    const node = busy().id;
    expect(steps).toEqual([{ kind: "drain", node, untilMs: now + drainMs, because: "the budget of $10 a day is used up" }]);
    expect([...leaving]).toEqual([node]);
    expect(wakesMs).toEqual([now + drainMs]);
  });

  test("a plan drains every node at once, launches no replacement and says to waiting jobs when they start", () => {
    const nodes = ["n1", "n2", "n3"].map((id) => busy({ id }));
    const plan = decide(seen({ ...drain, disruption: { nodes: 1 } }, { nodes, queue: [anEntry()] }));
    expect(plan.steps.map(({ kind }) => kind)).toEqual(["drain", "drain", "drain", "hold"]);
    expect(plan.steps.at(-1)?.because).toBe(
      "pool gpu has spent at least $13 of its budget of $10 a day; what runs is stopped in time and queued again, and the job starts after 2026-06-02 00:00 UTC",
    );
  });

  test("without whenSpent, and with stop-growth, work goes on", () => {
    expect(drained(seen({ budgets: { usdPerDay: 10 } })).steps).toEqual([]);
    expect(drained(seen({ budgets: { usdPerDay: 10, whenSpent: "stop-growth" } })).steps).toEqual([]);
  });

  test("a team's budget drains only the team's nodes, even if the pool's own budget lets work go on", () => {
    const nodes = [busy({ id: "v", team: "vision" }), busy({ id: "a", team: "audio" })];
    const teamBudgets = { vision: drain.budgets };
    expect(drained(seen({ teamBudgets }, { nodes })).steps).toMatchObject([
      { node: "v", because: "the budget of $10 a day of team vision is used up" },
    ]);
    expect(drained(seen({ teamBudgets, budgets: { usdPerDay: 10 } }, { nodes })).steps).toMatchObject([{ node: "v" }]);
  });

  test("nothing is drained if the budget renews before the drain would end", () => {
    const at = (msBefore: number) =>
      drained(seen(drain, { nowMs: midnight - msBefore, nodes: [busy({ launchedAtMs: midnight - hourMs })] }));
    expect(at(drainMs).steps).toEqual([]);
    expect(at(drainMs + 1).steps).toHaveLength(1);
  });

  test("nodes that hold nothing, are drained already or are taken back by EC2 are not drained", () => {
    const others = [
      busy({ assignments: [] }),
      busy({ state: "draining", drain: { because: "old", untilMs: now + 1 } }),
      busy({ state: "draining", notice: { kind: "interruption", atMs: now } }),
      busy({ state: "terminating" }),
      busy({ state: "gone" }),
    ];
    expect(drained(seen(drain, { nodes: others })).steps).toEqual([]);
    const those = [
      busy({ id: "boots", state: "launching" }),
      busy({ id: "warned", state: "draining", notice: { kind: "rebalance", atMs: now } }),
    ];
    expect(drained(seen(drain, { nodes: those })).steps).toHaveLength(2);
  });

  test("a pool wakes when what is reserved can have used up such a budget, and not for a budget that lets work go on", () => {
    const most = { usdPerDay: 13, usdPerMonth: 1000 };
    // The node has cost one dollar, so two are left, which last two hours.
    expect(drained(seen({ budgets: { ...most, whenSpent: "drain" } })).wakesMs).toEqual([now + 2 * hourMs]);
    expect(drained(seen({ budgets: most })).wakesMs).toEqual([]);
    expect(drained(seen({ budgets: { ...most, whenSpent: "drain" } }, { reserved: { usdPerHour: 0, gpus: 0 } })).wakesMs).toEqual([]);
  });

  test("a budget that cannot last a second longer does not make the pool decide without a pause", () => {
    const { wakesMs } = drained(seen({ budgets: { usdPerDay: 11.000001, whenSpent: "drain" } }));
    expect(wakesMs).toEqual([now + 1_000]);
  });
});
