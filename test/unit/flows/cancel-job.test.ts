import { describe, expect, test } from "vitest";
import { sealAttempt } from "../../../lib/flows/seal-attempt.ts";
import { ModelWorker } from "./model-worker.ts";
import { cancel, onInstance, stateChange } from "./news.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld, type World } from "./world.ts";

async function placed(): Promise<{ world: World; id: string; worker: ModelWorker }> {
  const world = aWorld();
  await world.submit("a");
  await world.workOff();
  return { world, id: world.node.id, worker: new ModelWorker(world, world.node.id) };
}

async function working(): ReturnType<typeof placed> {
  const all = await placed();
  await all.worker.call();
  all.worker.begin();
  await all.worker.call();
  await all.world.workOff();
  return all;
}

const ended = { state: "cancelled", reason: "not wanted any more" };

describe("a cancelled job", () => {
  test("a job that is cancelled while it waits never runs, and a second cancel changes nothing", async () => {
    const world = aWorld();
    await world.submit("a");
    expect(await cancel(world, "a")).toEqual({ kind: "cancelled", pool: "gpu" });
    expect(await cancel(world, "a")).toEqual({ kind: "same", pool: "gpu" });
    await world.workOff();
    expect(world.job("a")).toMatchObject(ended);
    expect(world.fleet.live).toEqual([]);
  });

  test("a job that is cancelled while it runs is stopped, and its place is used again", async () => {
    const { world, id, worker } = await working();
    await cancel(world, "a");
    await world.submit("b");
    await worker.call();
    expect(worker.phaseOf("a")).toBe("stopped");
    await worker.call();
    await world.workOff();
    expect(world.job("a")).toMatchObject({ ...ended, attempt: 1 });
    expect(world.job("a")?.node).toBeUndefined();
    expect(world.node).toMatchObject({ state: "ready" });
    expect(world.job("b")).toMatchObject({ state: "placed", node: id });
    expectOneTruth(world);
  });

  test("a job that is cancelled while its node boots is stopped with the worker's first call", async () => {
    const { world, worker } = await placed();
    await cancel(world, "a");
    await worker.call();
    expect(worker.phaseOf("a")).toBe("stopped");
    await worker.call();
    expect(worker.phaseOf("a")).toBeUndefined();
    expect(world.node.assignments).toEqual([]);
    expectOneTruth(world);
  });

  test("a job that is cancelled while it is prepared never runs, and nothing takes its GPU before that is sure", async () => {
    const { world, id, worker } = await placed();
    await worker.call();
    expect(worker.phaseOf("a")).toBe("preparing");
    await cancel(world, "a");
    await world.submit("b");
    await world.workOff();
    expect(world.job("b")?.node).not.toBe(id);
    await worker.call();
    expect(worker.phaseOf("a")).toBe("stopped");
  });

  test("a job that is cancelled while it uploads keeps its files, and stays cancelled", async () => {
    const { world, worker } = await working();
    worker.end(0);
    await worker.call();
    expect(world.job("a")).toMatchObject({ state: "sealing" });
    await cancel(world, "a");
    const { artifacts } = world.ports;
    const attempt = { team: "vision", job: "a", attempt: 1 };
    artifacts.upload(attempt, { "model.bin": "weights" });
    expect(await sealAttempt(world.deps, attempt)).toMatchObject({ kind: "kept", files: 1 });
    expect(artifacts.listed(attempt)?.artifacts).toMatchObject([{ path: "model.bin" }]);
    await worker.call();
    await worker.call();
    expect(world.job("a")).toMatchObject(ended);
    expect(world.node.assignments).toEqual([]);
  });

  test("a job that is cancelled just after its end keeps that end", async () => {
    const { world, worker } = await working();
    worker.end(1);
    await worker.call();
    expect(await cancel(world, "a")).toEqual({ kind: "ended", state: "failed" });
    expect(world.job("a")).toMatchObject({ state: "failed", reason: "exit code 1" });
  });

  test("a cancelled job whose exit is reported late stays cancelled, and is not tried again", async () => {
    const { world, worker } = await working();
    worker.end(1);
    await cancel(world, "a");
    await worker.call();
    await worker.call();
    expect(world.job("a")).toMatchObject({ ...ended, attempt: 1, failures: 0 });
    expect(world.node.assignments).toEqual([]);
  });

  test("a cancelled job whose node vanishes does not run again", async () => {
    const { world, id } = await working();
    await cancel(world, "a");
    world.fleet.end(id);
    await onInstance(world, stateChange(id, "terminated"));
    await world.workOff();
    expect(world.job("a")).toMatchObject({ ...ended, attempt: 1 });
    expect(world.fleet.live).toEqual([]);
    expectOneTruth(world);
  });

  test("a cancelled job leaves its node to become idle and be given back", async () => {
    const { world, worker } = await working();
    await cancel(world, "a");
    await worker.call();
    await worker.call();
    await world.workOff();
    await world.pass(120);
    expect(world.fleet.live).toEqual([]);
  });
});

test("cancelling an unknown job is refused and rings no pool", async () => {
  const world = aWorld();
  expect(await cancel(world, "nobody")).toEqual({ kind: "unknown" });
  expect(world.lane.waiting).toEqual([]);
});

test("a retry recovers a cancel that crashed before ringing the bell", async () => {
  const world = aWorld();
  await world.submit("a");
  await world.workOff();
  world.ledger.wire.failBefore("bell.ring");
  await expect(cancel(world, "a")).rejects.toThrow("bell.ring");
  expect(await cancel(world, "a")).toMatchObject({ kind: "same" });
  expect(world.lane.waiting).toEqual(["gpu"]);
  expect((await world.ledger.decisions.begin("gpu")).causes).toEqual(["cancel"]);
});
