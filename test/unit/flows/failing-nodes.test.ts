import { describe, expect, test } from "vitest";
import { aCatalogue, anOffer, aPool } from "../../fakes/builders.ts";
import { aWorld, type World } from "./world.ts";

const bootSeconds = 120;
const running = (attempt: number, atMs: number) => ({ team: "vision", job: "a", attempt, phase: "running" as const, startedAtMs: atMs });

describe("an image that does not boot", () => {
  test("an image that does not boot is tried three times in a zone, then elsewhere, then once after each rest, and its job waits with the reason until it boots", async () => {
    const world = aWorld({ pool: aPool({ bootSeconds, limits: { usdPerHour: 1, gpus: 1 } }) });
    await world.submit("a");
    await world.workOff();
    const failOnce = async () => {
      world.nowMs += bootSeconds * 1000 + 1;
      await world.ringLater();
      await world.workOff();
      for (const { id } of world.nodes) await world.ledger.nodeLedger.gone(id, world.nowMs);
      await world.ringLater();
      await world.workOff();
    };
    for (let n = 0; n < 4; n += 1) await failOnce();
    expect(world.fleet.instances.size).toBe(3);
    expect(world.job("a")).toMatchObject({
      state: "queued",
      reason: expect.stringContaining("g5.xlarge in us-east-1a (3 times) did not boot"),
    });
    expect(world.log.filter(({ message }) => message === "instance never became a worker")).toHaveLength(3);

    world.nowMs += 15 * 60_000;
    await world.ringLater();
    await world.workOff();
    expect(world.fleet.instances.size).toBe(4);
    await failOnce();
    expect(world.fleet.instances.size).toBe(4);

    world.nowMs += 15 * 60_000;
    await world.ringLater();
    await world.workOff();
    expect(world.fleet.instances.size).toBe(5);
    await world.call(world.node.id);
    await world.workOff();
    expect(world.job("a")?.state).toBe("placed");
    expect(world.ledger.table.bootFailures.get("gpu")?.size).toBe(0);
  });

  test("an instance that EC2 or the fleet itself ended does not count as a boot failure", async () => {
    const world = aWorld({ pool: aPool({ bootSeconds, budgets: { usdPerDay: 1 } }) });
    await world.submit("a");
    await world.workOff();
    const { id } = world.node;
    await world.ledger.nodeLedger.noticed(id, { kind: "interruption", atMs: world.nowMs }, world.nowMs);
    await world.ledger.nodeLedger.gone(id, world.nowMs);
    await world.ringLater();
    await world.workOff();
    expect(world.ledger.table.bootFailures.get("gpu")).toBeUndefined();
  });
});

describe("a job that takes its node down with it", () => {
  /** Starts the job and then loses its node. */
  async function lose(world: World, attempt: number, how: "of itself" | "interrupted"): Promise<void> {
    const { id } = world.node;
    await world.call(id);
    await world.call(id, { attempts: [running(attempt, world.nowMs)] });
    if (how === "interrupted") await world.ledger.nodeLedger.noticed(id, { kind: "interruption", atMs: world.nowMs }, world.nowMs);
    world.fleet.end(id);
    await world.ledger.nodeLedger.gone(id, world.nowMs);
    await world.ringLater();
    await world.workOff();
  }
  const started = async () => {
    const world = aWorld({ catalogue: aCatalogue({ offers: [anOffer()] }) });
    await world.submit("a");
    await world.workOff();
    return world;
  };

  test("a job that takes its node down fails with its third node, with the reason", async () => {
    const world = await started();
    await lose(world, 1, "of itself");
    await lose(world, 2, "of itself");
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 3, losses: 2, failures: 0 });
    const { id } = world.node;
    await lose(world, 3, "of itself");
    expect(world.job("a")).toMatchObject({
      state: "failed",
      attempt: 3,
      losses: 3,
      reason: `3 nodes were lost while it ran on them; the last: lost ${id}: EC2 says that the instance has ended`,
    });
    expect(world.ledger.table.queue.size).toBe(0);
    expect(world.nodes).toEqual([]);
  });

  test("a job that cannot be taken back from a lost node does not keep the others there, and is tried again after a pause", async () => {
    const world = aWorld({ catalogue: aCatalogue({ offers: [anOffer()] }) });
    for (const job of ["a", "b"]) await world.submit(job, { gpus: 0, vcpus: 1, memoryGiB: 1 });
    await world.workOff();
    const { id, assignments } = world.node;
    expect(assignments.map(({ job }) => job)).toEqual(["a", "b"]);
    await world.call(id);
    await world.workOff();
    world.fleet.end(id);
    await world.ledger.nodeLedger.gone(id, world.nowMs);
    const { wire } = world.ledger;
    const decisions = wire.calls["decisions.begin"] ?? 0;
    wire.failBefore("placements.takeBack");
    await world.ringLater();
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 1 });
    expect(world.job("b")).toMatchObject({ state: "queued", attempt: 2 });
    expect((wire.calls["decisions.begin"] ?? 0) - decisions).toBe(1);
    expect(world.lane.later.map(({ delaySeconds }) => delaySeconds)).toContain(2);
    world.nowMs += 2_000;
    await world.ringLater();
    await world.workOff();
    expect(["a", "b"].map((job) => world.job(job))).toMatchObject([{ attempt: 2 }, { attempt: 2 }]);
  });

  test("a job is not blamed for interruptions by EC2, however many", async () => {
    const world = await started();
    for (let attempt = 1; attempt <= 6; attempt += 1) await lose(world, attempt, "interrupted");
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 7 });
    expect(world.job("a")?.losses).toBeUndefined();
  });

  test("a job is not blamed for lost nodes on which it never ran", async () => {
    const world = await started();
    for (let n = 1; n <= 4; n += 1) {
      const { id } = world.node;
      await world.call(id);
      await world.ledger.nodeLedger.gone(id, world.nowMs);
      await world.ringLater();
      await world.workOff();
    }
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 5 });
  });
});
