import { expect, test } from "vitest";
import { aCatalogue, anOffer, aPool } from "../../fakes/builders.ts";
import { ModelWorker } from "./model-worker.ts";
import { expectOneTruth } from "./one-truth.ts";
import { aWorld, type World } from "./world.ts";

const pool = aPool({ maxLifetimeSeconds: 1800, drainSeconds: 600, bootSeconds: 120, limits: { usdPerHour: 10, gpus: 4 } });

/** A busy node with its worker. */
async function working(): Promise<{ world: World; worker: ModelWorker; node: string }> {
  const world = aWorld({ pool, catalogue: aCatalogue({ offers: [anOffer(), anOffer({ zone: "us-east-1b", usdPerHour: 0.6 })] }) });
  await world.submit("a");
  await world.workOff();
  const node = world.node.id;
  const worker = new ModelWorker(world, node);
  await worker.call();
  worker.begin();
  await worker.call();
  return { world, worker, node };
}

test("work moves to a new node when the life of its node ends, and the old node is then given back", async () => {
  const { world, worker, node } = await working();
  const launchedAtMs = world.node.launchedAtMs;
  const workers = [worker];
  const at = async (seconds: number): Promise<void> => {
    world.nowMs = launchedAtMs + seconds * 1000;
    for (const each of workers) await each.call();
    await world.ringLater();
    await world.workOff();
  };

  for (const seconds of [600, 1199]) await at(seconds);
  expect(world.node.state).toBe("ready");
  await at(1200);
  expect(world.node).toMatchObject({ state: "draining", drain: { untilMs: launchedAtMs + 1_800_000 } });
  expect(worker.phaseOf("a")).toBe("running");

  await at(1680);
  const replacement = world.nodes.find(({ replaces }) => replaces === node);
  expect(replacement?.state).toBe("launching");
  const next = new ModelWorker(world, replacement?.id ?? "");
  workers.push(next);

  await at(1799);
  expect(worker.phaseOf("a")).toBe("running");
  await at(1800);
  expect(worker.phaseOf("a")).toBe("stopped");
  await at(1801);
  expect(world.job("a")).toMatchObject({ state: "placed", attempt: 2, node: replacement?.id });
  await at(1802);
  expect(next.phaseOf("a")).toBe("preparing");
  await world.workOff();
  expect(world.fleet.live.map(({ id }) => id)).toEqual([replacement?.id]);
  expectOneTruth(world);
});

test("a worker that does not release its work is ended with its node, and the work waits again when EC2 confirms that", async () => {
  const { world, node } = await working();
  const launchedAtMs = world.node.launchedAtMs;
  const still = { team: "vision", job: "a", attempt: 1, phase: "running", startedAtMs: launchedAtMs } as const;
  for (const seconds of [1200, 1800, 2400, 2401]) {
    world.nowMs = launchedAtMs + seconds * 1000;
    await world.call(node, { attempts: [still] });
    await world.ringLater();
    await world.workOff();
  }
  expect(world.fleet.live.map(({ id }) => id)).not.toContain(node);
  expect(world.job("a")).toMatchObject({ attempt: 1, node });
  expect(await world.call(node, { attempts: [still] })).toMatchObject({ kind: "shutdown" });
  await world.ledger.nodeLedger.gone(node, world.nowMs);
  await world.ringLater();
  await world.workOff();
  expect(world.job("a")).toMatchObject({ attempt: 2 });
  expectOneTruth(world);
});
