import { describe, expect, test } from "vitest";
import type { AlarmStateChange } from "../../../events/alarm.ts";
import { noteAlarm } from "../../../lib/flows/note-alarm.ts";
import { alarmName } from "../../../lib/model/alarm.ts";
import { aPool } from "../../fakes/builders.ts";
import { alarmChange } from "./news.ts";
import { aWorld, type World } from "./world.ts";

const pools = [aPool(), aPool({ name: "big", teams: ["research"] }), aPool({ name: "shared", teams: ["research", "vision"] })];
const note = ({ ledger, lane }: World, event: AlarmStateChange) =>
  noteAlarm({ bell: ledger.bell, lane, fleet: { name: "fleetwright", pools } }, event);
const gpuLow = "fleetwright/gpu-low/big";

test.each([
  ["begins", "OK", "ALARM"],
  ["begins from an unknown state", undefined, "ALARM"],
  ["ends", "ALARM", "OK"],
] as const)("an alarm of the fleet that %s rings its pool and is recorded", async (_what, from, to) => {
  const world = aWorld();
  expect(await note(world, alarmChange(gpuLow, from, to))).toEqual({ kind: "rung", pools: ["big"] });
  expect(world.lane.waiting).toEqual(["big"]);
  expect((await world.ledger.decisions.begin("big")).causes).toEqual([`alarm ${gpuLow}`]);
});

test("an alarm about a team's queue rings every pool that the team may use", async () => {
  const world = aWorld();
  const name = alarmName({ fleet: "fleetwright", kind: "jobs-age", of: "vision" });
  expect(await note(world, alarmChange(name, "OK", "ALARM"))).toEqual({ kind: "rung", pools: ["gpu", "shared"] });
  expect(world.lane.waiting).toEqual(["gpu", "shared"]);
});

test("the same alarm twice wakes the pool once", async () => {
  const world = aWorld();
  for (const _time of [1, 2]) await note(world, alarmChange(gpuLow, "OK", "ALARM"));
  expect(world.lane.waiting).toEqual(["big"]);
  expect((await world.ledger.decisions.begin("big")).causes).toEqual([`alarm ${gpuLow}`]);
});

test("an alarm's end that arrives before its beginning also rings, because decisions use the table", async () => {
  const world = aWorld();
  await note(world, alarmChange(gpuLow, "ALARM", "OK"));
  expect(await note(world, alarmChange(gpuLow, "OK", "ALARM"))).toMatchObject({ kind: "rung" });
});

test.each([
  ["had no data before", "INSUFFICIENT_DATA", "OK"],
  ["repeats its state", "OK", "OK"],
  ["has no data", "OK", "INSUFFICIENT_DATA"],
] as const)("an alarm that %s rings no pool", async (_what, from, to) => {
  const world = aWorld();
  expect(await note(world, alarmChange(gpuLow, from, to))).toEqual({ kind: "no-news" });
  expect(world.lane.waiting).toEqual([]);
});

describe("an alarm that is not the fleet's", () => {
  test.each([
    ["another owner's alarm", "CPUUtilizationHigh"],
    ["another fleet's alarm", "blue/gpu-low/gpu"],
    ["an alarm of a fleet whose name begins with this fleet's", "fleetwright-2/gpu-low/gpu"],
    ["an alarm of a pool that no longer exists", "fleetwright/gpu-low/old"],
    ["an alarm of another kind", "fleetwright/disk-full/gpu"],
    ["an alarm whose name has an additional part", "fleetwright/gpu-low/gpu/us-east-1a"],
    ["an alarm whose name lacks a part", "fleetwright/gpu-low"],
    ["an alarm that is named like a property of every object", "fleetwright/constructor/gpu"],
  ])("%s is ignored", async (_what, name) => {
    const world = aWorld();
    expect(await note(world, alarmChange(name, "OK", "ALARM"))).toEqual({ kind: "not-ours" });
    expect(world.lane.waiting).toEqual([]);
  });
});
