import { describe, expect, test } from "vitest";
import type { AttemptReport } from "../../../events/node-call.ts";
import { aCatalogue, aPool } from "../../fakes/builders.ts";
import { aWorld, type World } from "./world.ts";

const attempt = { team: "vision", job: "a", attempt: 1 } as const;
const running = (world: World, of: object = {}): AttemptReport => ({ ...attempt, phase: "running", startedAtMs: world.nowMs, ...of });
const seconds = (world: World, what: string): number[] =>
  world.measured.flatMap((each) => (each.what === what && "seconds" in each ? each.seconds : []));
const lost = (world: World) => world.measured.filter(({ what }) => what === "lost-work");

/** A world in which `a` was submitted, and decided on so many seconds later. */
async function decided(afterSeconds: number, pool = aPool()): Promise<World> {
  const world = aWorld({ pool });
  await world.submit("a");
  world.nowMs += afterSeconds * 1000;
  await world.workOff();
  return world;
}

/** A world in which the program of `a` runs. */
async function started(): Promise<World> {
  const world = await decided(0);
  await world.call(world.node.id);
  await world.call(world.node.id, { attempts: [running(world)] });
  return world;
}

const gone = async (world: World, node: string): Promise<void> => {
  await world.ledger.nodeLedger.gone(node, world.nowMs);
  await world.ringLater();
  await world.workOff();
};

describe("the time from a message to its launch", () => {
  test("it is measured when EC2 has launched a node for the job", async () => {
    const world = await decided(7);
    expect(world.measured).toEqual([{ what: "launch", pool: "gpu", launch: world.node.launch, seconds: 7 }]);
  });

  test("one value per launch is measured: that of the job which has waited longest", async () => {
    const world = aWorld({ pool: aPool({ shared: true }) });
    await world.submit("a");
    world.nowMs += 3_000;
    await world.submit("b");
    world.nowMs += 2_000;
    await world.workOff();
    const launches = new Set(world.nodes.map(({ launch }) => launch));
    expect(seconds(world, "launch")).toHaveLength(launches.size);
    expect(Math.max(...seconds(world, "launch"))).toBe(5);
  });

  test("a job that had to wait for a limit is not measured, because the limit is what the admin wanted", async () => {
    const world = await decided(0, aPool({ limits: { usdPerHour: 10, gpus: 1 } }));
    await world.submit("b");
    await world.workOff();
    expect(world.job("b")?.reason).toMatch(/reserved/);
    world.nowMs += 600_000;
    await gone(world, world.node.id);
    await world.pass(1);
    expect(seconds(world, "launch")).toEqual([0]);
  });

  test("a launch whose response was lost is measured once, when its repetition is told what it launched", async () => {
    const world = aWorld();
    await world.submit("a");
    world.fleet.unknownNext("launched");
    world.nowMs += 3_000;
    await world.workOff();
    expect(world.log.map(({ message }) => message)).toContain("launch repeated");
    expect(seconds(world, "launch")).toEqual([3]);
  });

  test("a job for which EC2 has no capacity is not measured when some is back", async () => {
    const world = aWorld();
    await world.submit("a");
    const { offers } = aCatalogue();
    for (const offer of offers) world.fleet.refuse(offer);
    await world.workOff();
    expect(world.job("a")?.reason).toMatch(/no capacity/);
    for (const offer of offers) world.fleet.restock(offer);
    await world.pass(3_600);
    expect(world.nodes).toHaveLength(1);
    expect(world.measured).toEqual([]);
  });
});

describe("the time until a program runs", () => {
  test("it counts from the message for a job that could start at once, and ends when the worker says that the program started", async () => {
    const world = await decided(5);
    await world.call(world.node.id);
    world.nowMs += 60_000;
    const report = running(world);
    world.nowMs += 2_000;
    await world.call(world.node.id, { attempts: [report] });
    expect(seconds(world, "start")).toEqual([65]);
  });

  test("it is measured once, however often the worker reports the run", async () => {
    const world = await started();
    for (let n = 0; n < 3; n++) await world.call(world.node.id, { attempts: [running(world)] });
    expect(seconds(world, "start")).toHaveLength(1);
  });

  test("a program that has ended before its first report is measured, too", async () => {
    const world = await decided(0);
    await world.call(world.node.id);
    const startedAtMs = world.nowMs + 30_000;
    world.nowMs += 32_000;
    await world.call(world.node.id, { attempts: [{ ...attempt, phase: "exited", exitCode: 0, startedAtMs, uploads: true }] });
    expect(seconds(world, "start")).toEqual([30]);
  });

  test("for a job that had to wait it counts from its place on a node", async () => {
    const world = await decided(0, aPool({ limits: { usdPerHour: 10, gpus: 1 } }));
    await world.submit("b");
    await world.workOff();
    world.nowMs += 600_000;
    const first = world.node.id;
    await world.call(first);
    await world.call(first, { attempts: [{ ...attempt, phase: "exited", exitCode: 1, startedAtMs: world.nowMs, uploads: false }] });
    await world.workOff();
    expect(world.node.assignments).toMatchObject([{ job: "b", waitsSinceMs: world.nowMs }]);
    await world.call(first);
    world.nowMs += 20_000;
    await world.call(first, { attempts: [running(world, { job: "b" })] });
    expect(seconds(world, "start").at(-1)).toBe(20);
  });
});

describe("lost work", () => {
  test("a run that was on an instance which ended is counted once", async () => {
    const world = await started();
    await gone(world, world.node.id);
    await world.pass(1);
    expect(lost(world)).toEqual([{ what: "lost-work", pool: "gpu", attempt, because: expect.stringContaining("lost i-") }]);
  });

  test("a run that EC2's interruption or an admin's drain ended is not counted", async () => {
    const interrupted = await started();
    await interrupted.call(interrupted.node.id, {
      attempts: [running(interrupted)],
      notice: { kind: "interruption", atMs: interrupted.nowMs + 120_000 },
    });
    await gone(interrupted, interrupted.node.id);
    expect(interrupted.job("a")).toMatchObject({ attempt: 2 });
    expect(lost(interrupted)).toEqual([]);
  });

  test("an attempt that had not begun on an instance which ended is not counted, because no work was lost", async () => {
    const world = await decided(0);
    await world.call(world.node.id);
    await gone(world, world.node.id);
    expect(world.job("a")).toMatchObject({ attempt: 2 });
    expect(lost(world)).toEqual([]);
  });

  test("a run that its worker lost when it was restarted is counted", async () => {
    const world = await started();
    await world.call(world.node.id, { process: "p2" });
    expect(world.job("a")).toMatchObject({ attempt: 2 });
    expect(lost(world)).toMatchObject([{ attempt, because: "the worker was restarted and lost the run" }]);
  });

  test("a run that trouble of its node ended is counted, and a program that failed by itself is not", async () => {
    const troubled = await started();
    await troubled.call(troubled.node.id, { attempts: [{ ...attempt, phase: "failed", reason: "the disk is full", again: true }] });
    expect(lost(troubled)).toMatchObject([{ attempt, because: expect.stringContaining("the disk is full") }]);
    const failed = await started();
    await failed.call(failed.node.id, {
      attempts: [{ ...attempt, phase: "exited", exitCode: 1, startedAtMs: failed.nowMs, uploads: false }],
    });
    expect(lost(failed)).toEqual([]);
  });
});
