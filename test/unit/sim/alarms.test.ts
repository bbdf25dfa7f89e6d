import { expect, test } from "vitest";
import { AlarmStateChange } from "../../../events/alarm.ts";
import { fleetName, scheduleAlarms } from "../../../lib/sim/faults/alarms.ts";
import { Chance } from "../../../lib/sim/faults/chance.ts";
import { SimClock } from "../../../lib/sim/world/clock.ts";
import { Scenario } from "../../../lib/sim/world/scenario.ts";
import { World } from "../../../lib/sim/world/world.ts";

const scenario = { minutes: 30, alarms: { from: 200, to: 200 }, pools: [{ name: "gpu" }, { name: "mixed" }], teams: ["vision"] };

function delivered(seed: string): AlarmStateChange[] {
  const clock = new SimClock(Date.parse("2026-06-01T00:00:00Z"));
  const changes: AlarmStateChange[] = [];
  scheduleAlarms(scenario, clock, new Chance(seed), (change) => void changes.push(change));
  while (clock.nextMs !== undefined) clock.step();
  return changes;
}

test("alarms change as EventBridge reports it, about each pool and team, and about others, some of them twice", () => {
  const changes = delivered("a");
  expect(changes.length).toBeGreaterThan(220);
  expect(changes.filter((change) => !AlarmStateChange.safeParse(change).success)).toEqual([]);
  const names = new Set(changes.map(({ detail }) => detail.alarmName));
  for (const name of [`${fleetName}/queue-age/gpu`, `${fleetName}/gpu-low/mixed`, `${fleetName}/jobs-age/vision`])
    expect(names).toContain(name);
  expect([...names].some((name) => name.startsWith("other/"))).toBe(true);
  expect([...names].some((name) => name.endsWith("/no-such-pool"))).toBe(true);
  expect(delivered("a")).toEqual(changes);
});

test("an alarm of a simulated deployment rings its pool", async () => {
  const world = new World({ scenario: Scenario.parse({ intensity: 0 }), seed: 1, sites: [], emit: () => undefined });
  const before = world.ledger.table.pool("gpu").bell;
  const detail = { alarmName: `${fleetName}/queue-age/gpu`, state: { value: "ALARM" } } as const;
  const ended = world.handlers.alarm({
    source: "aws.cloudwatch",
    "detail-type": "CloudWatch Alarm State Change",
    time: "2026-06-01T00:00:00Z",
    detail,
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  await settled();
  for (; world.clock.nextMs !== undefined && world.ledger.table.pool("gpu").bell === before; await settled()) world.clock.step();
  while (world.clock.nextMs !== undefined && (await Promise.race([ended, settled()])) === undefined) world.clock.step();
  expect(await ended).toBe("done");
  expect(world.ledger.table.pool("gpu").bell).toBe(before + 1);
});
