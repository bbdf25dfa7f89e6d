import { describe, expect, test } from "vitest";
import { handleNodeCall } from "../../../lib/flows/handle-node-call.ts";
import { type TickDeps, tick } from "../../../lib/flows/tick.ts";
import { MemoryTaggedInstances } from "../../../lib/sim/memory/orphans.ts";
import { aCatalogue, aJob, anOffer, aPool, aType, monday } from "../../fakes/builders.ts";
import { aDataset, DataWorld, someShards } from "./dataset-builders.ts";
import { aWorld, type World } from "./world.ts";

/** Runs a decision now, and returns the outcomes of its steps by their kind. */
async function outcomesOf(world: World): Promise<readonly string[]> {
  const before = world.journal.decisions.length;
  await world.ringLater();
  await world.workOff();
  return world.journal.decisions
    .slice(before)
    .flatMap(({ plan, outcomes }) => plan.steps.map((step, n) => `${step.kind} ${"node" in step ? step.node : ""} ${outcomes[n]}`));
}

describe("a node that EC2 is asked about", () => {
  test("an instance that lives although its end was requested is ended again, and a missing response to that is in the record", async () => {
    const world = aWorld();
    await world.submit("a");
    await world.workOff();
    const { id } = world.node;
    await world.call(id);
    world.ledger.table.changeNode("gpu", id, { state: "terminating", stateSinceMs: world.nowMs, assignments: [] });
    world.nowMs += 121_000;
    world.fleet.deafNext("terminate");
    expect(await outcomesOf(world)).toContain(`confirm ${id} failed: EC2 did not respond`);
    world.nowMs += 2_000;
    await outcomesOf(world);
    expect(world.fleet.instances.get(id)?.over).toBe(true);
  });

  test("an instance that still boots is asked about, and is not ended", async () => {
    const world = aWorld();
    await world.submit("a");
    await world.workOff();
    const { id } = world.node;
    world.nowMs += 90_000;
    await outcomesOf(world);
    expect(world.fleet.endsRequested).toEqual([]);
    expect(world.node).toMatchObject({ id, state: "launching" });
  });
});

/** Looks at the silent node in the first seconds of the next minute. */
async function look(world: World): Promise<readonly string[]> {
  world.nowMs = Math.ceil((world.nowMs + 1) / 60_000) * 60_000;
  return outcomesOf(world);
}

describe("a silent node that somebody has stopped", () => {
  async function stopped(): Promise<World> {
    const world = aWorld();
    await world.submit("a");
    await world.workOff();
    await world.call(world.node.id);
    await world.call(world.node.id, { attempts: [{ team: "vision", job: "a", attempt: 1, phase: "running", startedAtMs: world.nowMs }] });
    world.nowMs += 180_000;
    world.fleet.stopped.add(world.node.id);
    return world;
  }

  test("its job runs elsewhere, and EC2 is asked to end the instance, so that it does not come back", async () => {
    const world = await stopped();
    const { id } = world.node;
    expect(await look(world)).toContain(`confirm ${id} again: EC2 says that the instance has ended`);
    world.nowMs += 240_000;
    await outcomesOf(world);
    expect(world.job("a")).toMatchObject({ attempt: 2 });
    expect(world.fleet.instances.get(id)?.over).toBe(true);
  });

  test("an old answer of EC2 that it has stopped does not count if its worker has begun again", async () => {
    const world = await stopped();
    const { id } = world.node;
    const onceBegun = async (): Promise<void> => void (await world.ledger.nodeLedger.begin("gpu", id, world.nowMs));
    world.ledger.wire.before("placements.gone", onceBegun);
    expect(await look(world)).toContainEqual(expect.stringMatching(/^confirm .* stale/));
    expect(world.node.state).toBe("ready");
    expect(world.job("a")).toMatchObject({ attempt: 1 });
  });
});

describe("a silent node whose status checks fail", () => {
  test("the failure is noted once, is forgotten when the checks pass, and ends the node after ten minutes", async () => {
    const world = aWorld();
    await world.submit("a");
    await world.workOff();
    const { id } = world.node;
    await world.call(id);
    world.nowMs += 180_000;
    world.fleet.failing.add(id);
    expect(await look(world)).toContain(`confirm ${id} done: EC2 says that it runs, but fails its status checks`);
    const sinceMs = world.nowMs;
    await look(world);
    expect(world.node.impairedSinceMs).toBe(sinceMs);
    world.fleet.failing.delete(id);
    await look(world);
    expect(world.node.impairedSinceMs).toBeUndefined();
    world.fleet.failing.add(id);
    for (let minute = 0; minute < 10; minute += 1) await look(world);
    expect(world.fleet.endsRequested).toEqual([]);
    await look(world);
    expect(world.fleet.endsRequested.flat()).toContain(id);
  });
});

describe("a move of a job to another pool", () => {
  test("a move that a later decision has fenced off does not wake the other pool", async () => {
    const l4 = aType({ name: "g6.xlarge", gpu: { model: "L4", memoryGiB: 24 } });
    const world = aWorld({ pool: aPool({ fallback: "b", fallbackSeconds: 60 }), others: [aPool({ name: "b", families: ["g6"] })] });
    world.ledger.table.catalogues.set("b", aCatalogue({ types: [l4], offers: [anOffer({ instanceType: l4.name })] }));
    world.fleet.refuse(anOffer());
    await world.submit("a");
    let moves = 0;
    world.ledger.wire.before("placements.move", async () => {
      moves += 1;
      await world.ledger.decisions.begin("gpu");
    });
    for (let n = 0; n < 60 && moves === 0; n += 1) {
      world.nowMs += 10_000;
      await world.ringLater();
      const message = world.lane.receive();
      await world.place();
      message?.done();
    }
    expect(moves).toBe(1);
    expect(world.lane.waiting).not.toContain("b");
  });
});

describe("a message about data or an upload", () => {
  test("the response to a worker waits until the message about data that is no longer needed is sent", async () => {
    const world = new DataWorld();
    world.datasets.put(aDataset());
    world.upload(someShards(2));
    await world.submit("a", { datasets: ["mnist"] });
    await world.workOff();
    const { id } = world.node;
    await world.call(id);
    const of = { team: "vision", job: "a", attempt: 1 };
    let sent = false;
    const slow = {
      send: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        sent = true;
      },
    };
    const deps = { ...world.nodeCallDeps, shardQueue: slow };
    const report = { ...of, phase: "failed", reason: "trouble", again: false } as const;
    await handleNodeCall(deps, id, world.report(id, { attempts: [report] }));
    expect(world.node.assignments).toEqual([]);
    expect(sent).toBe(true);
  });

  test("a tick reports an upload that it could not send to be sealed again", async () => {
    const world = aWorld();
    const sealAgain = { send: () => Promise.reject(new Error("SQS is down")) };
    const instances = new MemoryTaggedInstances(world.fleet, () => monday);
    const deps: TickDeps = { ...world.deps, teams: ["vision"], instances, sealAgain };
    world.ledger.table.moveJob(aJob({ state: "running" }), { state: "sealing" }, { atMs: monday });
    world.nowMs = monday + 900_001;
    expect(await tick(deps)).toMatchObject({ sealedAgain: 0, errors: [{ part: "sealing", error: new Error("SQS is down") }] });
  });
});
