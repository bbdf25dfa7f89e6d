import { describe, expect, test } from "vitest";
import { declareDead } from "../../../lib/flows/node/declare-dead.ts";
import { expectLine } from "../../fakes/log-lines.ts";
import { aWorld, type World } from "./world.ts";

const of = { by: "Admin/ada", because: "the host is lost" };
const running = (job: string, atMs: number) => ({ team: "vision", job, attempt: 1, phase: "running" as const, startedAtMs: atMs });

async function running1(): Promise<World> {
  const world = aWorld();
  await world.submit("a");
  await world.workOff();
  const { id } = world.node;
  await world.call(id);
  await world.call(id, { attempts: [running("a", world.nowMs)] });
  await world.workOff();
  return world;
}

const declare = (world: World, id: string) => declareDead({ ...world.deps, log: (line) => void world.log.push(line) }, id, of);

describe("a node that an admin declares dead", () => {
  test("its work starts elsewhere at once, the attempt says who declared it and why, and EC2 is still asked to end it", async () => {
    const world = await running1();
    const { id } = world.node;
    world.nowMs += 200_000;
    expect(await declare(world, id)).toMatchObject({ kind: "done", node: { state: "gone", declared: of } });
    await world.workOff();
    expect(world.job("a")).toMatchObject({ attempt: 2, losses: 1 });
    expect(world.job("a")?.node).not.toBe(id);
    const [first] = world.ledger.table.attempts.get("vision/a") ?? [];
    expect(first?.reason).toBe(`lost ${id}: Admin/ada declared it dead: the host is lost`);
    expect(world.fleet.endsRequested.flat()).toContain(id);
    for (const line of world.log.filter(({ message }) => message === "node declared dead")) expectLine(line);
    expect(world.log.map(({ message }) => message)).toContain("node declared dead");
  });

  test("it costs money until EC2 has accepted its end, whenever it was declared dead", async () => {
    const world = await running1();
    const { id, launchedAtMs, offer } = world.node;
    world.nowMs += 200_000;
    await declare(world, id);
    world.nowMs += 3_600_000;
    await world.workOff();
    const { dayUsd } = world.ledger.table.spent("gpu", world.nowMs);
    expect(dayUsd).toBeCloseTo((offer.usdPerHour * (world.nowMs - launchedAtMs)) / 3_600_000, 3);
  });

  test("a node whose worker has called in the last minutes is refused, and nothing changes", async () => {
    const world = await running1();
    const { id } = world.node;
    world.nowMs += 100_000;
    expect(await declare(world, id)).toMatchObject({ kind: "alive" });
    expect(world.node.state).toBe("ready");
  });

  test("a node whose worker calls meanwhile is refused, too", async () => {
    const world = await running1();
    const { id } = world.node;
    world.nowMs += 200_000;
    const { nodeLedger } = world.deps;
    const get: typeof nodeLedger.get = async (...of) => {
      const node = await nodeLedger.get(...of);
      await world.call(id, { attempts: [running("a", world.nowMs)] });
      return node;
    };
    expect(await declareDead({ ...world.deps, nodeLedger: { ...nodeLedger, get }, log: () => {} }, id, of)).toMatchObject({
      kind: "alive",
    });
    expect(world.node.state).toBe("ready");
  });

  test("a node that was asked to end is refused for some minutes, because its programs may run on", async () => {
    const world = await running1();
    const { id } = world.node;
    world.ledger.table.changeNode("gpu", id, { state: "terminating", stateSinceMs: world.nowMs });
    world.nowMs += 150_000;
    expect(await declare(world, id)).toMatchObject({ kind: "alive" });
    world.nowMs += 1_000;
    expect(await declare(world, id)).toMatchObject({ kind: "done" });
  });

  test("repeating it changes nothing, and rings the pool again", async () => {
    const world = await running1();
    const { id } = world.node;
    world.nowMs += 200_000;
    await declare(world, id);
    world.nowMs += 1_000;
    expect(await declare(world, id)).toMatchObject({ kind: "same", node: { declared: { atMs: world.nowMs - 1_000 } } });
    expect(world.lane.waiting).toEqual(["gpu"]);
  });

  test("a node that is unknown, or has left its pool, cannot be declared dead", async () => {
    expect(await declare(await running1(), "i-00000000000000fff")).toEqual({ kind: "no-node" });
  });

  test("what the worker of such a node reports later changes nothing", async () => {
    const world = await running1();
    const { id } = world.node;
    world.nowMs += 200_000;
    await declare(world, id);
    await world.workOff();
    await world.call(id, { attempts: [{ ...running("a", world.nowMs), phase: "failed", reason: "exit code 1", again: false }] });
    expect(world.job("a")).toMatchObject({ attempt: 2 });
    expect(world.job("a")?.state).not.toBe("failed");
  });
});
