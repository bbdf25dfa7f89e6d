import { describe, expect, test } from "vitest";
import { ModelWorker } from "./model-worker.ts";
import { interruption, onInstance, rebalance, stateChange } from "./news.ts";
import { aWorld, type World } from "./world.ts";

const stranger = "i-0fedcba9876543210";

async function launched(): Promise<World> {
  const world = aWorld();
  await world.submit("a");
  await world.workOff();
  return world;
}

/** A world in which job a runs, with the worker that runs it. */
async function working(): Promise<{ world: World; id: string; worker: ModelWorker }> {
  const world = await launched();
  const { id } = world.node;
  const worker = new ModelWorker(world, id);
  await worker.call();
  worker.begin();
  await worker.call();
  await world.workOff();
  expect(world.job("a")).toMatchObject({ state: "running", node: id });
  return { world, id, worker };
}

describe("the end of an instance", () => {
  test.each(["terminated", "stopped"] as const)("the end of an instance that is %s wakes its pool", async (state) => {
    const world = await launched();
    const { id } = world.node;
    expect(await onInstance(world, stateChange(id, state))).toBe("noted");
    expect(world.node.state).toBe("gone");
    expect(world.lane.waiting).toEqual(["gpu"]);
    await world.workOff();
    expect(world.job("a")).toMatchObject({ attempt: 2, state: "placed" });
    expect(world.journal.decisions.at(-3)?.causes).toEqual([`ended ${id}`]);
  });

  test.each(["pending", "running", "stopping", "shutting-down"] as const)(
    "the state %s does not prove an end, because jobs may still run",
    async (state) => {
      const world = await launched();
      expect(await onInstance(world, stateChange(world.node.id, state))).toBe("no-news");
      expect(world.node.state).toBe("launching");
      expect(world.lane.waiting).toEqual([]);
    },
  );

  test("an end that is reported twice returns a job to the queue once", async () => {
    const world = await launched();
    const { id } = world.node;
    await onInstance(world, stateChange(id, "terminated"));
    await world.workOff();
    await onInstance(world, stateChange(id, "terminated"));
    await world.workOff();
    expect(world.job("a")).toMatchObject({ attempt: 2 });
  });
});

test.each([stateChange(stranger, "terminated"), interruption(stranger), rebalance(stranger)])(
  "an event about another owner's instance is ignored: $detail-type",
  async (event) => {
    const world = await launched();
    expect(await onInstance(world, event)).toBe("not-ours");
    expect(world.node.state).toBe("launching");
    expect(world.lane.waiting).toEqual([]);
  },
);

describe("an interruption", () => {
  test("an interruption stops the job, which runs again elsewhere without a failure, and the node is given back", async () => {
    const { world, id, worker } = await working();
    expect(await onInstance(world, interruption(id))).toBe("noted");
    expect(world.node).toMatchObject({ state: "draining", notice: { kind: "interruption", atMs: Date.parse("2026-06-01T00:05:00Z") } });
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 1 });
    await worker.call();
    expect(worker.phaseOf("a")).toBe("stopped");
    await worker.call();
    expect(world.job("a")).toMatchObject({ state: "queued", attempt: 2, failures: 0 });
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 2 });
    expect(world.job("a")?.node).not.toBe(id);
    expect(world.fleet.instances.get(id)?.over).toBe(true);
    expect(world.fleet.live).toHaveLength(1);
  });

  test("an interruption leaves an upload its two minutes", async () => {
    const { world, id, worker } = await working();
    worker.end(0);
    await worker.call();
    await onInstance(world, interruption(id));
    await worker.call();
    expect(worker.phaseOf("a")).toBe("uploading");
    worker.end(0);
    await worker.call();
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "sealing", attempt: 1 });
    expect(world.fleet.live).toEqual([]);
  });

  test("an interruption of a node that never called returns its jobs to the queue at once", async () => {
    const world = await launched();
    const { id } = world.node;
    await onInstance(world, interruption(id));
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 2 });
    expect(world.job("a")?.node).not.toBe(id);
  });

  test("a lost stop order of an interruption is repeated, and an attempt that is being prepared stops too", async () => {
    const world = await launched();
    const { id } = world.node;
    const worker = new ModelWorker(world, id);
    await worker.call();
    expect(worker.phaseOf("a")).toBe("preparing");
    await onInstance(world, interruption(id));
    await world.workOff();
    expect(world.job("a"), "it may run there: nobody else gets it").toMatchObject({ state: "placed", attempt: 1, node: id });
    await world.call(id);
    await worker.call();
    expect(worker.phaseOf("a")).toBe("stopped");
    await worker.call();
    expect(world.job("a")).toMatchObject({ attempt: 2, failures: 0 });
  });

  test("an interruption that arrives twice or after the end changes nothing more", async () => {
    const { world, id } = await working();
    await onInstance(world, interruption(id));
    await onInstance(world, interruption(id));
    await onInstance(world, stateChange(id, "terminated"));
    await world.workOff();
    expect(world.job("a")).toMatchObject({ attempt: 2 });
    const before = [...world.ledger.table.nodes.values()];
    expect(await onInstance(world, interruption(id))).toBe("noted");
    await world.workOff();
    expect([...world.ledger.table.nodes.values()]).toEqual(before);
    expect(world.job("a")).toMatchObject({ attempt: 2 });
  });

  test("an interruption is recorded as the decision's cause", async () => {
    const { world, id, worker } = await working();
    await onInstance(world, interruption(id));
    await worker.call();
    await worker.call();
    await world.workOff();
    expect(world.journal.decisions.flatMap(({ causes }) => causes)).toContain(`interruption ${id}`);
    expect(world.log.find(({ message, causes }) => message === "decided" && Array.isArray(causes) && causes.length > 1)).toBeDefined();
  });
});

describe("a recommendation to rebalance", () => {
  test("a recommendation lets running work end where it is, and the node gets nothing new", async () => {
    const { world, id, worker } = await working();
    expect(await onInstance(world, rebalance(id))).toBe("noted");
    await world.submit("b");
    await world.workOff();
    expect(world.job("b")?.node).not.toBe(id);
    await worker.call();
    expect(worker.phaseOf("a")).toBe("running");
    worker.end(1);
    await worker.call();
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "failed", attempt: 1 });
    expect(world.fleet.instances.get(id)?.over).toBe(true);
  });

  test("a recommendation returns an attempt that has not started to the queue", async () => {
    const world = await launched();
    const { id } = world.node;
    await world.call(id);
    await onInstance(world, rebalance(id));
    const worker = new ModelWorker(world, id);
    await worker.call();
    await worker.call();
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 2, failures: 0 });
    expect(world.job("a")?.node).not.toBe(id);
  });

  test("a recommendation does not change an interruption before or after it", async () => {
    for (const order of [
      [rebalance, interruption],
      [interruption, rebalance],
    ]) {
      const { world, id } = await working();
      for (const event of order) await onInstance(world, event(id));
      expect(world.node.notice?.kind).toBe("interruption");
    }
  });
});

describe("an instance that vanishes without notice", () => {
  test("a node whose instance vanishes without an event is found, because it no longer reports", async () => {
    const { world, id } = await working();
    world.fleet.end(id);
    world.nowMs += 900_000 + 60_001;
    await world.ringLater();
    await world.workOff();
    expect(world.node.state).toBe("gone");
    world.nowMs += 240_000;
    await world.ringLater();
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 2, failures: 0 });
  });

  test("an instance that vanishes before its launch is recorded is looked up after a minute, and its job goes elsewhere", async () => {
    const world = await launched();
    const { id } = world.node;
    world.fleet.end(id);
    for (const _due of world.lane.due(60)) world.nowMs += 60_000;
    await world.ringLater();
    await world.workOff();
    expect(world.job("a")).toMatchObject({ state: "placed", attempt: 2 });
    expect(world.job("a")?.node).not.toBe(id);
    expect(world.ledger.table.forgotten.has(`gpu/${id}`)).toBe(true);
    expect(world.reserved).toEqual({ usdPerHour: 0.5, gpus: 1 });
  });

  test("an instance that only boots slowly does not count as vanished", async () => {
    const world = await launched();
    const { id } = world.node;
    world.nowMs += 60_000;
    await world.ringLater();
    await world.workOff();
    expect(world.node).toMatchObject({ id, state: "launching", assignments: [{ job: "a" }] });
    expect(world.fleet.live.map((instance) => instance.id)).toEqual([id]);
  });
});

test("a late event that an instance has stopped does not count if its worker has begun again since, and one that it has terminated does", async () => {
  const world = aWorld();
  await world.submit("a");
  await world.workOff();
  const { id } = world.node;
  await world.call(id);
  const stoppedAtMs = world.nowMs;
  world.nowMs += 120_000;
  await world.call(id, { process: "p2" });
  world.nowMs += 240_000;
  await onInstance(world, { ...stateChange(id, "stopped"), time: new Date(stoppedAtMs).toISOString() });
  expect(world.node.state).toBe("ready");
  await onInstance(world, { ...stateChange(id, "terminated"), time: new Date(stoppedAtMs).toISOString() });
  expect(world.ledger.table.nodes.get(`gpu/${id}`)?.node.state).toBe("gone");
});
