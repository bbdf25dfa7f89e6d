import { describe, expect, test } from "vitest";
import type { AlarmStateChange } from "../../../events/alarm.ts";
import { noteAlarm } from "../../../lib/flows/note-alarm.ts";
import { alarmName } from "../../../lib/model/alarm.ts";
import { aPool } from "../../fakes/builders.ts";
import { alarmChange } from "./news.ts";
import { World } from "./world.ts";

const pools = [aPool(), aPool({ name: "big", teams: ["research"] }), aPool({ name: "shared", teams: ["research", "vision"] })];
const note = ({ ledger, lane }: World, event: AlarmStateChange) =>
  noteAlarm({ bell: ledger.bell, lane, fleet: { name: "fleetwright", pools } }, event);
const gpuHigh = "fleetwright/gpu-high/big";

test.each([
  ["begins", "OK", "ALARM"],
  ["begins, and nobody knows what it was before", undefined, "ALARM"],
  ["is over", "ALARM", "OK"],
] as const)("an alarm of ours that %s rings its pool, and is on record", async (_what, from, to) => {
  const world = new World();
  expect(await note(world, alarmChange(gpuHigh, from, to))).toEqual({ kind: "rung", pools: ["big"] });
  expect(world.lane.waiting).toEqual(["big"]);
  expect((await world.ledger.decisions.begin("big")).causes).toEqual([`alarm ${gpuHigh}`]);
});

test("a team's queue is the business of every pool that the team may use", async () => {
  const world = new World();
  const name = alarmName({ fleet: "fleetwright", kind: "jobs-age", of: "vision" });
  expect(await note(world, alarmChange(name, "OK", "ALARM"))).toEqual({ kind: "rung", pools: ["gpu", "shared"] });
  expect(world.lane.waiting).toEqual(["gpu", "shared"]);
});

test("the same alarm twice wakes once", async () => {
  const world = new World();
  for (const _time of [1, 2]) await note(world, alarmChange(gpuHigh, "OK", "ALARM"));
  expect(world.lane.waiting).toEqual(["big"]);
  expect((await world.ledger.decisions.begin("big")).causes).toEqual([`alarm ${gpuHigh}`]);
});

test("an end that comes before its beginning rings as well: what is decided comes from the table", async () => {
  const world = new World();
  await note(world, alarmChange(gpuHigh, "ALARM", "OK"));
  expect(await note(world, alarmChange(gpuHigh, "OK", "ALARM"))).toMatchObject({ kind: "rung" });
});

test.each([
  ["was never looked at before", "INSUFFICIENT_DATA", "OK"],
  ["is told to be as it was", "OK", "OK"],
  ["has no data", "OK", "INSUFFICIENT_DATA"],
] as const)("one that %s is no news", async (_what, from, to) => {
  const world = new World();
  expect(await note(world, alarmChange(gpuHigh, from, to))).toEqual({ kind: "no-news" });
  expect(world.lane.waiting).toEqual([]);
});

describe("none of ours is", () => {
  test.each([
    ["somebody else's", "CPUUtilizationHigh"],
    ["another fleet's", "blue/gpu-high/gpu"],
    ["one of a fleet whose name begins like ours", "fleetwright-2/gpu-high/gpu"],
    ["of a pool that there is no more", "fleetwright/gpu-high/old"],
    ["of another kind", "fleetwright/disk-full/gpu"],
    ["one that says more", "fleetwright/gpu-high/gpu/us-east-1a"],
    ["one that says less", "fleetwright/gpu-high"],
    ["one that is named for what every object has", "fleetwright/constructor/gpu"],
  ])("%s", async (_what, name) => {
    const world = new World();
    expect(await note(world, alarmChange(name, "OK", "ALARM"))).toEqual({ kind: "not-ours" });
    expect(world.lane.waiting).toEqual([]);
  });
});
