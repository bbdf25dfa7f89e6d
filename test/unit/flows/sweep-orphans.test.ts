import { describe, expect, test } from "vitest";
import { judgeStrays } from "../../../lib/decide/health/orphans.ts";
import { type SweepStraysDeps, sweepStrays } from "../../../lib/flows/tick/sweep-orphans.ts";
import { MemoryTaggedInstances } from "../../../lib/sim/memory/orphans.ts";
import { aLaunch, monday } from "../../fakes/builders.ts";
import { World } from "./world.ts";

const minute = 60_000;

/** A world with a node of the ledger, and instances that the ledger does not know. */
async function withStrays(count = 1) {
  const world = new World();
  await world.submit("a");
  await world.workOff();
  for (let n = 0; n < count; n += 1) await world.fleet.launch(aLaunch({ id: `stray-${n}`, clientToken: `stray-${n}` }));
  const strays = world.fleet.live.filter(({ launch }) => launch.id.startsWith("stray")).map(({ id }) => id);
  const instances = new MemoryTaggedInstances(world.fleet, () => monday);
  const deps: SweepStraysDeps = { ...world, strays: world.ledger.strays, instances, now: () => world.nowMs };
  const sweep = async (minutes: number) => {
    world.nowMs = monday + minutes * minute;
    return sweepStrays(deps);
  };
  const lives = (id: string | undefined) => world.fleet.live.some((each) => each.id === id);
  return { world, strays, instances, sweep, lives };
}

describe("an instance without an owner", () => {
  test("an instance without an owner is noted first and ended ten minutes later, and the fleet's own instances live on", async () => {
    const { world, strays, sweep, lives } = await withStrays();
    expect(await sweep(0)).toEqual({ noted: 1, ended: [] });
    expect(await sweep(5)).toEqual({ noted: 1, ended: [] });
    expect(lives(strays[0])).toBe(true);
    expect(await sweep(10)).toEqual({ noted: 1, ended: strays });
    expect(lives(strays[0])).toBe(false);
    expect(await sweep(15)).toEqual({ noted: 0, ended: [] });
    expect(await sweep(20)).toEqual({ noted: 0, ended: [] });
    expect(world.fleet.live.map(({ id }) => id)).toEqual([world.node.id]);
  });

  test("a failed check changes nothing and ends no instance", async () => {
    const { strays, instances, sweep, lives, world } = await withStrays();
    await sweep(0);
    instances.deaf = true;
    expect(await sweep(10)).toEqual({ noted: 0, ended: [] });
    expect(lives(strays[0])).toBe(true);
    expect(world.ledger.table.strays.size).toBe(1);
    instances.deaf = false;
    world.fleet.deafNext("terminate");
    expect(await sweep(15)).toEqual({ noted: 1, ended: [] });
    expect(await sweep(20)).toEqual({ noted: 1, ended: strays });
  });

  test("an instance lives if the ledger knows it after all, even right before its end", async () => {
    const { world, strays, sweep, lives } = await withStrays();
    await sweep(0);
    const adopt = () => {
      const node = world.node;
      world.ledger.table.putNode({ ...node, id: strays[0] ?? "" });
    };
    world.ledger.wire.before("strays.unowned", adopt, 2);
    expect(await sweep(10)).toEqual({ noted: 1, ended: [] });
    expect(lives(strays[0])).toBe(true);
    expect(await sweep(15)).toEqual({ noted: 0, ended: [] });
  });

  test("an instance counts as owned while a launch that may have created it is open", async () => {
    const { world, sweep, strays, lives } = await withStrays();
    world.ledger.table.openLaunches.set("stray-0", aLaunch({ id: "stray-0" }));
    for (const minutes of [0, 5, 10, 15]) expect(await sweep(minutes)).toEqual({ noted: 0, ended: [] });
    expect(lives(strays[0])).toBe(true);
  });

  test("the ten minutes start again if the instance was owned in between", async () => {
    const { world, sweep, strays } = await withStrays();
    await sweep(0);
    world.ledger.table.openLaunches.set("stray-0", aLaunch({ id: "stray-0" }));
    await sweep(5);
    world.ledger.table.openLaunches.clear();
    expect(await sweep(10)).toEqual({ noted: 1, ended: [] });
    expect(await sweep(20)).toEqual({ noted: 1, ended: strays });
  });

  test("a sweep ends at most twenty instances", async () => {
    const { sweep } = await withStrays(25);
    await sweep(0);
    expect((await sweep(10)).ended).toHaveLength(20);
    expect((await sweep(15)).ended).toHaveLength(5);
  });
});

test("a clock that is or was ahead ends no instance too early", () => {
  const stray = { id: "i-1", launchedAtMs: monday, ending: false };
  const ahead = new Map([["i-1", monday + 60 * minute]]);
  expect(judgeStrays({ unowned: [stray], noted: ahead, nowMs: monday })).toEqual({ since: new Map([["i-1", monday]]), ends: [] });
  const young = { id: "i-1", launchedAtMs: monday + 5 * minute, ending: false };
  expect(judgeStrays({ unowned: [{ ...stray, ending: true }], noted: new Map([["i-1", monday]]), nowMs: monday + 20 * minute })).toEqual({
    since: new Map(),
    ends: [],
  });
  expect(judgeStrays({ unowned: [young], noted: new Map([["i-1", monday]]), nowMs: monday + 14 * minute }).ends).toEqual([]);
});
