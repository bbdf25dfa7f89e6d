import { describe, expect, test } from "vitest";
import { type AdminOrder, changeOverrides } from "../../../lib/flows/change-overrides.ts";
import { maxNodeOrders, type OverrideOrder } from "../../../lib/model/overrides/overrides.ts";
import { aNode, aPool } from "../../fakes/builders.ts";
import { ModelWorker } from "./model-worker.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld, type World } from "./world.ts";

const give = (world: World, order: OverrideOrder, more: Partial<AdminOrder> = {}) =>
  changeOverrides(world.deps, "gpu", { order, by: "Admin/ada", ...more });
const overrides = (world: World) => world.ledger.overrides.get("gpu");

/** A node with a running job and its worker. */
async function working() {
  const world = aWorld({ pool: aPool({ idleSeconds: 60, drainSeconds: 600 }) });
  await world.submit("a", { maxRuntimeSeconds: 86_400 });
  await world.workOff();
  const worker = new ModelWorker(world, world.node.id);
  await worker.call();
  worker.begin();
  await worker.call();
  return { world, worker };
}

async function pass(world: World, worker: ModelWorker, seconds: number): Promise<void> {
  for (const untilMs = world.nowMs + seconds * 1000; world.nowMs < untilMs; ) {
    world.nowMs = Math.min(untilMs, world.nowMs + 60_000);
    await worker.call();
    await world.ringLater();
    await world.workOff();
  }
}

describe("a paused pool", () => {
  test("what runs goes on while a pool is paused, and what waits starts after it is resumed", async () => {
    const { world, worker } = await working();
    await give(world, { kind: "pause" }, { because: "new image" });
    await world.submit("b", { gpus: 1 });
    await world.workOff();
    await pass(world, worker, 600);
    expect(worker.phaseOf("a")).toBe("running");
    expect(world.job("b")).toMatchObject({
      state: "queued",
      reason: expect.stringMatching(/^pool gpu is paused by Admin\/ada since .* \(new image\)/),
    });
    expect(world.ledger.table.settledLaunches.size).toBe(1);
    await give(world, { kind: "resume" });
    await world.workOff();
    expect(world.job("b")?.state).toBe("placed");
    expect(world.journal.decisions.flatMap(({ causes }) => causes)).toContain("override");
    expectOneTruth(world);
  });
});

describe("a drained node", () => {
  test("what runs on a drained node is stopped at the deadline and queued again, and the node is ended when it is empty", async () => {
    const { world, worker } = await working();
    const { id } = world.node;
    await give(world, { kind: "drain", node: id, untilMs: world.nowMs + 1_800_000 });
    await world.workOff();
    expect(world.node).toMatchObject({ state: "draining", drain: { because: "Admin/ada drains it" } });
    await pass(world, worker, 1_740);
    expect([worker.phaseOf("a"), world.job("a")?.attempt]).toEqual(["running", 1]);
    await pass(world, worker, 180);
    expect(world.job("a")).toMatchObject({ attempt: 2, failures: 0 });
    expect(world.fleet.live.map((each) => each.id)).not.toContain(id);
    expectOneTruth(world);
  });

  test("a drain that has begun is dropped when its order is taken back: what runs goes on, and the node gets jobs again", async () => {
    const { world, worker } = await working();
    const { id } = world.node;
    const beganMs = world.nowMs;
    await give(world, { kind: "drain", node: id, untilMs: beganMs + 1_800_000 });
    await world.workOff();
    expect(world.node.state).toBe("draining");
    expect(await give(world, { kind: "uncordon", node: id })).toMatchObject({ kind: "done", overrides: { nodes: {} } });
    await world.workOff();
    expect(world.node).toMatchObject({ id, state: "ready" });
    expect(world.node.drain).toBeUndefined();
    await pass(world, worker, 3_600);
    expect([worker.phaseOf("a"), world.job("a")?.attempt, world.ledger.table.nodes.size]).toEqual(["running", 1, 1]);
    expectOneTruth(world);
  });

  test("a drain that has begun gets another deadline when it is ordered again", async () => {
    const { world, worker } = await working();
    const { id } = world.node;
    const beganMs = world.nowMs;
    await give(world, { kind: "drain", node: id, untilMs: beganMs + 1_800_000 });
    await world.workOff();
    await give(world, { kind: "drain", node: id, untilMs: beganMs + 7_200_000 });
    await world.workOff();
    expect(world.node).toMatchObject({ state: "draining", drain: { untilMs: beganMs + 7_200_000 } });
    await pass(world, worker, 3_600);
    expect([worker.phaseOf("a"), world.job("a")?.attempt]).toEqual(["running", 1]);
  });

  test("nothing more can be ordered about a node that leaves its pool whatever is ordered, and the refusal says why", async () => {
    const { world, worker } = await working();
    const { id } = world.node;
    await give(world, { kind: "drain", node: id, untilMs: world.nowMs + 60_000 });
    await world.workOff();
    await pass(world, worker, 60);
    const because = "the deadline of its drain has passed, so what ran was ordered to stop";
    expect(await give(world, { kind: "uncordon", node: id })).toEqual({ kind: "leaving", because });
  });
});

describe("a drained pool", () => {
  test("what runs in a drained pool is stopped at the deadline and waits, its nodes end and no other is launched, until it is resumed", async () => {
    const { world, worker } = await working();
    await world.submit("b", { gpus: 1 });
    await give(world, { kind: "drain-pool", untilMs: world.nowMs + 1_800_000 });
    await world.workOff();
    await pass(world, worker, 1_740);
    expect([worker.phaseOf("a"), world.job("b")?.state]).toEqual(["running", "queued"]);
    await pass(world, worker, 300);
    expect(world.job("a")).toMatchObject({
      state: "queued",
      attempt: 2,
      failures: 0,
      reason: expect.stringMatching(/^pool gpu is drained by Admin\/ada since .*; the job starts after an admin resumes the pool$/),
    });
    expect(world.fleet.live).toEqual([]);
    expect(world.ledger.table.settledLaunches.size).toBe(1);
    await give(world, { kind: "resume" });
    await world.workOff();
    expect([world.job("a")?.state, world.job("b")?.state]).toEqual(["placed", "placed"]);
    expectOneTruth(world);
  });

  test("a drained pool that is resumed in time keeps its nodes and what runs on them", async () => {
    const { world, worker } = await working();
    const { id } = world.node;
    await give(world, { kind: "drain-pool", untilMs: world.nowMs + 1_800_000 });
    await world.workOff();
    expect(world.node).toMatchObject({ state: "draining", drain: { because: "Admin/ada drains the pool" } });
    expect(await give(world, { kind: "uncordon", node: id })).toEqual({ kind: "pool-drained", by: "Admin/ada" });
    expect(await give(world, { kind: "resume" })).toMatchObject({ kind: "done", leaving: [] });
    await world.workOff();
    await pass(world, worker, 3_600);
    expect([worker.phaseOf("a"), world.node.state, world.job("a")?.attempt]).toEqual(["running", "ready", 1]);
    expectOneTruth(world);
  });

  test("the resumption of a drained pool names the nodes that leave it all the same", async () => {
    const { world, worker } = await working();
    const { id } = world.node;
    await give(world, { kind: "drain-pool", untilMs: world.nowMs + 60_000 });
    await world.workOff();
    await pass(world, worker, 60);
    const because = "the deadline of its drain has passed, so what ran was ordered to stop";
    expect(await give(world, { kind: "resume" })).toMatchObject({ kind: "done", leaving: [{ node: id, because }] });
    expect(await give(world, { kind: "resume" })).not.toHaveProperty("leaving");
  });

  test("a pause of a drained pool leaves the drain as it is, and a drain of a paused pool replaces the pause", async () => {
    const world = aWorld();
    const untilMs = world.nowMs + 60_000;
    await give(world, { kind: "pause" });
    await give(world, { kind: "drain-pool", untilMs }, { by: "Admin/bob" });
    await give(world, { kind: "pause" });
    expect(await overrides(world)).toMatchObject({
      version: 2,
      paused: { by: "Admin/bob", untilMs },
      history: [{ what: "drained the pool" }, {}],
    });
  });
});

describe("a change of overrides", () => {
  test("each change is on record with who, when and why, newest first, and the oldest are dropped", async () => {
    const world = aWorld();
    for (let n = 0; n < 11; n += 1) {
      await give(world, { kind: "pause" }, { because: `reason ${n}` });
      await give(world, { kind: "resume" }, { by: "Admin/bob" });
    }
    const { version, history } = await overrides(world);
    expect([version, history.length]).toEqual([22, 20]);
    expect(history.slice(0, 2)).toEqual([
      { what: "resumed the pool", by: "Admin/bob", atMs: world.nowMs },
      { what: "paused the pool", by: "Admin/ada", because: "reason 10", atMs: world.nowMs },
    ]);
  });

  test("an order that holds already changes nothing, and the pool is rung again because the first caller may have crashed", async () => {
    const world = aWorld();
    await give(world, { kind: "pause" });
    const before = await overrides(world);
    const rings = (await world.ledger.decisions.state("gpu")).bell;
    expect(await give(world, { kind: "pause" }, { by: "Admin/bob" })).toMatchObject({ kind: "done", overrides: before });
    expect(await overrides(world)).toEqual(before);
    expect((await world.ledger.decisions.state("gpu")).bell).toBe(rings + 1);
  });

  test("a change that is based on another version is refused with what was changed last", async () => {
    const world = aWorld();
    await give(world, { kind: "pause" }, { by: "Admin/bob" });
    const refused = await give(world, { kind: "resume" }, { ifVersion: 0 });
    expect(refused).toMatchObject({ kind: "conflict", overrides: { version: 1, history: [{ by: "Admin/bob" }] } });
    expect(await give(world, { kind: "resume" }, { ifVersion: 1 })).toMatchObject({ kind: "done" });
  });

  test("of two changes at the same time one is refused, and none is lost", async () => {
    const world = aWorld();
    world.ledger.wire.before("overrides.replace", () => give(world, { kind: "pause" }, { by: "Admin/bob" }));
    world.ledger.table.putNode(aNode());
    expect(await give(world, { kind: "cordon", node: aNode().id })).toMatchObject({
      kind: "conflict",
      overrides: { history: [{ by: "Admin/bob" }] },
    });
    expect(await overrides(world)).toMatchObject({ version: 1, paused: { by: "Admin/bob" }, nodes: {} });
  });

  test("orders about nodes that have left are dropped, unless a node cannot be read", async () => {
    const world = aWorld();
    const [gone, there] = [aNode({ id: "i-00000000000000001" }), aNode({ id: "i-00000000000000002" })];
    for (const node of [gone, there]) world.ledger.table.putNode(node);
    await give(world, { kind: "cordon", node: gone.id });
    world.ledger.table.nodes.delete(`gpu/${gone.id}`);
    const unread = { kind: "node" as const, key: "N#gpu#0 x", why: "state: is not known" };
    const decisions = {
      ...world.ledger.decisions,
      load: async (pool: string, nowMs: number) => ({ ...(await world.ledger.decisions.load(pool, nowMs)), unreadable: [unread] }),
    };
    const order = { kind: "cordon", node: there.id } as const;
    await changeOverrides({ ...world.deps, decisions }, "gpu", { order, by: "Admin/ada" });
    expect(Object.keys((await overrides(world)).nodes)).toEqual([gone.id, there.id]);
    await give(world, { kind: "drain", node: there.id, untilMs: world.nowMs });
    expect(Object.keys((await overrides(world)).nodes)).toEqual([there.id]);
  });

  test("a node that the pool does not have cannot be cordoned, and no more than a hundred nodes can", async () => {
    const world = aWorld();
    expect(await give(world, { kind: "cordon", node: "i-0" })).toEqual({ kind: "no-node" });
    const nodes = Array.from({ length: maxNodeOrders + 1 }, (_, n) => aNode({ id: `i-${String(n).padStart(17, "0")}` }));
    for (const node of nodes) world.ledger.table.putNode(node);
    const kinds: string[] = [];
    for (const { id: node } of nodes) kinds.push((await give(world, { kind: "cordon", node })).kind);
    expect([kinds.filter((kind) => kind === "done").length, kinds.at(-1)]).toEqual([maxNodeOrders, "full"]);
  });
});
