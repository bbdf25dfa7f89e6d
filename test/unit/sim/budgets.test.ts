import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readSites } from "../../../lib/sim/faults/sites.ts";
import { MemoryTable } from "../../../lib/sim/memory/table.ts";
import { runOnce } from "../../../lib/sim/run.ts";
import { Scenario } from "../../../lib/sim/world/scenario.ts";
import type { World } from "../../../lib/sim/world/world.ts";

const scenario = Scenario.parse(JSON.parse(readFileSync("lib/sim/scenarios/budgets.json", "utf8")));
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test("budgets of pools and teams are used up, stop growth or drain nodes, and all jobs end after they renew", async () => {
  const reasons = new Set<string>();
  const drains = new Set<string>();
  const worlds: World[] = [];
  const { violation, jobs } = await runOnce({
    scenario,
    seed: 26,
    sites: readSites(),
    settled,
    plant: ({ placements }, world) => {
      worlds.push(world);
      return {
        placements: {
          ...placements,
          hold: (fence, held) => {
            reasons.add(held.reason.replace(/ has spent at least \S+ of its /, ": ").replace(/, and the job .*/, ""));
            return placements.hold(fence, held);
          },
          drain: (fence, withdrawn) => {
            drains.add(`${fence.pool}: ${withdrawn.drain.because}`);
            return placements.drain(fence, withdrawn);
          },
        },
      };
    },
  });
  expect(violation).toBeUndefined();
  expect(reasons).toContain("team speech in pool teams: budget of $7 a month; running work goes on");
  expect(reasons).toContain("pool stop: budget of $8 a month; what runs is stopped in time and queued again");
  expect(drains).toContain("stop: the budget of $8 a month is used up");
  const midnightMs = Date.parse("2026-07-01T00:00:00Z");
  const attempts = worlds.flatMap((world) => [...world.ledger.table.attempts.values()].flat());
  expect(attempts.filter(({ startedAtMs = 0 }) => startedAtMs > midnightMs).length).toBeGreaterThan(3);
  expect(jobs["succeeded"]).toBeGreaterThan(10);
});

test("what was spent before a run counts on its first day, and in that day's month", () => {
  const table = new MemoryTable();
  const evening = Date.parse("2026-06-29T20:00:00Z");
  table.spendBefore("gpu", { usd: 12, teams: { vision: 5.2 } }, evening);
  expect(table.spent("gpu", evening)).toEqual({ dayUsd: 12, monthUsd: 12, teams: { vision: { dayUsd: 5.2, monthUsd: 5.2 } } });
  const [hourMs, dayMs] = [3_600_000, 86_400_000];
  expect(table.spent("gpu", evening + 4 * hourMs)).toMatchObject({
    dayUsd: 0,
    monthUsd: 12,
    teams: { vision: { dayUsd: 0, monthUsd: 5.2 } },
  });
  expect(table.spent("gpu", evening + 4 * hourMs + dayMs)).toEqual({ dayUsd: 0, monthUsd: 0 });
});
