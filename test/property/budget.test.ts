import fc from "fast-check";
import { expect, test } from "vitest";
import { decide } from "../../lib/decide/decide.ts";
import { isResponsive } from "../../lib/decide/health/dead-nodes.ts";
import type { Plan, Snapshot, Step } from "../../lib/model/plan.ts";
import { expectWithinBudgets, isUsedUp } from "./spending.ts";
import { stormRuns } from "./storm-runs.ts";
import { budgets, snapshot } from "./worlds.ts";

const hours = (count: number): number => count * 3_600_000;
/** The same pool now, half an hour before midnight, and ten days and an hour later; workers call all the time. */
const sometime: fc.Arbitrary<Snapshot> = fc
  .record({ seen: snapshot, laterMs: fc.constantFrom(0, 0, hours(23.1), hours(24 * 10 + 1)) })
  .map(({ seen, laterMs }) => ({
    ...seen,
    nowMs: seen.nowMs + laterMs,
    nodes: seen.nodes.map((node) => ({
      ...node,
      lastSeenMs: (node.lastSeenMs ?? 0) + laterMs,
      leaseUntilMs: node.leaseUntilMs + laterMs,
    })),
  }));
/** Limits that are never in the way here. */
const withBudgets = fc
  .record({ seen: sometime, budgets })
  .map(({ seen, budgets: its }) => ({ ...seen, pool: { ...seen.pool, limits: { usdPerHour: 1000, gpus: 64 }, budgets: its } }));
const runs = { numRuns: stormRuns(5_000) };
const kinds = (plan: Plan, ...wanted: readonly Step["kind"][]): Step[] => plan.steps.filter((step) => wanted.includes(step.kind));
const without = (seen: Snapshot): Snapshot => ({ ...seen, pool: { ...seen.pool, budgets: undefined } });

test("launches never raise the cost of an hour of all reservations beyond a budget", () => {
  let launched = 0;
  let held = 0;
  fc.assert(
    fc.property(withBudgets, (seen) => {
      const plan = decide(seen);
      expectWithinBudgets(seen, plan);
      launched += kinds(plan, "launch").length;
      held += kinds(plan, "hold").filter((step) => step.because.includes("does not pay for an hour of another node")).length;
    }),
    runs,
  );
  expect(launched).toBeGreaterThan(runs.numRuns / 10);
  expect(held).toBeGreaterThan(runs.numRuns / 10);
});

test("if a budget is used up, nothing starts, idle nodes end, running jobs go on, and the pool wakes at the next period", () => {
  let times = 0;
  fc.assert(
    fc.property(withBudgets, (seen) => {
      if (!isUsedUp(seen)) return;
      times += 1;
      const plan = decide(seen);
      expect(kinds(plan, "bind", "bind-gang", "launch")).toEqual([]);
      const kept = seen.nodes.filter((node) => !plan.steps.some((step) => "node" in step && step.node === node.id));
      for (const node of kept.filter((each) => isResponsive(each, seen.nowMs))) expect(node.assignments).not.toEqual([]);
      for (const step of kinds(plan, "retire"))
        expect("node" in step && seen.nodes.find((node) => node.id === step.node)?.assignments).toEqual([]);
      // A budget must not end work.
      const free = decide(without(seen));
      expect(kinds(plan, "lose", "confirm", "fail")).toEqual(kinds(free, "lose", "confirm", "fail"));
      const days = kinds(plan, "hold").flatMap((step) => /running work goes on, .* after (\S+) 00:00 UTC$/.exec(step.because)?.[1] ?? []);
      for (const day of days) expect(plan.wakeAtMs).toBeLessThanOrEqual(Date.parse(`${day}T00:00:00Z`));
    }),
    runs,
  );
  expect(times).toBeGreaterThan(runs.numRuns / 5);
});

test("budgets that are far from used up change nothing", () => {
  fc.assert(
    fc.property(sometime, (seen) => {
      const rich = { ...seen, pool: { ...seen.pool, budgets: { usdPerDay: 1e7, usdPerMonth: 1e8 } } };
      expect(decide(rich)).toEqual(decide(without(seen)));
    }),
    runs,
  );
});
