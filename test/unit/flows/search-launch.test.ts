import { describe, expect, test } from "vitest";
import { clientToken } from "../../../lib/flows/place/client-token.ts";
import { place } from "../../../lib/flows/place.ts";
import { aCatalogue, aLaunch, anOffer } from "../../fakes/builders.ts";
import { fleetWith } from "../../fakes/memory-ports.ts";
import { type CrashPoint, doomed } from "./crash.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld, type World } from "./world.ts";

const minutes = async (world: World, count: number): Promise<void> => {
  for (let n = 0; n < count * 3; n += 1) await world.pass(20);
};

/** A launch whose process crashed after EC2 had carried it out. */
async function crashedLaunch(): Promise<World> {
  const world = aWorld();
  await world.submit("a");
  const died = Promise.withResolvers<void>();
  const launch: typeof world.fleet.launch = async (request) => {
    await world.fleet.launch(request);
    died.resolve();
    return new Promise(() => {});
  };
  const { fleet } = world;
  void world.place({
    fleet: fleetWith(fleet, { launch }),
  });
  await died.promise;
  return world;
}

/** The same, but EC2 no longer accepts the request. */
async function turnedAway(): Promise<World> {
  const world = await crashedLaunch();
  world.fleet.turnAwayNext(1_000);
  return world;
}

/** The world right after the launch's only request. */
async function lost(how: "launched" | "not-launched"): Promise<World> {
  const world = aWorld();
  for (let n = 0; n < 1_000; n += 1) world.fleet.unknownNext(how);
  await world.submit("a");
  await world.workOff();
  return world;
}

describe("a launch that EC2 rejects", () => {
  test("a launch that EC2 rejects the first time has launched nothing, and its reservation ends", async () => {
    const world = aWorld();
    world.fleet.turnAwayNext();
    await world.submit("a");
    await world.place();
    expect(world.log).toContainEqual(expect.objectContaining({ message: "launch requested", came: "refused" }));
    expect(world.ledger.table.openLaunches.size).toBe(0);
    expect(world.reserved).toEqual({ usdPerHour: 0, gpus: 0 });
  });

  test("a launch that EC2 rejects after a lost response is searched for and found", async () => {
    const world = await turnedAway();
    await minutes(world, 1);
    expect(world.fleet.live).toHaveLength(1);
    expect(world.job("a")).toMatchObject({ state: "placed" });
    expectOneTruth(world);
  });

  test("a rejected launch that no search shows for a minute keeps its reservation, and nothing else is launched for its job", async () => {
    const world = await turnedAway();
    const [instance] = world.fleet.live;
    world.fleet.invisible.add(instance?.id ?? "");
    world.fleet.deafNext("find", 2);
    await minutes(world, 9);
    expect(world.fleet.live).toHaveLength(1);
    expect(world.reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
    world.fleet.invisible.clear();
    await minutes(world, 1);
    expect(world.job("a")).toMatchObject({ state: "placed", node: instance?.id });
    expectOneTruth(world);
  });

  test("a rejected launch whose instance has ended meanwhile gets no job", async () => {
    const world = await turnedAway();
    for (const { id } of world.fleet.live) world.fleet.end(id);
    await world.pass(20);
    expect(world.nodes).toEqual([]);
    expect(world.ledger.table.openLaunches.size).toBe(0);
    expect(world.reserved).toEqual({ usdPerHour: 0, gpus: 0 });
  });
});

describe("a launch without any response", () => {
  test("a launch without any response is retired after ten minutes of repeats and ten of empty reads, and its job gets another one under another token", async () => {
    const world = await lost("not-launched");
    await minutes(world, 10);
    const before = world.fleet.requested.length;
    await minutes(world, 9);
    expect(world.fleet.requested).toHaveLength(before);
    expect(world.reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
    expect(new Set(world.fleet.requested.map((launch) => launch.clientToken)).size).toBe(1);
    await minutes(world, 2);
    expect(world.log).toContainEqual(expect.objectContaining({ message: "launch searched for", came: "retired" }));
    expect(new Set(world.fleet.requested.map((launch) => launch.clientToken)).size).toBe(2);
  });

  test("a launch without any response is not retired by reads that fail", async () => {
    const world = await lost("not-launched");
    world.fleet.deafNext("find", 1_000);
    await minutes(world, 40);
    expect(world.ledger.table.openLaunches.size).toBe(1);
    expect(world.reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
  });

  test("a launch without any response that did launch is found when it is too old to be repeated", async () => {
    const world = await lost("launched");
    await minutes(world, 12);
    expect(world.fleet.live).toHaveLength(1);
    expect(world.job("a")).toMatchObject({ state: "placed" });
  });
});

test("a job gets another instance if its repeated token returns one that has ended", async () => {
  const world = await crashedLaunch();
  const [dead] = [...world.fleet.instances.values()];
  if (dead) world.fleet.end(dead.id);
  await minutes(world, 1);
  expect(world.job("a")).toMatchObject({ state: "placed" });
  expect(world.job("a")?.node).not.toBe(dead?.id);
  expectOneTruth(world);
});

test("no two requests have the same token, and none is too long for EC2", () => {
  const { clientToken: _, ...launch } = aLaunch();
  const others = [
    { ...launch, id: "another" },
    { ...launch, market: "on-demand" as const },
    { ...launch, offers: [anOffer({ zone: "us-east-1b" })] },
    { ...launch, offers: [anOffer(), anOffer({ zone: "us-east-1b" })] },
    { ...launch, count: 2 },
    { ...launch, count: 2, whole: true },
    { ...launch, pool: "other" },
  ];
  const tokens = [launch, ...others].map(clientToken);
  expect(new Set(tokens).size).toBe(tokens.length);
  for (const token of tokens) expect(token).toMatch(/^[ -~]{1,64}$/);
  expect(clientToken({ ...launch, because: "prices have changed", offers: [anOffer({ usdPerHour: 9 })] })).toBe(tokens[0]);
});

/** Worlds in which the next run of `place` searches for a launch. */
const stories: Readonly<Record<string, () => Promise<World>>> = {
  "finds all instances": turnedAway,
  "finds an instance that has ended": async () => {
    const world = await turnedAway();
    for (const { id } of world.fleet.live) world.fleet.end(id);
    return world;
  },
  "finds nothing yet": async () => {
    const world = await turnedAway();
    for (const { id } of world.fleet.live) world.fleet.invisible.add(id);
    return world;
  },
  "retires a launch that produced nothing": async () => {
    const world = await lost("not-launched");
    await minutes(world, 19);
    return world;
  },
};

async function run(world: World, at: CrashPoint | undefined): Promise<readonly string[]> {
  world.nowMs += 61_000;
  const process = doomed(world.placeDeps, at);
  await Promise.race([place(process.deps, { pool: world.pool, msLeft: () => 20_000 }), process.crashed]);
  return process.calls;
}

/** EC2 responds again, shows all instances, and accepts requests. */
async function recover(world: World): Promise<void> {
  world.fleet.calm();
  world.ledger.table.catalogues.set("gpu", aCatalogue());
  await world.place();
  await minutes(world, 22);
}

describe.each(Object.entries(stories))("a search that %s", (_story, begin) => {
  test("a run that searches ends in one consistent state at whatever call it crashes", async () => {
    const calls = await run(await begin(), undefined);
    expect(calls).toContain("fleet.find");
    for (let call = 1; call <= calls.length; call += 1)
      for (const when of ["before", "after"] as const) {
        const world = await begin();
        await run(world, { call, when });
        await recover(world);
        expectOneTruth(world);
        expect(world.job("a")?.state, `crashed ${when} call ${call}, ${calls[call - 1]}`).toBe("placed");
        expect(world.fleet.live, `crashed ${when} call ${call}, ${calls[call - 1]}`).toHaveLength(1);
      }
  });
});

describe("the error of a launch that EC2 has turned away", () => {
  const denied = new Error("UnauthorizedOperation");
  const gone = new Error("socket hang up");
  const turnedAwayWith = (isConflict: boolean) => async () =>
    ({ kind: "turned-away", code: "Denied", message: "no", refusals: [], isConflict, error: denied }) as const;

  test.each([
    ["of the first request", false, async () => ({ kind: "read", instances: [] }) as const, denied],
    ["of a request under a used token", true, async () => ({ kind: "read", instances: [] }) as const, denied],
    ["of the search for it, if that failed", true, async () => ({ kind: "unknown", message: "no response", error: gone }) as const, gone],
  ])("the log has the error %s", async (_what, isConflict, find, error) => {
    const world = aWorld();
    await world.submit("a");
    const { fleet } = world;
    const launch = turnedAwayWith(isConflict);
    await world.place({
      fleet: fleetWith(fleet, { launch, find }),
    });
    expect(world.log.find(({ message }) => message === "launch requested")).toMatchObject({ error });
  });
});
