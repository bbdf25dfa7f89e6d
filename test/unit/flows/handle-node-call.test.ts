import { describe, expect, test, vi } from "vitest";
import type { AttemptReport, NodeCall, NodeResponse } from "../../../events/node-call.ts";
import { requeueJob } from "../../../lib/flows/cancel-job.ts";
import { handleNodeCall, maxRenewals, maxRuns } from "../../../lib/flows/handle-node-call.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { callNumber } from "../../../lib/model/heartbeat/heartbeat.ts";
import type { AttemptRef, JobRef } from "../../../lib/model/job.ts";
import { aJob, aNode, anAssignment, monday } from "../../fakes/builders.ts";
import { aWorld, type World } from "./world.ts";

const of = { team: "vision", job: "a", attempt: 1 };
const running = (world: World): AttemptReport => ({ ...of, phase: "running", startedAtMs: world.nowMs });
const exited = (world: World, exitCode: number): AttemptReport => ({ ...of, phase: "exited", startedAtMs: world.nowMs, exitCode });

const orders = (response: NodeResponse): Extract<NodeResponse, { kind: "orders" }> => {
  if (response.kind !== "orders") throw new Error(`the response is ${response.kind}`);
  return response;
};

/** A world in which job a is placed on a booting node. */
async function placed(fields: object = {}): Promise<World> {
  const world = aWorld();
  await world.submit("a", fields);
  await world.workOff();
  return world;
}

/** A world in which job a runs. */
async function working(fields: object = {}): Promise<World> {
  const world = await placed(fields);
  await world.call(world.node.id, { attempts: [running(world)] });
  await world.workOff();
  world.nowMs += 60_000;
  return world;
}

test("the boot script learns where the worker is", async () => {
  const world = aWorld();
  const response = await handleNodeCall(world.nodeCallDeps, "i-1", { protocol: 1, kind: "boot", pool: "gpu" });
  expect(response).toMatchObject({ kind: "boot", workerUrl: expect.stringContaining("worker"), nodeUrl: expect.stringContaining("node") });
});

describe("a call of an instance", () => {
  test("an instance that is not in the ledger yet must call again", async () => {
    expect(await aWorld().call("i-0000000000000009")).toEqual({ kind: "wait", callAgainMs: 1_000 });
  });

  test.each(["terminating", "gone"] as const)("an instance whose node is %s is shut down", async (state) => {
    const world = await placed();
    const { id } = world.node;
    world.ledger.table.changeNode("gpu", id, { state });
    expect(await world.call(id)).toMatchObject({ kind: "shutdown" });
  });

  test("the first call of an instance makes its node ready and rings the pool", async () => {
    const world = await placed();
    await world.call(world.node.id);
    expect(world.node).toMatchObject({ state: "ready", readyAtMs: world.nowMs });
    expect(world.lane.waiting).toEqual(["gpu"]);
    await world.workOff();
    world.nowMs += 2_000;
    await world.call(world.node.id);
    expect(world.lane.waiting).toEqual([]);
  });

  test("the first call after a silence rings the pool, because it can use the node again", async () => {
    const world = await placed();
    await world.call(world.node.id);
    await world.workOff();
    world.nowMs += 89_000;
    await world.call(world.node.id);
    expect(world.lane.waiting).toEqual([]);
    world.nowMs += 90_000;
    await world.call(world.node.id);
    expect(world.lane.waiting).toEqual(["gpu"]);
  });

  test("a worker learns how long its work may go on without a response, and each call is seen", async () => {
    const world = await placed();
    expect(await world.call(world.node.id)).toMatchObject({ islandMs: 86_400_000 });
    world.nowMs += 60_000;
    await world.call(world.node.id);
    expect(world.node).toMatchObject({ lastSeenMs: world.nowMs });
  });
});

describe("a placed job", () => {
  test("the order of a placed job has all that it needs, and credentials for just this attempt", async () => {
    const world = await placed();
    expect(orders(await world.call(world.node.id)).orders).toMatchObject([
      {
        kind: "run",
        ...of,
        spec: { command: ["python", "train.py"] },
        credentials: { sessionToken: "vision.a.1" },
        upload: { bucket: "incoming", kmsKey: "alias/fleetwright-vision" },
        log: { group: "/fleetwright/vision", stream: "a/1", limits: { burstBytes: 1, bytesPerSecond: 2, totalBytes: 3 } },
      },
    ]);
  });

  test("the order of a placed job says where its outbox goes, below the user id of its own node, and under which key", async () => {
    const world = await placed();
    const { id } = world.node;
    const [order] = orders(await world.call(id)).orders;
    const outbox = { bucket: "incoming", key: `islands/AROAINSTANCEROLE:${id}/vision/a/1.sealed` };
    expect(order).toMatchObject({ outbox: { ...outbox, ...(await world.ports.outboxKeys.generate({ ...of, node: id })) } });
    expect(JSON.stringify(world.log)).not.toContain("dataKey");
  });

  test("a job does not wait for the key of its outbox, because it will hardly ever need it", async () => {
    const world = await placed();
    const deps = { ...world.nodeCallDeps, outboxKeys: { generate: () => Promise.reject(new Error("KMS is down")) } };
    await world.begin(world.node.id);
    const [order] = orders(await handleNodeCall(deps, world.node.id, world.report(world.node.id))).orders;
    expect(order).toMatchObject({ kind: "run", ...of });
    expect(order).not.toHaveProperty("outbox");
    expect(world.log.at(-1)).toMatchObject({ level: "error", message: "order has no outbox", attempt: "vision/a#1" });
  });

  test("that an order is handed out is recorded before the worker gets it, and only once", async () => {
    const world = await placed();
    const { ledger, node } = world;
    const handOut = vi.spyOn(ledger.nodeLedger, "handOut");
    await world.call(node.id);
    expect(world.node.assignments).toMatchObject([{ phase: "placed", orderedAtMs: world.nowMs }]);
    world.nowMs += 2_000;
    expect(orders(await world.call(node.id)).orders).toHaveLength(1);
    expect(handOut).toHaveBeenCalledTimes(1);
  });

  test("an order whose attempt was taken back meanwhile is not handed out", async () => {
    const world = await placed();
    const { id } = world.node;
    const { fence } = await world.ledger.decisions.begin("gpu");
    const [assignment] = world.node.assignments;
    if (!assignment) throw new Error("the node holds nothing");
    world.ledger.wire.before("nodeLedger.handOut", () =>
      world.ledger.placements.takeBack(fence, { node: id, assignment, reason: "its node did not boot", atMs: world.nowMs }),
    );
    expect(orders(await world.call(id)).orders).toEqual([]);
    expect(world.job("a")).toMatchObject({ state: "queued", attempt: 2 });
  });

  test("a placed job is ordered until the worker reports it", async () => {
    const world = await placed();
    await world.call(world.node.id);
    expect(orders(await world.call(world.node.id)).orders).toHaveLength(1);
    expect(orders(await world.call(world.node.id, { attempts: [running(world)] })).orders).toEqual([]);
    expect(world.job("a")).toMatchObject({ state: "running", startedAtMs: world.nowMs });
    expect(orders(await world.call(world.node.id, { attempts: [running(world)] })).orders).toEqual([]);
  });

  test("a node that holds nothing gets no order", async () => {
    const world = await working();
    const ended = await world.call(world.node.id, { attempts: [exited(world, 1)] });
    expect(orders(ended).orders).toEqual([]);
    expect(orders(await world.call(world.node.id)).orders).toEqual([]);
  });
});

describe("a run that ended", () => {
  test("a successful run waits to be sealed, frees the node and wakes the pool", async () => {
    const world = await working();
    const response = await world.call(world.node.id, { attempts: [exited(world, 0)] });
    expect(response).toMatchObject({ done: [] });
    expect(world.job("a")).toMatchObject({ state: "sealing", exitCode: 0 });
    expect(world.node.assignments).toMatchObject([{ phase: "uploading" }]);
    expect(world.lane.waiting).toEqual(["gpu"]);
  });

  test("a failed run fails the job, and the worker may forget it", async () => {
    const world = await working();
    expect(await world.call(world.node.id, { attempts: [exited(world, 3)] })).toMatchObject({ done: [of] });
    expect(world.job("a")).toMatchObject({ state: "failed", endCode: "runs-failed", exitCode: 3, reason: "exit code 3" });
    expect(world.node.assignments).toEqual([]);
    expect(world.lane.waiting).toEqual(["gpu"]);
  });

  test("a job with a retry left waits again after a failed run", async () => {
    const world = await working({ retries: 1 });
    await world.call(world.node.id, { attempts: [exited(world, 3)] });
    expect(world.job("a")).toMatchObject({ state: "queued", attempt: 2, failures: 1, reason: "exit code 3" });
    await world.workOff();
    expect(orders(await world.call(world.node.id)).orders).toMatchObject([{ kind: "run", attempt: 2 }]);
  });

  test("a node that a run has freed calls again soon, because the next job may be placed by then", async () => {
    for (const exitCode of [0, 3]) {
      const world = await working();
      expect(await world.call(world.node.id, { attempts: [running(world)] })).toMatchObject({ callAgainMs: 10_000 });
      expect(await world.call(world.node.id, { attempts: [exited(world, exitCode)] })).toMatchObject({ callAgainMs: 1_000 });
    }
  });

  test("an uploaded run leaves its node, and its place is free", async () => {
    const world = await working();
    await world.call(world.node.id, { attempts: [exited(world, 0)] });
    const uploaded = { ...of, phase: "uploaded", startedAtMs: world.nowMs } as const;
    expect(await world.call(world.node.id, { attempts: [uploaded] })).toMatchObject({ done: [of] });
    expect(world.node.assignments).toEqual([]);
    expect(world.job("a")).toMatchObject({ state: "sealing" });
  });

  test("an end that is reported again after a lost response is written once", async () => {
    const world = await working({ retries: 5 });
    world.ledger.wire.loseResponseOf("nodeLedger.change");
    expect(await world.call(world.node.id, { attempts: [exited(world, 3)] })).toMatchObject({ unrecorded: [of] });
    expect(await world.call(world.node.id, { attempts: [exited(world, 3)] })).toMatchObject({ done: [of] });
    expect(world.job("a")).toMatchObject({ attempt: 2, failures: 1 });
  });
});

test("the end of a run is recorded in three tries or, if others change the job each time, by the worker's next call", async () => {
  const world = await working({ retries: 5 });
  const { nodeLedger } = world.ledger;
  let tries = 0;
  const change: typeof nodeLedger.change = async () => {
    tries += 1;
    return "stale";
  };
  const deps = { ...world.nodeCallDeps, nodeLedger: { ...nodeLedger, change } };
  const call = world.report(world.node.id, { attempts: [exited(world, 0)] });
  expect(await handleNodeCall(deps, world.node.id, call)).toMatchObject({ orders: [], done: [], unrecorded: [of] });
  expect(tries).toBe(3);
  expect(world.log.at(-1)).toMatchObject({ message: "attempt passed over", attempt: "vision/a#1", error: { code: "report", retry: true } });
  expect(await handleNodeCall(world.nodeCallDeps, world.node.id, call)).toMatchObject({ kind: "orders", unrecorded: [] });
  expect(world.job("a")).toMatchObject({ state: "sealing" });
});

describe("a call with several reports", () => {
  const names = ["a", "b", "c"];
  const each = (world: World, phase: "running" | "exited"): AttemptReport[] =>
    names.map((job) => ({ ...of, job, startedAtMs: world.nowMs, ...(phase === "running" ? { phase } : { phase, exitCode: 3 }) }));

  /** A world in which a, b and c run on one node. */
  async function sharing(): Promise<World> {
    const world = aWorld();
    for (const job of names) await world.submit(job, { gpus: 0, vcpus: 1, memoryGiB: 1 });
    await world.workOff();
    await world.call(world.node.id, { attempts: each(world, "running") });
    await world.workOff();
    expect(world.node.assignments).toHaveLength(3);
    return world;
  }

  test.each([1, 2, 3])("the places that a call frees ring the pool, although its report number %i cannot be written", async (failing) => {
    const world = await sharing();
    world.ledger.wire.failBefore("nodeLedger.change", failing);
    const failed = { unrecorded: [{ ...of, job: names[failing - 1] }] };
    expect(await world.call(world.node.id, { attempts: each(world, "exited") })).toMatchObject(failed);
    expect(world.node.assignments.map(({ job }) => job)).toEqual([names[failing - 1]]);
    expect(world.lane.waiting).toEqual(["gpu"]);
    expect(await world.call(world.node.id, { attempts: each(world, "exited") })).toMatchObject({ kind: "orders" });
    expect(world.node.assignments).toEqual([]);
  });

  test("a job that cannot be read keeps no other attempt of its node from its order, its report or its credentials", async () => {
    const world = await sharing();
    const { id } = world.node;
    for (const job of ["d", "e"]) await world.submit(job, { gpus: 0, vcpus: 0.25, memoryGiB: 0.25 });
    await world.workOff();
    const { nodeLedger, access } = world.deps;
    const isBroken = (ref: { job: string }): boolean => ref.job === "a" || ref.job === "d";
    const broken = (ref: { job: string }): never => {
      throw new FleetError("broken-item", `the item of ${ref.job} is broken`);
    };
    const deps = {
      ...world.nodeCallDeps,
      nodeLedger: { ...nodeLedger, job: async (ref: JobRef) => (isBroken(ref) ? broken(ref) : nodeLedger.job(ref)) },
      access: { credentials: async (ref: AttemptRef) => (isBroken(ref) ? broken(ref) : access.credentials(ref)) },
    };
    const renew = ["a", "b"].map((job) => ({ ...of, job }));
    const response = orders(await handleNodeCall(deps, id, world.report(id, { attempts: each(world, "exited"), renew })));
    expect(response.orders).toMatchObject([{ kind: "run", job: "e" }]);
    expect(response.done.map(({ job }) => job)).toEqual(["b", "c"]);
    expect(response.renewed.map(({ job }) => job)).toEqual(["b"]);
    expect(response.unrecorded).toEqual([{ ...of, job: "a" }]);
    const passedOver = world.log.filter(({ message }) => message === "attempt passed over").map(({ attempt }) => attempt);
    expect(passedOver).toEqual(["vision/a#1", "vision/d#1", "vision/a#1"]);
  });

  test("reports that change the node are written one after the other, because concurrent transactions on its item cancel each other", async () => {
    const world = await sharing();
    const { nodeLedger } = world.ledger;
    let [open, most] = [0, 0];
    const change: typeof nodeLedger.change = async (...args) => {
      open += 1;
      most = Math.max(most, open);
      const written = await nodeLedger.change(...args);
      open -= 1;
      return written;
    };
    const deps = { ...world.nodeCallDeps, nodeLedger: { ...nodeLedger, change } };
    await handleNodeCall(deps, world.node.id, world.report(world.node.id, { attempts: each(world, "exited") }));
    expect(most).toBe(1);
    expect(world.node.assignments).toEqual([]);
  });
});

describe("a worker that lost the attempt", () => {
  test("a worker that lost the attempt is ordered to stop it, and its report changes nothing", async () => {
    const world = await working();
    const { id } = world.node;
    await world.ledger.nodeLedger.change(
      { pool: "gpu", node: id, atMs: world.nowMs, process: "p1", call: Number.MAX_SAFE_INTEGER },
      { attempt: of, job: { from: "running", to: "queued", failed: false }, assignment: "removed" },
    );
    const before = world.job("a");
    expect(orders(await world.call(id, { attempts: [running(world)] })).orders).toMatchObject([{ kind: "stop", ...of }]);
    expect(orders(await world.call(id, { attempts: [exited(world, 0)] })).orders).toMatchObject([{ kind: "stop", ...of }]);
    expect(world.job("a")).toEqual(before);
  });

  test("a worker that lost the attempt and has ended it may forget it", async () => {
    const world = await placed();
    const other = { ...of, job: "never-here", phase: "stopped", reason: "told to" } as const;
    expect(await world.call(world.node.id, { attempts: [other] })).toMatchObject({
      orders: [{ kind: "run" }],
      done: [{ team: "vision", job: "never-here", attempt: 1 }],
    });
  });
});

describe("a worker that was restarted", () => {
  test.each([
    ["before the next process has reported anything", false, "placed"],
    ["after the next process has reported", true, "running"],
  ])("a delayed call of the process before a restart changes nothing, %s", async (_when, hasReported, state) => {
    const world = await placed();
    const { id } = world.node;
    await world.call(id);
    const late = world.report(id, { attempts: [exited(world, 3)] });
    await world.begin(id, "p2");
    if (hasReported) await world.call(id, { process: "p2", attempts: [running(world)] });
    // Not orders, because they would mean to the worker that its report was recorded.
    expect(await handleNodeCall(world.nodeCallDeps, id, late)).toEqual({ kind: "no-session" });
    expect(world.job("a")).toMatchObject({ state, attempt: 1 });
    expect(world.node.assignments).toMatchObject([{ phase: state }]);
  });

  test("a process whose session was taken by a late call of the process before it begins another one and loses nothing", async () => {
    const world = await working();
    const { id } = world.node;
    await world.begin(id, "p1 of a late call");
    await world.call(id, { process: "p1", attempts: [running(world)] });
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 1 });
    expect(world.node).toMatchObject({ session: 3, assignments: [{ phase: "running", process: "p1" }] });
  });

  test("a restarted worker is heard although an earlier heartbeat came from a clock that was far ahead", async () => {
    const world = await placed();
    const { id } = world.node;
    await world.call(id, { process: "p1", attempts: [running(world)] });
    const ahead = { ...world.nodeCallDeps, now: () => world.nowMs + 3_600_000 };
    await handleNodeCall(ahead, id, world.report(id, { attempts: [running(world)] }));
    expect(world.node.lastSeenMs).toBe(world.nowMs + 3_600_000);
    world.nowMs += 8_000;
    await world.call(id, { process: "p2", attempts: [] });
    expect(world.job("a")).toMatchObject({ state: "queued", attempt: 2 });
    expect(world.node.lastSeenMs).toBe(world.nowMs);
  });

  test("a job whose worker was restarted waits again without a failure", async () => {
    const world = await working();
    await world.call(world.node.id, { process: "p2" });
    expect(world.job("a")).toMatchObject({ state: "queued", attempt: 2, failures: 0, reason: expect.stringContaining("restarted") });
    expect(world.lane.waiting).toEqual(["gpu"]);
  });

  test("a job whose worker is restarted again and again fails in the end, because it may take the worker down", async () => {
    const world = await working();
    const { id } = world.node;
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const ref = { team: "vision", job: "a", attempt };
      const next = `p${attempt + 1}`;
      const before = `p${attempt}`;
      await world.call(id, { process: before, attempts: [{ ...ref, phase: "running", startedAtMs: world.nowMs }] });
      await world.call(id, { process: next, attempts: [{ ...ref, phase: "stopped", reason: "the worker on this node was restarted" }] });
      if (attempt < 3) expect(world.job("a")).toMatchObject({ state: "queued", attempt: attempt + 1, losses: attempt });
      await world.workOff();
    }
    expect(world.job("a")).toMatchObject({
      state: "failed",
      endCode: "nodes-lost",
      attempt: 3,
      losses: 3,
      reason: expect.stringContaining("3 nodes were lost"),
    });
  });

  test("a run that its own worker process reports as stopped is no loss", async () => {
    const world = await working();
    const stopped = { team: "vision", job: "a", attempt: 1, phase: "stopped", reason: "told to" } as const;
    await world.call(world.node.id, { process: "p1", attempts: [stopped] });
    expect(world.job("a")?.state).toBe("queued");
    expect(world.job("a")?.losses).toBeUndefined();
  });

  test("a restarted worker has not lost an attempt that it had not seen yet", async () => {
    const world = await placed();
    await world.call(world.node.id, { process: "p1" });
    expect(orders(await world.call(world.node.id, { process: "p2" })).orders).toMatchObject([{ kind: "run", ...of }]);
  });

  test("the same worker process has lost nothing, even if it reports nothing", async () => {
    const world = await working();
    await world.call(world.node.id, { process: "p1" });
    expect(world.job("a")).toMatchObject({ state: "running", attempt: 1 });
  });
});

describe("what a worker reports about its instance", () => {
  const telemetry = {
    address: "10.0.0.7",
    gpus: [{ index: 0, utilizationPercent: 93 }],
    datasets: [{ team: "vision", dataset: "coco", version: 1, shards: 2, bytes: 3 }],
  };

  test("what a worker reports about its instance is stored in the write that renews the lease, if it is new", async () => {
    const world = await working();
    const writes = world.ledger.wire.calls["nodeLedger.seen"] ?? 0;
    await world.call(world.node.id, { attempts: [running(world)], ...telemetry });
    expect(world.node).toMatchObject({ ...telemetry, gpusAtMs: world.nowMs });
    expect(world.ledger.wire.calls["nodeLedger.seen"]).toBe(writes + 1);
    expect(world.lane.waiting).toEqual([]);
  });

  test("a reported notice drains the node before EC2's own event arrives, and the response stops its work", async () => {
    const world = await working();
    const { id } = world.node;
    const notice = { kind: "interruption", atMs: world.nowMs } as const;
    const response = await world.call(id, { attempts: [running(world)], notice });
    expect(orders(response).orders).toEqual([{ kind: "stop", ...of, because: "EC2 is taking the instance back (spot interruption)" }]);
    expect(world.node).toMatchObject({ state: "draining", notice });
    expect(world.lane.waiting).toEqual(["gpu"]);
    expect((await world.ledger.decisions.begin("gpu")).causes).toEqual([`interruption ${id}`]);
  });

  test("a reported notice rings once, and its stop orders are repeated until they are followed", async () => {
    const world = await working();
    const notice = { kind: "interruption", atMs: world.nowMs } as const;
    for (const _time of [1, 2, 3]) {
      const response = await world.call(world.node.id, { attempts: [running(world)], notice });
      expect(orders(response).orders).toMatchObject([{ kind: "stop", ...of }]);
    }
    expect(world.ledger.wire.calls["nodeLedger.noticed"]).toBe(1);
  });

  test("a reported recommendation stops only an attempt that has not started", async () => {
    const world = await working();
    const notice = { kind: "rebalance", atMs: world.nowMs } as const;
    expect(orders(await world.call(world.node.id, { attempts: [running(world)], notice })).orders).toEqual([]);
    const booting = await placed();
    expect(orders(await booting.call(booting.node.id, { notice })).orders).toMatchObject([
      { kind: "stop", ...of, because: "EC2 may soon take the instance back (rebalance recommendation)" },
    ]);
  });
});

describe("a draining node", () => {
  const drain = { because: "its life of 3600 s ends", untilMs: monday + 3_600_000 };
  const withdraw = async (world: World) => {
    const { fence } = await world.ledger.decisions.begin("gpu");
    await world.ledger.placements.drain(fence, { node: world.node.id, drain, atMs: world.nowMs });
  };

  test("a draining node works on until its time is up, and is then ordered to stop", async () => {
    const world = await working();
    await withdraw(world);
    world.nowMs = drain.untilMs - 1;
    expect(orders(await world.call(world.node.id, { attempts: [running(world)] })).orders).toEqual([]);
    world.nowMs = drain.untilMs;
    expect(orders(await world.call(world.node.id, { attempts: [running(world)] })).orders).toEqual([
      { kind: "stop", ...of, because: "its node is being drained: its life of 3600 s ends" },
    ]);
  });

  test("a draining node does not start an attempt that it has not started yet", async () => {
    const world = await placed();
    await withdraw(world);
    expect(orders(await world.call(world.node.id)).orders).toMatchObject([{ kind: "stop", ...of }]);
  });
});

describe("an evicted run", () => {
  const evict = async (world: World) =>
    requeueJob({ cancellations: world.ledger.cancellations, now: () => world.nowMs }, of, "its node is slow");

  test("an evicted run is ordered to stop, its job waits again without a failure, and other runs of the node go on", async () => {
    const world = await working();
    expect(await evict(world)).toEqual({ kind: "evicting" });
    expect(orders(await world.call(world.node.id, { attempts: [running(world)] })).orders).toEqual([
      { kind: "stop", ...of, because: "its node is slow" },
    ]);
    const stopped = { ...of, phase: "stopped", reason: "its node is slow", startedAtMs: world.nowMs } as const;
    expect(orders(await world.call(world.node.id, { attempts: [stopped] })).done).toEqual([of]);
    expect(world.job("a")).toMatchObject({ state: "queued", attempt: 2, failures: 0, reason: "its node is slow" });
    expect(world.node).toMatchObject({ state: "ready", assignments: [] });
  });

  test("an evicted run that its worker has not started is never started", async () => {
    const world = await placed();
    await evict(world);
    expect(orders(await world.call(world.node.id)).orders).toEqual([{ kind: "stop", ...of, because: "its node is slow" }]);
  });
});

test("a busy GPU is recorded with its time, and so is the first call in which it is idle", async () => {
  const world = await working();
  const busyAtMs = world.nowMs;
  await world.call(world.node.id, {
    attempts: [running(world)],
    gpus: [
      { index: 0, utilizationPercent: 4 },
      { index: 1, utilizationPercent: 5 },
    ],
  });
  expect(world.node).toMatchObject({ gpusBusyAtMs: busyAtMs, gpusAtMs: busyAtMs });
  const idle = { attempts: [running(world)], gpus: [{ index: 0, utilizationPercent: 4 }, { index: 1 }] };
  for (const seconds of [50, 60, 120]) {
    world.nowMs = busyAtMs + seconds * 1000;
    await world.call(world.node.id, idle);
  }
  expect(world.node).toMatchObject({ gpusBusyAtMs: busyAtMs + 50_000, gpusAtMs: busyAtMs + 120_000 });
});

test("a response orders a bounded number of runs, and the worker calls again soon for the others", async () => {
  const world = await placed();
  const jobs = Array.from({ length: maxRuns + 10 }, (_, n) => aJob({ job: `job-${n}`, state: "placed", node: world.node.id }));
  for (const job of jobs) world.ledger.table.putJob(job);
  world.ledger.table.changeNode("gpu", world.node.id, { assignments: jobs.map(({ job }) => anAssignment({ job })) });
  const answer = await world.call(world.node.id);
  expect(answer).toMatchObject({ kind: "orders", callAgainMs: 1_000 });
  expect(answer.kind === "orders" && answer.orders).toHaveLength(maxRuns);
});

describe("credentials", () => {
  test("credentials are renewed for what the node holds", async () => {
    const world = await working();
    const response = await world.call(world.node.id, { attempts: [running(world)], renew: [of] });
    expect(response).toMatchObject({ renewed: [{ ...of, credentials: { sessionToken: "vision.a.1" } }] });
  });

  test("credentials are not renewed for an attempt that is not on the node", async () => {
    const world = await working();
    const given = world.access.given.length;
    const renew = [
      { ...of, attempt: 2 },
      { ...of, team: "audio" },
    ];
    expect(await world.call(world.node.id, { attempts: [running(world)], renew })).toMatchObject({ renewed: [] });
    expect(world.access.given).toHaveLength(given);
  });

  test("credentials are renewed once per attempt and call, and for a bounded number of attempts per call", async () => {
    const world = await working();
    const given = world.access.given.length;
    await world.call(world.node.id, { attempts: [running(world)], renew: Array.from({ length: 500 }, () => of) });
    expect(world.access.given).toHaveLength(given + 1);
    const many = Array.from({ length: maxRenewals + 10 }, (_, n) => anAssignment({ job: `job-${n}`, phase: "running", process: "p1" }));
    world.ledger.table.changeNode("gpu", world.node.id, { assignments: many });
    const attempts = many.map(({ team, job, attempt }) => ({ team, job, attempt, phase: "running" as const, startedAtMs: world.nowMs }));
    const renew = many.map(({ team, job, attempt }) => ({ team, job, attempt }));
    const answer = await world.call(world.node.id, { attempts, renew });
    expect(answer.kind === "orders" && answer.renewed).toHaveLength(maxRenewals);
  });
});

describe("a node with very many attempts", () => {
  test.each([
    [50, 50, 10_000],
    [51, 50, 1_000],
  ])("of %i attempts, %i are ordered in one response, and the next call is due after %i ms", async (count, ordered, callAgainMs) => {
    const world = aWorld();
    const assignments = Array.from({ length: count }, (_, n) => anAssignment({ job: `j${n}` }));
    for (const { job } of assignments) world.ledger.table.putJob(aJob({ job, state: "placed", node: "i-1" }));
    world.nowMs += 900_000;
    world.ledger.table.putNode(aNode({ id: "i-1", assignments }));
    world.ledger.table.instances.set("i-1", "gpu");
    const answer = await world.call("i-1");
    expect(answer).toMatchObject({ kind: "orders", callAgainMs });
    expect("orders" in answer && answer.orders).toHaveLength(ordered);
  });
});

test.each([
  ["a call that was sent before the one that wrote the last heartbeat gets no orders", 1, "wait"],
  ["a call that is delivered twice gets its orders again", 2, "orders"],
])("%s", async (_when, sequence, kind) => {
  const world = await placed();
  const { id } = world.node;
  await world.begin(id);
  const calls = [1, 2].map(() => world.report(id));
  await handleNodeCall(world.nodeCallDeps, id, calls[1] as NodeCall);
  expect(world.node.call).toBe(callNumber({ session: 1, sequence: 2 }));
  expect(await handleNodeCall(world.nodeCallDeps, id, calls[sequence - 1] as NodeCall)).toMatchObject({ kind });
});

test("a report that was overtaken changes nothing, although no heartbeat was due", async () => {
  const world = await working();
  const { id } = world.node;
  const late = world.report(id, { attempts: [exited(world, 3)] });
  await world.call(id, { attempts: [exited(world, 0)] });
  expect(world.job("a")).toMatchObject({ state: "sealing" });
  await handleNodeCall(world.nodeCallDeps, id, late).catch(() => undefined);
  expect(world.job("a")).toMatchObject({ state: "sealing", exitCode: 0, failures: 0 });
});
