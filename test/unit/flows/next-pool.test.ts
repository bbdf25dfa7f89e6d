import { describe, expect, test } from "vitest";
import { changeOverrides } from "../../../lib/flows/change-overrides.ts";
import { place } from "../../../lib/flows/place.ts";
import { tick } from "../../../lib/flows/tick.ts";
import { aCatalogue, anOffer, aPool, aType } from "../../fakes/builders.ts";
import { type CrashPoint, doomed } from "./crash.ts";
import { cancel } from "./news.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld, type World } from "./world.ts";

const l4 = aType({ name: "g6.xlarge", gpu: { model: "L4", memoryGiB: 24 } });
const ofL4 = anOffer({ instanceType: "g6.xlarge", usdPerHour: 0.6 });
const catalogueOfB = aCatalogue({ types: [l4], offers: [ofL4] });
const moved = /^moved from pool gpu: EC2 has no capacity for any instance type that fits \(InsufficientInstanceCapacity\)/;

/** EC2 has nothing for pool gpu, whose jobs may move to pool b. */
function dryWorld(fallbackSeconds = 300): World {
  const world = aWorld({ pool: aPool({ fallback: "b", fallbackSeconds }), others: [aPool({ name: "b", families: ["g6"] })] });
  world.ledger.table.catalogues.set("b", catalogueOfB);
  world.fleet.refuse(anOffer());
  return world;
}

/** Pool gpu has been refused for long enough, and decides next. */
async function due(): Promise<World> {
  const world = dryWorld();
  for (const job of ["a", "gang"]) await world.submit(job, job === "gang" ? { nodes: 2 } : {});
  for (let n = 0; n < 59; n += 1) await world.pass(5);
  expect(world.job("a")).toMatchObject({ state: "queued", pool: "gpu" });
  world.nowMs += 10_000;
  await world.ringLater();
  return world;
}

const tickOf = (world: World): Promise<unknown> => tick({ ...world.deps, teams: ["vision"] });

describe("a job that EC2 has no capacity for", () => {
  test("a job that EC2 has no capacity for waits for as long as configured, moves with the reason, and runs in the next pool", async () => {
    const world = dryWorld();
    const submittedMs = world.nowMs;
    await world.submit("a");
    await world.workOff();
    expect(world.job("a")).toMatchObject({
      pool: "gpu",
      reason: expect.stringMatching(/when that has lasted for 300 s the job moves to pool b$/),
    });
    while (world.job("a")?.pool === "gpu" && world.nowMs < submittedMs + 600_000) await world.pass(5);
    expect((world.nowMs - submittedMs) / 1000).toBeGreaterThanOrEqual(300);
    expect((world.nowMs - submittedMs) / 1000).toBeLessThanOrEqual(310);
    expect(world.job("a")).toMatchObject({ state: "placed", pool: "b", attempt: 1 });
    expect(world.node).toMatchObject({ pool: "b", offer: ofL4 });
    const causes = world.journal.decisions.filter(({ pool }) => pool === "b").flatMap((decision) => decision.causes);
    expect(causes).toContain("move");
    const steps = world.journal.decisions.flatMap(({ plan }) => plan.steps).filter(({ kind }) => kind === "move");
    expect(steps).toEqual([expect.objectContaining({ to: "b", because: expect.stringMatching(moved) })]);
    expectOneTruth(world);
    await world.call(world.node.id, { attempts: [{ team: "vision", job: "a", attempt: 1, phase: "running", startedAtMs: world.nowMs }] });
    expect(world.job("a")).toMatchObject({ state: "running", pool: "b" });
  });

  test("a job stays while the next pool is paused, says so, and moves after it is resumed", async () => {
    const world = dryWorld();
    const change = (kind: "pause" | "resume") => changeOverrides(world.deps, "b", { order: { kind }, by: "Admin/ada" });
    await change("pause");
    await world.submit("a");
    await world.workOff();
    for (let n = 0; n < 70; n += 1) await world.pass(5);
    expect(world.job("a")).toMatchObject({ pool: "gpu", reason: expect.stringMatching(/the job stays here: pool b is paused$/) });
    await change("resume");
    await world.ringLater();
    await world.workOff();
    expect(world.job("a")?.pool).toBe("b");
  });

  test("a job moves at once if the shortage began before it arrived, and a pool without work reads no other pool's prices", async () => {
    const world = await due();
    await world.workOff();
    await world.submit("late");
    await world.workOff();
    expect(world.job("late")).toMatchObject({ pool: "b", state: "placed" });
    const reads = world.ledger.wire.calls["catalogues.get"];
    await world.ringLater();
    await world.workOff();
    expect(world.ledger.wire.calls["catalogues.get"]).toBe(reads);
  });

  test("a job that does not fit the next pool stays with the reason, and runs when EC2 has capacity again", async () => {
    const world = dryWorld(0);
    await world.submit("a", { gpus: { count: 1, models: ["A10G"] } });
    await world.workOff();
    expect(world.job("a")).toMatchObject({
      pool: "gpu",
      reason: expect.stringMatching(/the job stays here: no instance type of pool b has GPUs of model A10G/),
    });
    world.fleet.restock(anOffer());
    for (let n = 0; n < 100 && world.job("a")?.state === "queued"; n += 1) await world.pass(5);
    expect(world.job("a")).toMatchObject({ pool: "gpu", state: "placed" });
    expectOneTruth(world);
  });

  test("a job that is cancelled just before or after its move ends and is in no queue", async () => {
    const world = await due();
    world.ledger.wire.before("placements.move", () => cancel(world, "a"));
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "cancelled", pool: "gpu" });
    expectOneTruth(world);

    const other = await due();
    other.ledger.wire.before("placements.move", () => other.ledger.decisions.begin("gpu"), 2);
    await other.place();
    const gone = ["a", "gang"].find((job) => other.job(job)?.pool === "b") ?? "";
    expect(other.job(gone)).toMatchObject({ state: "queued", reason: expect.stringMatching(moved) });
    expect(await cancel(other, gone)).toEqual({ kind: "cancelled", pool: "b" });
    for (let n = 0; n < 3; n += 1) await other.pass(5);
    expectOneTruth(other);
  });
});

describe("a crash while jobs move", () => {
  const run = async (world: World, at: CrashPoint | undefined): Promise<readonly string[]> => {
    const process = doomed(world.placeDeps, at);
    await Promise.race([place(process.deps, { pool: world.pool, msLeft: () => 20_000 }), process.crashed]);
    return process.calls;
  };
  /** The lane's message is delivered again, and a minute later the tick runs. */
  const recover = async (world: World): Promise<void> => {
    await world.place();
    await tickOf(world);
    for (let n = 0; n < 3; n += 1) await world.pass(5);
  };
  const outcomeOf = (world: World) => [...world.ledger.table.jobs.values()].map(({ job, pool, state }) => `${job} ${pool} ${state}`).sort();

  test("a crash while jobs move leaves no job behind, at whatever call it happens", async () => {
    const whole = await due();
    const calls = await run(whole, undefined);
    expect(calls).toEqual(expect.arrayContaining(["catalogues.get", "placements.move", "lane.send"]));
    await recover(whole);
    expectOneTruth(whole);
    expect(outcomeOf(whole)).toEqual(["a b placed", "gang b placed"]);
    for (let call = 1; call <= calls.length; call += 1)
      for (const when of ["before", "after"] as const) {
        const world = await due();
        await run(world, { call, when });
        await recover(world);
        expectOneTruth(world);
        expect(outcomeOf(world), `crashed ${when} call ${call}, ${calls[call - 1]}`).toEqual(outcomeOf(whole));
        expect(world.fleet.live, `crashed ${when} call ${call}, ${calls[call - 1]}`).toHaveLength(3);
      }
  });

  test("a lost lane message or response delays a moved job by at most a minute", async () => {
    for (const trouble of ["message", "response"]) {
      const world = await due();
      if (trouble === "message") world.lane.interruptions.failBefore("send");
      else world.ledger.wire.loseResponseOf("placements.move");
      await world.place();
      await recover(world);
      expect(outcomeOf(world), trouble).toEqual(["a b placed", "gang b placed"]);
    }
  });
});
