import { describe, expect, test } from "vitest";
import { aCatalogue, anOffer, aPool } from "../../fakes/builders.ts";
import { aWorld, type World } from "./world.ts";

const decisionsOf = (world: World): number => world.ledger.wire.calls["decisions.begin"] ?? 0;

/** Passes this many seconds, one at a time, and returns how many decisions were made. Nothing but the pool's own messages wakes it. */
async function decisionsIn(world: World, seconds: number): Promise<number> {
  const before = decisionsOf(world);
  for (let second = 1; second <= seconds; second += 1) {
    await world.pass(1);
    if (second % 60 === 0) for (const { id } of world.nodes) await world.call(id);
  }
  return decisionsOf(world) - before;
}

const backOffsOf = (world: World) => world.ledger.table.backOffs.get("gpu");

/** A pool with an idle node whose end is due now. */
async function withIdleNode(): Promise<World> {
  const world = aWorld({ pool: aPool({ idleSeconds: 60 }) });
  await world.submit("a");
  await world.workOff();
  const { id } = world.node;
  await world.call(id);
  await world.call(id, { attempts: [{ team: "vision", job: "a", attempt: 1, phase: "failed", reason: "no", again: false }] });
  await world.workOff();
  return world;
}

describe("a step that can never succeed", () => {
  test("an instance that somebody has protected is asked for at most three times in the first minute and twelve times in the next hour, and EC2's words are on record", async () => {
    const world = await withIdleNode();
    const { id } = world.node;
    world.fleet.protected.add(id);
    await world.wait(61);
    await world.ringLater();
    const first = decisionsOf(world);
    await world.workOff();
    const minute = decisionsOf(world) - first + (await decisionsIn(world, 59));
    const hour = await decisionsIn(world, 3_600);
    expect(minute).toBeGreaterThan(1);
    expect(minute).toBeLessThanOrEqual(3);
    expect(hour).toBeGreaterThan(5);
    expect(hour).toBeLessThanOrEqual(12);
    expect(world.fleet.endsRequested.length).toBeLessThanOrEqual(15);
    expect(backOffsOf(world)).toMatchObject([
      { subject: `retire ${id}`, note: "EC2 refuses to end it: OperationNotPermitted: the instance may not be terminated" },
    ]);

    world.fleet.protected.delete(id);
    await decisionsIn(world, 480);
    expect(world.fleet.live).toEqual([]);
    expect(backOffsOf(world)).toEqual([]);
  });

  test("a queue entry whose job is missing causes as few decisions, and jobs beside it start at once", async () => {
    const world = aWorld({ catalogue: aCatalogue({ offers: [anOffer()] }) });
    await world.submit("orphan");
    world.ledger.table.jobs.delete("vision/orphan");
    const first = decisionsOf(world);
    await world.workOff();
    const { id } = world.node;
    await world.call(id);
    const minute = decisionsOf(world) - first + (await decisionsIn(world, 59));
    const hour = await decisionsIn(world, 3_600);
    // One decision launches the node, and each call of the worker that changes something rings the bell.
    expect(minute).toBeLessThanOrEqual(5);
    expect(hour).toBeLessThanOrEqual(14);
    await world.submit("b", { gpus: 0, vcpus: 1, memoryGiB: 1 });
    await world.workOff();
    expect(world.job("b")).toMatchObject({ state: "placed" });
  });

  test("a job that could not be started twice says why it waits", async () => {
    const world = aWorld({ catalogue: aCatalogue({ offers: [anOffer()] }) });
    for (const n of [1, 2]) world.ledger.wire.failBefore("placements.bind", n);
    await world.submit("a");
    await world.workOff();
    await decisionsIn(world, 2);
    expect(world.job("a")?.state).toBe("queued");
    await world.ringLater();
    await world.workOff();
    expect(world.job("a")?.reason).toBe(
      "it could not be started: placements.bind was not carried out; this is tried again and again, with growing pauses",
    );
    await decisionsIn(world, 30);
    expect(world.job("a")?.state).toBe("placed");
  });

  /** Two nodes with work, of which the first has ended, and whose job cannot be taken back, because its record cannot be read. */
  async function withStuckNode(): Promise<{ world: World; stuck: string; other: string }> {
    const world = aWorld({ catalogue: aCatalogue({ offers: [anOffer()] }) });
    for (const job of ["a", "b"]) {
      await world.submit(job);
      await world.workOff();
      const id = world.nodes.at(-1)?.id ?? "";
      await world.call(id);
      await world.call(id, { attempts: [{ team: "vision", job, attempt: 1, phase: "running", startedAtMs: world.nowMs }] });
      await world.workOff();
    }
    const [stuck = "", other = ""] = world.nodes.map(({ id }) => id);
    const { placements } = world.ports;
    const takeBack = placements.takeBack.bind(placements);
    placements.takeBack = async (fence, back) => {
      if (back.assignment.job === "a") throw new Error("its record cannot be read");
      return takeBack(fence, back);
    };
    world.fleet.end(stuck);
    await world.ledger.nodeLedger.gone(stuck, world.nowMs);
    await world.ringLater();
    await world.workOff();
    return { world, stuck, other };
  }

  test("a step that rests does not make the pool decide at once, whatever else is looked up at EC2", async () => {
    const { world, other } = await withStuckNode();
    world.ledger.table.changeNode("gpu", other, { state: "terminating", stateSinceMs: world.nowMs, assignments: [] });
    world.fleet.ending.add(other);
    world.nowMs += 121_000;
    const before = decisionsOf(world);
    for (let second = 0; second < 600; second += 1) {
      world.nowMs += 1_000;
      for (const pool of world.lane.due(1)) await world.ringLater(pool);
      if (second % 60 === 5) await world.ringLater();
      await world.workOff();
    }
    // The tick rings once a minute, and silent nodes are looked up once a minute.
    expect(decisionsOf(world) - before).toBeLessThanOrEqual(35);
  });

  test("a step that rests does not keep silent nodes from being looked up at the right time", async () => {
    const { world, other } = await withStuckNode();
    world.fleet.end(other);
    for (let second = 0; second < 600; second += 1) {
      world.nowMs += 1_000;
      for (const pool of world.lane.due(1)) await world.ringLater(pool);
      if (second % 60 === 25) await world.ringLater();
      await world.workOff();
    }
    expect(world.job("b")).toMatchObject({ attempt: 2 });
  });
});
