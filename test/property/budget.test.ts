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
    })),
  }));
/** Limits that are never in the way here. */
const withBudgets = fc
  .record({ seen: sometime, budgets })
  .map(({ seen, budgets: its }) => ({ ...seen, pool: { ...seen.pool, limits: { usdPerHour: 1000, gpus: 64 }, budgets: its } }));
const teamNames = ["audio", "vision"] as const;
/** Each team's budgets, and what its nodes have cost; no other budget or limit is in the way. */
const withTeamBudgets = fc
  .record({
    seen: sometime,
    teamBudgets: fc.dictionary(fc.constantFrom(...teamNames), budgets, { minKeys: 1 }),
    spent: fc.dictionary(fc.constantFrom(...teamNames), fc.constantFrom({ dayUsd: 0, monthUsd: 80 }, { dayUsd: 28, monthUsd: 28 })),
  })
  .map(({ seen, teamBudgets, spent }) => ({
    ...seen,
    spent: { ...seen.spent, teams: spent },
    pool: { ...seen.pool, shared: false, limits: { usdPerHour: 1000, gpus: 64 }, budgets: undefined, teamBudgets },
  }));
const drains = <T>(its: T): T & { readonly whenSpent: "drain" } => ({ ...its, whenSpent: "drain" });
/** Returns the same with budgets that drain when they are used up. */
const draining = (seen: Snapshot): Snapshot => ({
  ...seen,
  pool: {
    ...seen.pool,
    budgets: seen.pool.budgets && drains(seen.pool.budgets),
    teamBudgets: Object.fromEntries(Object.entries(seen.pool.teamBudgets ?? {}).map(([team, its]) => [team, drains(its)])),
  },
});
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

test("launches of a team never raise the cost of an hour of its reservations beyond the team's budget, in which nothing else counts", () => {
  let launched = 0;
  let held = 0;
  fc.assert(
    fc.property(withTeamBudgets, (seen) => {
      const plan = decide(seen);
      expectWithinBudgets(seen, plan);
      launched += kinds(plan, "launch").length;
      held += kinds(plan, "hold").filter((step) => /^team \S+ in pool gpu has spent/.test(step.because)).length;
    }),
    runs,
  );
  expect(launched).toBeGreaterThan(runs.numRuns / 10);
  expect(held).toBeGreaterThan(runs.numRuns / 10);
});

test("a used-up budget that drains leaves only work that leaves in time or that the next period pays for, and changes nothing else", () => {
  let drained = 0;
  fc.assert(
    fc.property(withBudgets, withTeamBudgets, fc.boolean(), (ofPool, ofTeams, isPools) => {
      const seen = isPools ? ofPool : ofTeams;
      const growth = decide(seen);
      const plan = decide(draining(seen));
      const drains = plan.steps.filter((step) => step.kind === "drain");
      const added = drains.filter((step) => step.because.endsWith("is used up") || / of team \S+ is used up$/.test(step.because));
      drained += added.length;
      for (const { node: id, untilMs } of added) {
        const node = seen.nodes.find((each) => each.id === id);
        expect(untilMs).toBe(seen.nowMs + seen.pool.drainSeconds * 1000);
        expect(isUsedUp(seen) !== false || isUsedUp(seen, node?.team) !== false).toBe(true);
        expect(node?.assignments).not.toEqual([]);
      }
      // Waiting jobs have another reason, because work does not go on.
      const others = ({ steps }: Plan) => steps.filter(({ kind }) => kind !== "hold");
      if (added.length === 0) expect(others(plan)).toEqual(others(growth));
      expectWithinBudgets(seen, plan);
    }),
    runs,
  );
  expect(drained).toBeGreaterThan(runs.numRuns / 10);
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
