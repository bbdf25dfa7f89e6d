import { expect, test } from "vitest";
import { endFleet } from "../../../lib/flows/end-fleet.ts";
import { readSites } from "../../../lib/sim/faults/sites.ts";
import { Scenario } from "../../../lib/sim/world/scenario.ts";
import { World } from "../../../lib/sim/world/world.ts";

const minute = 60_000;
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const sites = readSites();
const deletedMinute = 0.7;
/** The stack's functions are deleted while they launch, and then its fleet is ended, while EC2 has all its faults and shows no new instance at first. */
const scenario = Scenario.parse({
  minutes: 40,
  arriveMinutes: deletedMinute,
  outages: [{ of: "functions", fromMinute: deletedMinute, untilMinute: 1_000 }],
  jobs: { count: { from: 8, to: 12 }, seconds: { from: 60, to: 600 }, impossible: 0, wrong: 0 },
  faults: { "ec2.invisible": 1 },
});

async function goOn(world: World, isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    world.clock.step();
    await settled();
  }
}

test("the end of a deployment leaves no instance, whatever EC2 does meanwhile", async () => {
  let ended = 0;
  for (let seed = 1; seed <= 10; seed += 1) {
    const world = new World({ scenario, seed, sites, emit: () => {} });
    const startMs = world.clock.nowMs;
    world.begin();
    await goOn(world, () => world.clock.nowMs >= startMs + deletedMinute * minute);
    ended += world.ec2.fleet.live.length;
    const { instances, port: fleet } = world.ec2;
    const pause = (ms: number) => new Promise<void>((resolve) => void world.clock.after(ms, resolve));
    const ending = { over: false };
    const end = endFleet(
      { instances, fleet, pause, now: () => world.clock.nowMs, log: () => {} },
      { untilMs: startMs + 30 * minute },
    ).finally(() => {
      ending.over = true;
    });
    await goOn(world, () => ending.over);
    expect(await end, `seed ${seed}`).toEqual({ kind: "gone" });
    expect(world.ec2.fleet.live, `seed ${seed}`).toEqual([]);
    await goOn(world, () => world.clock.nowMs >= startMs + 40 * minute);
    expect(world.ec2.fleet.live, `seed ${seed}, later`).toEqual([]);
  }
  expect(ended).toBeGreaterThan(10);
});
