import { describe, expect, test } from "vitest";
import { addDataset } from "../../../lib/flows/add-dataset.ts";
import { cancelJob, cancelJobs } from "../../../lib/flows/cancel-job.ts";
import { getDataset, removeDataset } from "../../../lib/flows/datasets.ts";
import { endFleet } from "../../../lib/flows/end-fleet.ts";
import { handleNodeCall } from "../../../lib/flows/handle-node-call.ts";
import { noteAlarm } from "../../../lib/flows/note-alarm.ts";
import { noteInstance } from "../../../lib/flows/note-instance.ts";
import { noteObjects } from "../../../lib/flows/note-objects.ts";
import { place } from "../../../lib/flows/place.ts";
import { rebalanceShards } from "../../../lib/flows/rebalance-shards.ts";
import { sealAttempt } from "../../../lib/flows/seal-attempt.ts";
import { submitJob } from "../../../lib/flows/submit-job.ts";
import { tick } from "../../../lib/flows/tick.ts";
import { aCatalogue, aJob, aLaunch, aNode, anAssignment, anOffer, aPool, aType, monday } from "../../fakes/builders.ts";
import { aDataset, DataWorld, mnist, someShards } from "./dataset-builders.ts";
import { holding, quiet } from "./held-call.ts";
import { alarmChange, interruption, stateChange } from "./news.ts";
import { aWorld, type World } from "./world.ts";

type Story = { readonly world: World; readonly flow: (deps: World["deps"]) => Promise<unknown> };

const attempt = { team: "vision", job: "a", attempt: 1 };

const placing = (world: World): Story => ({ world, flow: (deps) => place(deps, { pool: world.pool, msLeft: () => 20_000 }) });
const ticking = (world: World, over: { pools?: readonly ReturnType<typeof aPool>[] } = {}): Story => ({
  world,
  flow: (deps) => tick({ ...deps, teams: ["vision"], ...over }),
});
const submitting = (world: World, body: object = { id: "a", command: ["true"] }): Story => ({
  world,
  flow: (deps) =>
    submitJob(
      { ...deps, fleet: { pools: world.pools, defaultPool: "gpu" } },
      { team: "vision", messageId: "m", body: JSON.stringify(body), sentAtMs: world.nowMs },
    ),
});
const reported = (world: World, node: string, over: Parameters<World["report"]>[1] = {}): Story => ({
  world,
  flow: (deps) => handleNodeCall(deps, node, world.report(node, over)),
});
/** The same for the first report of a process, which has a session. */
async function firstReported(world: World, node: string, process = "p1"): Promise<Story> {
  await world.begin(node, process);
  return reported(world, node, { process });
}

/** A world whose job a is bound to a node. */
async function placed(asks: object = {}): Promise<World> {
  const world = aWorld();
  await world.submit("a", asks);
  await world.workOff();
  return world;
}

/** The same, and the job runs. */
async function running(): Promise<World> {
  const world = await placed();
  await world.call(world.node.id);
  await world.call(world.node.id, { attempts: [{ ...attempt, phase: "running", startedAtMs: world.nowMs }] });
  await world.workOff();
  return world;
}

function sealing(): World {
  const world = aWorld();
  world.ledger.table.putJob(aJob({ job: "a", state: "sealing" }));
  world.ledger.table.awaitSealing(attempt, monday);
  return world;
}

function withData(shards = 3): DataWorld {
  const world = new DataWorld();
  world.datasets.put(aDataset());
  world.upload(someShards(shards));
  return world;
}

const readsMnist = () => aNode({ id: "i-1", assignments: [anAssignment({ datasets: [{ name: "mnist", share: "whole" }] })] });

/** Flows, each in a world where it has something to do. */
const stories: Readonly<Record<string, () => Promise<Story> | Story>> = {
  "place launches a node": async () => {
    const world = aWorld();
    await world.submit("a");
    return placing(world);
  },
  "place learns that there is no capacity": async () => {
    const world = aWorld();
    world.fleet.refuse(anOffer());
    await world.submit("a");
    return placing(world);
  },
  "place repeats a launch without a response": async () => {
    const world = aWorld();
    world.fleet.unknownNext("launched");
    await world.submit("a");
    return placing(world);
  },
  "place withdraws a launch that EC2 throttled": async () => {
    const world = aWorld();
    world.fleet.throttleNextLaunch();
    await world.submit("a");
    return placing(world);
  },
  "place searches for a launch": async () => {
    const world = aWorld();
    for (let n = 0; n < 100; n += 1) world.fleet.unknownNext("not-launched");
    await world.submit("a");
    await world.workOff();
    world.nowMs += 11 * 60_000;
    await world.ringLater();
    return placing(world);
  },
  "place ends an idle node": async () => {
    const world = await running();
    await world.call(world.node.id, { attempts: [{ ...attempt, phase: "failed", reason: "no", again: false }] });
    await world.workOff();
    await world.wait(1_000);
    await world.ringLater();
    return placing(world);
  },
  "place loses a node that EC2 has ended": async () => {
    const world = await running();
    world.fleet.end(world.node.id);
    await world.ledger.nodeLedger.gone(world.node.id, world.nowMs);
    await world.ringLater();
    return placing(world);
  },
  "place gives up a node that does not boot": async () => {
    const world = await placed();
    world.nowMs += 600_001;
    await world.ringLater();
    return placing(world);
  },
  "place asks about a node that still boots": async () => {
    const world = await placed();
    world.nowMs += 90_000;
    await world.ringLater();
    return placing(world);
  },
  "place moves a job to another pool": async () => {
    const l4 = aType({ name: "g6.xlarge", gpu: { model: "L4", memoryGiB: 24 } });
    const world = aWorld({ pool: aPool({ fallback: "b", fallbackSeconds: 60 }), others: [aPool({ name: "b", families: ["g6"] })] });
    world.ledger.table.catalogues.set("b", aCatalogue({ types: [l4], offers: [anOffer({ instanceType: l4.name })] }));
    world.fleet.refuse(anOffer());
    await world.submit("a");
    await world.workOff();
    world.nowMs += 61_000;
    await world.ringLater();
    return placing(world);
  },
  "place binds a gang": async () => {
    const world = aWorld();
    await world.submit("a", { nodes: 2 });
    return placing(world);
  },
  "submit queues a job": () => submitting(aWorld()),
  "submit gets a job again": async () => {
    const world = aWorld();
    await world.submit("a", { command: ["true"] });
    return submitting(world);
  },
  "submit gets another job under the same id": async () => {
    const world = aWorld();
    await world.submit("a");
    return submitting(world);
  },
  "submit rejects a job": () => submitting(aWorld(), { id: "a", command: ["true"], gpus: 99 }),
  "a worker begins a session": async () => {
    const world = await placed();
    return { world, flow: (deps) => handleNodeCall(deps, world.node.id, { protocol: 1, kind: "begin", pool: "gpu" }) };
  },
  "a worker calls for the first time": async () => {
    const world = await placed();
    return firstReported(world, world.node.id);
  },
  "a worker reports that its job runs": async () => {
    const world = await placed();
    await world.call(world.node.id);
    return reported(world, world.node.id, { attempts: [{ ...attempt, phase: "running", startedAtMs: 1 }], renew: [attempt] });
  },
  "a worker reports that its job has failed": async () => {
    const world = await running();
    return reported(world, world.node.id, { attempts: [{ ...attempt, phase: "failed", reason: "no", again: false }] });
  },
  "a worker reports that EC2 takes its node back": async () => {
    const world = await running();
    return reported(world, world.node.id, { notice: { kind: "interruption", atMs: world.nowMs + 120_000 } });
  },
  "another process of a worker does not know its job": async () => {
    const world = await running();
    return firstReported(world, world.node.id, "p2");
  },
  "a worker asks for a job whose dataset is gone": async () => {
    const world = withData();
    await rebalanceShards(world.rebalanceDeps, { ...mnist, relist: true });
    await world.submit("a", { datasets: [{ name: "mnist" }] });
    await world.workOff();
    world.datasets.records.clear();
    return firstReported(world, world.node.id);
  },
  "a worker waits for a map of its dataset": async () => {
    const world = withData();
    await rebalanceShards(world.rebalanceDeps, { ...mnist, relist: true });
    await world.submit("a", { datasets: [{ name: "mnist" }] });
    await world.workOff();
    return firstReported(world, world.node.id);
  },
  "EC2 warns of an interruption": async () => {
    const world = await running();
    return { world, flow: (deps) => noteInstance(deps, interruption(world.node.id)) };
  },
  "EC2 reports the end of an instance": async () => {
    const world = await running();
    return { world, flow: (deps) => noteInstance(deps, stateChange(world.node.id, "terminated")) };
  },
  "an alarm begins": () => {
    const world = aWorld();
    const fleet = { name: "fleetwright", pools: world.pools };
    return { world, flow: (deps) => noteAlarm({ ...deps, fleet }, alarmChange("fleetwright/gpu-low/gpu", "OK", "ALARM")) };
  },
  "a job is cancelled": async () => {
    const world = await running();
    return { world, flow: (deps) => cancelJob(deps, attempt, "no") };
  },
  "two jobs are cancelled": async () => {
    const world = aWorld();
    for (const job of ["a", "b"]) await world.submit(job);
    return { world, flow: (deps) => cancelJobs(deps, [attempt, { team: "vision", job: "b" }], { reason: "no" }) };
  },
  "an attempt is sealed": () => {
    const world = sealing();
    world.ports.artifacts.upload(attempt, { "model.bin": "weights" });
    return { world, flow: (deps) => sealAttempt(deps, attempt) };
  },
  "an attempt whose upload cannot be read is sealed": () => {
    const world = sealing();
    return { world, flow: (deps) => sealAttempt(deps, attempt) };
  },
  "an attempt of a cancelled job is sealed": () => {
    const world = aWorld();
    world.ledger.table.putJob(aJob({ job: "a", state: "cancelled" }));
    return { world, flow: (deps) => sealAttempt(deps, attempt) };
  },
  "an attempt of an unknown job is sealed": () => ({ world: aWorld(), flow: (deps) => sealAttempt(deps, attempt) }),
  "a dataset is added": () => {
    const world = new DataWorld();
    const places = { datasetsBucket: "datasets", dataBuckets: [] };
    return { world, flow: (deps) => addDataset({ ...deps, places }, { ...mnist, source: "s3://datasets/vision/mnist/" }) };
  },
  "a dataset is replaced": () => {
    const world = withData();
    const places = { datasetsBucket: "datasets", dataBuckets: [] };
    const other = { ...mnist, source: "s3://datasets/vision/other/", replace: true };
    return { world, flow: (deps) => addDataset({ ...deps, places }, other) };
  },
  "a dataset is removed": () => ({ world: withData(), flow: (deps) => removeDataset(deps, mnist) }),
  "a dataset is shown": async () => {
    const world = withData();
    world.ledger.table.putNode(readsMnist());
    await rebalanceShards(world.rebalanceDeps, { ...mnist, relist: true });
    return { world, flow: (deps) => getDataset(deps, mnist) };
  },
  "an object of a dataset changes": () => ({
    world: withData(),
    flow: (deps) => noteObjects({ ...deps, datasetsBucket: "datasets" }, { bucket: "datasets", keys: ["vision/mnist/1.bin"] }),
  }),
  "a dataset is dealt out": () => {
    const world = withData();
    world.ledger.table.putNode(readsMnist());
    return { world, flow: (deps) => rebalanceShards(deps, { ...mnist, relist: true }) };
  },
  "a dataset cannot be listed": () => {
    const world = new DataWorld();
    world.datasets.put(aDataset());
    world.store.sources.set("s3://datasets/vision/mnist/", { trouble: "access is denied" });
    return { world, flow: (deps) => rebalanceShards(deps, { ...mnist, relist: true }) };
  },
  "a dataset no longer exists": () => ({ world: new DataWorld(), flow: (deps) => rebalanceShards(deps, { ...mnist, relist: false }) }),
  "a tick wakes a pool whose ring was lost": async () => {
    const world = aWorld();
    await world.submit("a");
    world.ledger.table.awaitSealing(attempt, monday - 3_600_000);
    return ticking(world);
  },
  "a tick rings a pool that works": async () => ticking(await running()),
  "a tick sends a dataset that is not listed": () => ticking(withData()),
  "a tick closes a pool that was removed from the configuration": async () => {
    const world = aWorld();
    await world.ledger.registry.add("old");
    return ticking(world);
  },
  "a tick keeps a pool that was removed from the configuration and has work": async () => {
    const world = await running();
    await world.ledger.registry.add("gpu");
    return ticking(world, { pools: [aPool({ name: "other" })] });
  },
  "a tick notes and ends instances without an owner": async () => {
    const world = aWorld();
    await world.fleet.launch(aLaunch({ id: "orphan" }));
    await tick({ ...world.deps, teams: [] });
    world.nowMs += 10 * 60_000;
    return ticking(world);
  },
  "the fleet ends": async () => {
    const world = aWorld();
    await world.fleet.launch(aLaunch({ id: "one" }));
    return { world, flow: (deps) => endFleet(deps, { untilMs: world.nowMs + 600_000 }) };
  },
};

describe.each(Object.entries(stories))("when %s", (_name, begin) => {
  test("the flow makes the same calls as before, returns the same and logs the same", async () => {
    const { world, flow } = await begin();
    const { deps, calls } = holding(world.deps);
    const logged = world.log.length;
    expect({ result: await flow(deps), log: world.log.slice(logged), calls }).toMatchSnapshot();
  });

  test("the flow does not end before each of its calls has returned", async () => {
    const whole = await begin();
    const { deps, calls } = holding(whole.world.deps);
    await whole.flow(deps);
    expect(calls.length).toBeGreaterThan(0);

    for (let call = 1; call <= calls.length; call += 1) {
      const story = await begin();
      const held = holding(story.world.deps, call);
      let ended = false;
      const work = story.flow(held.deps).finally(() => {
        ended = true;
      });
      await quiet();
      expect(ended, `call ${call}, ${calls[call - 1]}, had not returned`).toBe(false);
      held.release();
      await work;
    }
  });
});
