import { describe, expect, test } from "vitest";
import { judgeOrphans } from "../../../lib/decide/health/orphans.ts";
import { type SweepOrphansDeps, sweepOrphans } from "../../../lib/flows/tick/sweep-orphans.ts";
import { MemoryTaggedInstances } from "../../../lib/sim/memory/orphans.ts";
import { aLaunch, monday } from "../../fakes/builders.ts";
import { aWorld } from "./world.ts";

const minute = 60_000;

/** A world with a node of the ledger, and instances that the ledger does not know. */
async function withOrphans(count = 1) {
  const world = aWorld();
  await world.submit("a");
  await world.workOff();
  for (let n = 0; n < count; n += 1) await world.fleet.launch(aLaunch({ id: `orphan-${n}`, clientToken: `orphan-${n}` }));
  const orphans = world.fleet.live.filter(({ launch }) => launch.id.startsWith("orphan")).map(({ id }) => id);
  const instances = new MemoryTaggedInstances(world.fleet, () => monday);
  const deps: SweepOrphansDeps = { ...world.deps, instances };
  const sweep = async (minutes: number) => {
    world.nowMs = monday + minutes * minute;
    return sweepOrphans(deps);
  };
  const lives = (id: string | undefined) => world.fleet.live.some((each) => each.id === id);
  return { world, orphans, instances, sweep, lives };
}

describe("an instance without an owner", () => {
  test("an instance without an owner is noted first and ended ten minutes later, and the fleet's own instances live on", async () => {
    const { world, orphans, sweep, lives } = await withOrphans();
    expect(await sweep(0)).toEqual({ noted: 1, ended: [] });
    expect(await sweep(5)).toEqual({ noted: 1, ended: [] });
    expect(lives(orphans[0])).toBe(true);
    expect(await sweep(10)).toEqual({ noted: 1, ended: orphans });
    expect(lives(orphans[0])).toBe(false);
    expect(await sweep(15)).toEqual({ noted: 0, ended: [] });
    expect(await sweep(20)).toEqual({ noted: 0, ended: [] });
    expect(world.fleet.live.map(({ id }) => id)).toEqual([world.node.id]);
  });

  test("a protected instance without an owner does not keep the others alive", async () => {
    const { world, orphans, sweep, lives } = await withOrphans(3);
    await sweep(0);
    world.fleet.protected.add(orphans[1] ?? "");
    expect(await sweep(10)).toEqual({ noted: 3, ended: [orphans[0], orphans[2]] });
    expect(orphans.map(lives)).toEqual([false, true, false]);
  });

  test("a failed check changes nothing and ends no instance", async () => {
    const { orphans, instances, sweep, lives, world } = await withOrphans();
    await sweep(0);
    instances.deaf = true;
    expect(await sweep(10)).toEqual({ noted: 0, ended: [] });
    expect(lives(orphans[0])).toBe(true);
    expect(world.ledger.table.orphans.size).toBe(1);
    instances.deaf = false;
    world.fleet.deafNext("terminate");
    expect(await sweep(15)).toEqual({ noted: 1, ended: [] });
    expect(await sweep(20)).toEqual({ noted: 1, ended: orphans });
  });

  test("an instance lives if the ledger knows it after all, even right before its end", async () => {
    const { world, orphans, sweep, lives } = await withOrphans();
    await sweep(0);
    const adopt = () => {
      const node = world.node;
      world.ledger.table.putNode({ ...node, id: orphans[0] ?? "" });
    };
    world.ledger.wire.before("orphans.unowned", adopt, 2);
    expect(await sweep(10)).toEqual({ noted: 1, ended: [] });
    expect(lives(orphans[0])).toBe(true);
    expect(await sweep(15)).toEqual({ noted: 0, ended: [] });
  });

  test("an instance counts as owned while a launch that may have created it is open", async () => {
    const { world, sweep, orphans, lives } = await withOrphans();
    world.ledger.table.openLaunches.set("orphan-0", aLaunch({ id: "orphan-0" }));
    for (const minutes of [0, 5, 10, 15]) expect(await sweep(minutes)).toEqual({ noted: 0, ended: [] });
    expect(lives(orphans[0])).toBe(true);
  });

  test("an orphan's ten minutes start again if the instance was owned in between", async () => {
    const { world, sweep, orphans } = await withOrphans();
    await sweep(0);
    world.ledger.table.openLaunches.set("orphan-0", aLaunch({ id: "orphan-0" }));
    await sweep(5);
    world.ledger.table.openLaunches.clear();
    expect(await sweep(10)).toEqual({ noted: 1, ended: [] });
    expect(await sweep(20)).toEqual({ noted: 1, ended: orphans });
  });

  test("a sweep ends at most twenty instances", async () => {
    const { sweep } = await withOrphans(25);
    await sweep(0);
    expect((await sweep(10)).ended).toHaveLength(20);
    expect((await sweep(15)).ended).toHaveLength(5);
  });
});

test("a clock that is or was ahead ends no instance too early", () => {
  const orphan = { id: "i-1", launchedAtMs: monday, ending: false };
  const ahead = new Map([["i-1", monday + 60 * minute]]);
  expect(judgeOrphans({ unowned: [orphan], noted: ahead, nowMs: monday })).toEqual({ since: new Map([["i-1", monday]]), ends: [] });
  const young = { id: "i-1", launchedAtMs: monday + 5 * minute, ending: false };
  expect(judgeOrphans({ unowned: [{ ...orphan, ending: true }], noted: new Map([["i-1", monday]]), nowMs: monday + 20 * minute })).toEqual({
    since: new Map(),
    ends: [],
  });
  expect(judgeOrphans({ unowned: [young], noted: new Map([["i-1", monday]]), nowMs: monday + 14 * minute }).ends).toEqual([]);
});
