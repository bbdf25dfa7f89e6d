import { describe, expect, test } from "vitest";
import type { StackChange } from "../../../events/stack-change.ts";
import { changeStack } from "../../../lib/flows/change-stack.ts";
import { type EndFleetDeps, endFleet } from "../../../lib/flows/end-fleet.ts";
import { MemoryFleet } from "../../../lib/sim/memory/fleet.ts";
import { MemoryTaggedInstances } from "../../../lib/sim/memory/orphans.ts";
import { aLaunch, monday } from "../../fakes/builders.ts";
import { expectLine } from "../../fakes/log-lines.ts";

const minute = 60_000;
const untilMs = monday + 14 * minute;

async function withInstances(count: number, over: Partial<EndFleetDeps> = {}) {
  let nowMs = monday;
  const fleet = new MemoryFleet();
  const instances = new MemoryTaggedInstances(fleet, () => monday);
  const launch = (n: number) => fleet.launch(aLaunch({ id: `l${n}`, clientToken: `l${n}` }));
  for (let n = 0; n < count; n += 1) await launch(n);
  const during: { atMs: number; run: () => unknown }[] = [];
  const deps: EndFleetDeps = {
    instances,
    fleet,
    now: () => nowMs,
    log: expectLine,
    pause: async (ms) => {
      nowMs += ms;
      for (const one of during.splice(0))
        if (one.atMs <= nowMs) await one.run();
        else during.push(one);
    },
    ...over,
  };
  return {
    fleet,
    instances,
    launch,
    deps,
    tookMs: () => nowMs - monday,
    at: (ms: number, run: () => unknown) => during.push({ atMs: monday + ms, run }),
  };
}

describe("the end of a fleet", () => {
  test("the end of a fleet ends all its instances, and is reported when none was seen for 90 seconds", async () => {
    const { fleet, deps, tookMs } = await withInstances(250);
    expect(await endFleet(deps, { untilMs })).toEqual({ kind: "gone" });
    expect(fleet.live).toEqual([]);
    expect(fleet.endsRequested.map((ids) => ids.length)).toEqual([100, 100, 50]);
    expect(tookMs()).toBe(95_000);
  });

  test("the end of a fleet waits for a launch that was not visible yet", async () => {
    const { fleet, deps, launch, at, tookMs } = await withInstances(1);
    at(60_000, () => launch(7));
    expect(await endFleet(deps, { untilMs })).toEqual({ kind: "gone" });
    expect(fleet.live).toEqual([]);
    expect(tookMs()).toBeGreaterThan(150_000);
  });

  test("the end of a fleet is not reported while EC2 does not list the instances", async () => {
    const { instances, deps, at } = await withInstances(0);
    instances.deaf = true;
    at(5 * minute, () => {
      instances.deaf = false;
    });
    expect(await endFleet(deps, { untilMs })).toEqual({ kind: "gone" });
    instances.deaf = true;
    expect(await endFleet(deps, { untilMs })).toMatchObject({ kind: "left" });
  });

  test("the end of a fleet ends the other instances if EC2 refuses to end one", async () => {
    const world = await withInstances(3);
    const [stubborn = ""] = world.fleet.live.map(({ id }) => id);
    const terminate: EndFleetDeps["fleet"]["terminate"] = async (ids) => {
      if (ids.length > 1 && ids.includes(stubborn)) return new Map(ids.map((id) => [id, "apart"]));
      return ids.includes(stubborn) ? new Map([[stubborn, "unknown"]]) : world.fleet.terminate(ids);
    };
    expect(await endFleet({ ...world.deps, fleet: { terminate } }, { untilMs })).toEqual({ kind: "left", instances: [stubborn] });
    expect(world.fleet.live.map(({ id }) => id)).toEqual([stubborn]);
    expect(world.tookMs()).toBeLessThanOrEqual(14 * minute);
  });
});

test("the end of a fleet does not ask again for the end of an instance that is ending", async () => {
  const { deps, fleet } = await withInstances(0);
  const ending = { list: async () => [{ id: "i-1", launchedAtMs: monday, ending: true }] };
  expect(await endFleet({ ...deps, instances: ending }, { untilMs: monday + minute })).toEqual({ kind: "left", instances: ["i-1"] });
  expect(fleet.endsRequested).toEqual([]);
});

test("the end of a fleet looks a last time at the moment when its time is up", async () => {
  const { deps, tookMs } = await withInstances(0);
  expect(await endFleet(deps, { untilMs: monday + 90_000 })).toEqual({ kind: "gone" });
  expect(tookMs()).toBe(90_000);
  const again = await withInstances(0);
  expect(await endFleet(again.deps, { untilMs: monday + 89_999 })).toEqual({ kind: "left", instances: [] });
  expect(again.tookMs()).toBe(85_000);
});

describe("the stack's instances", () => {
  const change = (RequestType: StackChange["RequestType"]): StackChange => ({
    RequestType,
    RequestId: "1",
    ResponseURL: "https://localhost/answer",
    StackId: "stack",
    LogicalResourceId: "Instances",
    ResourceProperties: { Name: "fleetwright" },
  });

  test.each(["Create", "Update"] as const)("the event %s of the stack leaves instances alone", async (kind) => {
    const { fleet, deps } = await withInstances(1);
    expect(await changeStack(deps, change(kind), { untilMs })).toEqual({ status: "SUCCESS", physicalId: "instances-of-fleetwright" });
    expect(fleet.live).toHaveLength(1);
  });

  test("the deletion of the stack ends its instances", async () => {
    const { fleet, deps } = await withInstances(1);
    expect(await changeStack(deps, change("Delete"), { untilMs })).toMatchObject({ status: "SUCCESS" });
    expect(fleet.live).toEqual([]);
  });

  test("instances that do not end are named with what to do", async () => {
    const { deps, fleet } = await withInstances(1);
    const terminate: EndFleetDeps["fleet"]["terminate"] = async (ids) => new Map(ids.map((id) => [id, "denied"]));
    const { status, reason } = await changeStack({ ...deps, fleet: { terminate } }, change("Delete"), { untilMs });
    expect(status).toBe("FAILED");
    expect(reason).toContain(`have not ended: ${fleet.live[0]?.id}`);
    expect(reason).toContain("--retain-resources Instances");
    expect(reason).not.toContain("more");
  });

  test.each([
    [40, 40, ". Delete the stack again"],
    [41, 40, " and 1 more. Delete the stack again"],
  ])("of %i instances that do not end, %i are named", async (count, named, rest) => {
    const { deps, fleet } = await withInstances(count);
    const terminate: EndFleetDeps["fleet"]["terminate"] = async (ids) => new Map(ids.map((id) => [id, "denied"]));
    const { reason } = await changeStack({ ...deps, fleet: { terminate } }, change("Delete"), { untilMs });
    const ids = fleet.live.slice(0, named).map(({ id }) => id);
    expect(reason).toContain(`instances of fleetwright have not ended: ${ids.join(", ")}${rest}`);
  });

  test.each([
    ["EC2 did not list any, and the time is up", false],
    ["EC2 could not be asked", true],
  ])("no instance is named if %s", async (_why, deaf) => {
    const { deps, instances } = await withInstances(0);
    instances.deaf = deaf;
    const { status, reason } = await changeStack(deps, change("Delete"), { untilMs: monday + 30_000 });
    expect(status).toBe("FAILED");
    expect(reason).toMatch(/^EC2 did not say which instances of fleetwright live\. Delete the stack again/);
  });
});
