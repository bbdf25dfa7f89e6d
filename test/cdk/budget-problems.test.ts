import { expect, test } from "vitest";
import { budgetProblems } from "../../cdk/configuration/budget-problems.ts";
import type { Pool } from "../../lib/model/pool.ts";
import { aPool } from "../fakes/builders.ts";

const teams = ["vision", "audio"];
const problems = (over: Partial<Pool>) =>
  budgetProblems(aPool(over), teams, ["pools", 0]).map(({ path, message }) => `${path.join(".")}: ${message}`);

test("budgets of a pool and of its teams are accepted", () => {
  expect(problems({})).toEqual([]);
  expect(problems({ budgets: { usdPerDay: 1, whenSpent: "drain" }, teamBudgets: { vision: { usdPerMonth: 5 } } })).toEqual([]);
  expect(problems({ teams: ["vision"], teamBudgets: { vision: { usdPerMonth: 5, whenSpent: "stop-growth" } } })).toEqual([]);
});

test("a budget for a team that does not exist or may not use the pool is refused", () => {
  expect(problems({ teamBudgets: { robots: { usdPerDay: 1 } } })).toEqual([
    'pools.0.teamBudgets.robots: there is no team "robots"; known teams: vision, audio',
  ]);
  expect(problems({ teams: ["audio"], teamBudgets: { vision: { usdPerDay: 1 } } })).toEqual([
    'pools.0.teamBudgets.vision: team "vision" may not use pool "gpu"',
  ]);
});

test("a team's budget in a shared pool is refused, because its nodes belong to no team", () => {
  expect(problems({ shared: true, teamBudgets: {} })).toEqual([]);
  expect(problems({ shared: true, teamBudgets: { vision: { usdPerDay: 1 }, audio: { usdPerDay: 1 } } })).toEqual([
    expect.stringMatching(/^pools\.0\.teamBudgets: nodes of the shared pool "gpu" belong to no team/),
  ]);
});

test("whenSpent without an amount is refused, because there is nothing to be used up", () => {
  const message = 'whenSpent has no effect alone: give "usdPerDay", "usdPerMonth" or both';
  expect(problems({ budgets: { whenSpent: "drain" }, teamBudgets: { audio: { whenSpent: "drain" } } })).toEqual([
    `pools.0.budgets: ${message}`,
    `pools.0.teamBudgets.audio: ${message}`,
  ]);
});
